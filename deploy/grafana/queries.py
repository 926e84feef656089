"""Questions to Grafana's datasources, as targets of panels, and the variables that they share."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.cog import builder as cogbuilder
from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.models.dashboard import DataSourceRef, VariableOption, VariableRefresh, VariableSort
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deploy import measures

STORE = DataSourceRef(type_val="grafana-clickhouse-datasource", uid="marquee-clickhouse")
METRICS = DataSourceRef(type_val="prometheus", uid="marquee-prometheus")

# Quoted and escaped by Grafana: a site's name is never SQL.
OF_SITE = f"site_id = ${{site:sqlstring}} AND {measures.NO_BOTS}"
# Beyond so many users a panel of the events counts a share of them: `share`, and which they are.
SHARE_OF_USERS = f"WITH {measures.share_of_users('site_id = ${site:sqlstring} AND $__dateFilter(day)')} AS share"
# The same, and which share of the sessions where it matters who did what.
SHARE_OF_PEOPLE = (f"{SHARE_OF_USERS},\n"
                   f"    {measures.share_of_sessions('site_id = ${site:sqlstring} AND $__timeFilter_ms(event_time)', 'share')} AS share_of_sessions")
OF_PEOPLE = measures.of_share("share", "share_of_sessions")
EVENTS_OF_SHARE = measures.events_of_share("share")
OF_CAMPAIGNS = "$__conditionalAll(campaign_id IN (${campaign:sqlstring}), $campaign)"


class _StoreQuery(variants.Dataquery):
    def __init__(self, sql: str, is_series: bool) -> None:
        self.sql, self.is_series = sql, is_series

    def to_json(self) -> dict[str, object]:
        return {"refId": "A", "datasource": STORE, "editorType": "sql", "rawSql": self.sql, "pluginVersion": "4.11.0",
                "queryType": "timeseries" if self.is_series else "table", "format": 0 if self.is_series else 1}


class StoreQuery(cogbuilder.Builder[variants.Dataquery]):
    """SQL for grafana-clickhouse-datasource; a series has a first column named time."""

    def __init__(self, sql: str, is_series: bool = False) -> None:
        self._query = _StoreQuery(sql, is_series)

    def build(self) -> variants.Dataquery:
        return self._query


def metric(expression: str, legend: str = "", ref: str = "A", is_range: bool = True) -> prometheus.Dataquery:
    query = prometheus.Dataquery().expr(expression).legend_format(legend).ref_id(ref).format(PromQueryFormat.TIME_SERIES).datasource(METRICS)
    return query.range() if is_range else query.instant()


def _chosen(name: str, label: str, description: str, sql: str) -> builders.QueryVariable:
    return (builders.QueryVariable(name).label(label).description(description).datasource(STORE)
            .query({"refId": name, "queryType": "sql", "rawSql": sql})
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.ALPHABETICAL_ASC))


def site(rollup: str = "delivery_sums") -> builders.QueryVariable:
    """Of those that the rollup knows: delivery_sums has only sites with ads, user_days all that have users."""
    return _chosen("site", "Site", "One property that sends events and shows ads", f"SELECT DISTINCT site_id FROM marquee.{rollup} ORDER BY site_id")


def campaigns() -> builders.QueryVariable:
    return (_chosen("campaign", "Campaign", "All, or those that are chosen",
                    f"SELECT DISTINCT campaign_id FROM marquee.delivery_sums WHERE {OF_SITE} AND grouping = 'campaign_totals' AND $__timeFilter(time) ORDER BY campaign_id")
            .multi(True).include_all(True).current(VariableOption(text=["All"], value=["$__all"], selected=True)))


def one_of(name: str, label: str, description: str, values: dict[str, str]) -> builders.CustomVariable:
    """A choice among `values` (what is shown -> what the SQL gets). Only what is written here can be chosen, so it may stand in SQL."""
    first = next(iter(values))
    return (builders.CustomVariable(name).label(label).description(description)
            .values(", ".join(f"{text} : {value}" for text, value in values.items()))
            .current(VariableOption(text=first, value=values[first], selected=True))
            .options([VariableOption(text=text, value=value, selected=text == first) for text, value in values.items()]))
