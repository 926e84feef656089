"""What campaign managers look at: campaigns live, and CTR by college and cohort."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as builders

from deploy import measures
from deploy.grafana.panels import COUNT, EXACT, PERCENT, bars, dashboard, matrix, number, rows, series
from deploy.grafana.queries import EVENTS_OF_SHARE, OF_CAMPAIGNS, OF_SITE, SHARE_OF_USERS, StoreQuery, campaigns, one_of, site

_COUNTED = f"{OF_SITE} AND $__timeFilter(time) AND {OF_CAMPAIGNS}"
# What campaign_hour does not know by hour: the same events, from the events table.
_AD_EVENTS = (f"{OF_SITE} AND $__timeFilter(event_time) AND {OF_CAMPAIGNS} AND {EVENTS_OF_SHARE}\n"
              "    AND event_type IN ('impression', 'click') AND (campaign_id != '' OR ad_id != '' OR slot_id != '')")
_UNITS = {"Impressions": EXACT, "Clicks": EXACT, "CTR": PERCENT, "at least": PERCENT, "at most": PERCENT, "Viewability": PERCENT,
          "Conversions": EXACT}


def _total(expression: str, name: str, table: str) -> StoreQuery:
    return StoreQuery(f"SELECT {expression} AS \"{name}\"\nFROM marquee.{table}\nWHERE {_COUNTED}")


def _ctr_by(column: str, name: str, table: str, further: str = "") -> str:
    return (f"SELECT {column} AS \"{name}\", sum(impressions) AS \"Impressions\", sum(clicks) AS \"Clicks\",\n"
            f"    {measures.CTR} AS \"CTR\",\n    {measures.CTR_LOW} AS \"at least\",\n    {measures.CTR_HIGH} AS \"at most\"{further}\n"
            f"FROM marquee.{table}\nWHERE {_COUNTED}\nGROUP BY {column}\nHAVING sum(impressions) > 0\nORDER BY \"Impressions\" DESC, \"{name}\"\nLIMIT 100")


def _over_time(expression: str, by: str, table: str, least: int = 0) -> StoreQuery:
    """A line for each of the ten with the most impressions."""
    most = f"SELECT {by} FROM marquee.{table} WHERE {_COUNTED} GROUP BY {by} ORDER BY sum(impressions) DESC LIMIT 10"
    having = f"\nHAVING sum(impressions) >= {least}" if least else ""
    return StoreQuery(f"SELECT $__timeInterval(time) AS time, {by}, {expression} AS value\nFROM marquee.{table}\n"
                      f"WHERE {_COUNTED} AND {by} IN (\n    {most})\nGROUP BY time, {by}{having}\nORDER BY time, {by}", is_series=True)


def _numbers(board: builders.Dashboard, table: str) -> builders.Dashboard:
    return (board
            .with_panel(number("CTR", "Clicks of an impression, in the chosen time.", _total(measures.CTR, "CTR", table), PERCENT, decimals=2))
            .with_panel(number("Clicks", "Clicks on ads.", _total("sum(clicks)", "Clicks", table), EXACT))
            .with_panel(number("Impressions", "Ads that were rendered.", _total("sum(impressions)", "Impressions", table), EXACT))
            .with_panel(number("Viewability", "Impressions of which half was in view for a second (IAB/MRC).",
                               _total(measures.VIEWABILITY, "Viewability", table), PERCENT, decimals=1)))


def live() -> builders.Dashboard:
    table = "campaign_minute"
    further = (f",\n    {measures.VIEWABILITY} AS \"Viewability\", sum(conversions) AS \"Conversions\",\n"
               f"    {measures.LAST_SHOWN} AS \"Last delivered\"")
    board = dashboard("marquee-live", "Campaigns live", "Is my campaign delivering now, and does it work? By the minute, without bots.",
                      "now-1h", "10s").with_variable(site()).with_variable(campaigns())
    return (_numbers(board, table)
            .with_panel(series("Impressions", "Each bar is what was delivered in it, by campaign.",
                               [_over_time("sum(impressions)", "campaign_id", table)], COUNT, least="1m", is_bars=True, is_stacked=True))
            .with_panel(series("Clicks", "By campaign.", [_over_time("sum(clicks)", "campaign_id", table)], COUNT, least="1m", is_bars=True,
                               is_stacked=True))
            .with_panel(rows("Campaigns", "Each with the 95 % interval of its CTR (Wilson): where two intervals overlap, the two may well be equal.",
                             _ctr_by("campaign_id", "Campaign", table, further), _UNITS, width=14, gauge="CTR"))
            .with_panel(series("CTR", "Steps with fewer than 20 impressions are left out: their CTR is chance.",
                               [_over_time(measures.CTR, "campaign_id", table, least=20)], PERCENT, width=10, height=9, least="5m")))


def cohorts() -> builders.Dashboard:
    table = "campaign_hour"
    cohort = one_of("cohort", "Cohort", "What else to tell users apart by", {
        "Program": "program", "Year of study": "toString(year_of_study)", "City": "city", "Device": "device"})
    shown, clicked = "countIf(event_type = 'impression')", "countIf(event_type = 'click')"
    reach = "uniqExactIf(user_key, event_type = 'impression' AND user_key != 0)"
    by_cohort = (f"{SHARE_OF_USERS}\nSELECT ${{cohort:raw}} AS \"Cohort\", {measures.estimated(shown, 'share')} AS \"Impressions\",\n"
                 f"    {measures.estimated(reach, 'share')} AS \"Reach\", {measures.estimated(clicked, 'share')} AS \"Clicks\",\n"
                 f"    {clicked} / nullIf({shown}, 0) AS \"CTR\", any(share) AS \"Users counted\"\nFROM marquee.events\nWHERE {_AD_EVENTS}\nGROUP BY \"Cohort\"\n"
                 "HAVING \"Impressions\" > 0\nORDER BY \"Impressions\" DESC, \"Cohort\"\nLIMIT 100")
    crossed = (f"{SHARE_OF_USERS}\nSELECT college_id AS \"College\", ${{cohort:raw}} AS \"Cohort\", {clicked} / {shown} AS \"CTR\"\n"
               f"FROM marquee.events\nWHERE {_AD_EVENTS}\nGROUP BY \"College\", \"Cohort\"\nHAVING {shown} >= 20\n"
               "ORDER BY \"College\", \"Cohort\"\nLIMIT 1000")
    board = dashboard("marquee-cohorts", "CTR by college and cohort", "Who clicks? With honest intervals, without bots.", "now-7d", "5m")
    by_college = (f"SELECT college_id AS \"College\", {measures.CTR} AS \"CTR\"\nFROM marquee.{table}\nWHERE {_COUNTED}\nGROUP BY college_id\n"
                  "HAVING sum(impressions) > 0\nORDER BY \"CTR\" DESC, \"College\"\nLIMIT 25")
    return (_numbers(board.with_variable(site()).with_variable(campaigns()).with_variable(cohort), table)
            .with_panel(bars("CTR by college", "The 25 highest. Colleges with few impressions get here by chance: see the interval beside it.",
                             StoreQuery(by_college), PERCENT, width=8, height=11))
            .with_panel(rows("Colleges", "Each with the 95 % interval of its CTR (Wilson).", _ctr_by("college_id", "College", table), _UNITS,
                             width=16, height=11, gauge="CTR"))
            .with_panel(series("CTR by college over time", "The ten with the most impressions; steps with fewer than 50 impressions are left out.",
                               [_over_time(measures.CTR, "college_id", table, least=50)], PERCENT, width=24))
            .with_panel(rows("Cohorts", "The cohort that is chosen above, with how many users its ads reached. Where users are many, estimated from a share of them.", by_cohort,
                             {**_UNITS, "Reach": EXACT, "Users counted": PERCENT}, width=10, height=11, gauge="CTR"))
            .with_panel(matrix("CTR by college and cohort", "Cells with fewer than 20 impressions are left empty. Where users are many, of a share of them.", crossed, "Cohort", "College", "CTR",
                               PERCENT, width=14, height=11)))
