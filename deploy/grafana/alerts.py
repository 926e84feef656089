"""Alert rules that Grafana itself evaluates: what Prometheus cannot see, since it is in the events, and whether the store answers at all.
The pipeline's own rules are Prometheus's (deploy/prometheus)."""

from __future__ import annotations

from grafana_foundation_sdk.builders import alerting, expr
from grafana_foundation_sdk.cog import builder as cogbuilder
from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.models.alerting import RelativeTimeRange
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from deploy import measures
from deploy.grafana.queries import METRICS, STORE, StoreQuery, metric

FOLDER = "Marquee"
_DAY = 86_400


# How much of its CTR a campaign has lost, where chance alone does not explain it: the 95 % intervals of the last day and of the week before it
# do not meet.
CTR_FELL = f"""SELECT site_id, campaign_id, 1 - (sumIf(c, is_new) / sumIf(n, is_new)) / (sumIf(c, NOT is_new) / sumIf(n, NOT is_new)) AS lost
FROM (
    SELECT site_id, campaign_id, time >= $__toTime - INTERVAL 1 DAY AS is_new, sum(clicks) AS c, sum(impressions) AS n,
        {measures.CTR_LOW} AS low,
        {measures.CTR_HIGH} AS high
    FROM marquee.campaign_hour
    WHERE {measures.NO_BOTS} AND $__timeFilter(time) AND campaign_id != ''
    GROUP BY site_id, campaign_id, is_new
    HAVING n >= 1000
)
GROUP BY site_id, campaign_id
HAVING count() = 2 AND maxIf(high, is_new) < maxIf(low, NOT is_new)"""

# Minutes since a campaign's last impression, of those that were delivering within the day.
DELIVERY_STALLED = f"""SELECT site_id, campaign_id, dateDiff('minute', {measures.LAST_SHOWN}, $__toTime) AS minutes
FROM marquee.campaign_minute
WHERE {measures.NO_BOTS} AND $__timeFilter(time) AND campaign_id != ''
GROUP BY site_id, campaign_id
HAVING sum(impressions) >= 100"""


def _rule(uid: str, title: str, query: cogbuilder.Builder[variants.Dataquery], source: DataSourceRef, seconds: int, above: float, wait: str,
          severity: str, summary: str, description: str, below: bool = False) -> alerting.Rule:
    """Fires where the answer is above (or below) the bound: for each line of it, named by its text columns."""
    evaluator = expr.ExprTypeThresholdConditionsEvaluator().params([above]).type("lt" if below else "gt")
    threshold = (expr.TypeThreshold().ref_id("B").expression("A").datasource(DataSourceRef(type_val="__expr__", uid="__expr__"))
                 .conditions([expr.ExprTypeThresholdConditions().evaluator(evaluator)]))
    return (alerting.Rule(title).uid(uid).condition("B").for_val(wait).org_id(1).rule_group("marquee").folder_uid("marquee")
            .no_data_state("OK").exec_err_state("Error").labels({"severity": severity})
            .annotations({"summary": summary, "description": description})
            .queries([alerting.Query("A").datasource_uid(source.uid or "").model(query).relative_time_range(RelativeTimeRange(from_val=seconds, to=0)),
                      alerting.Query("B").datasource_uid("__expr__").model(threshold).relative_time_range(RelativeTimeRange(from_val=seconds, to=0))]))


def rules() -> list[alerting.Rule]:
    return [
        _rule("marquee-ctr-fell", "CTR of a campaign fell", StoreQuery(CTR_FELL), STORE, 8 * _DAY, 0.2, "30m", "warning",
              "{{ $labels.campaign_id }} on {{ $labels.site_id }} lost {{ humanizePercentage $values.A.Value }} of its CTR",
              "Its CTR of the last day is lower than that of the week before by more than chance explains (their 95 % intervals do not meet). Look at "
              "its positions and colleges: what changed?"),
        _rule("marquee-delivery-stalled", "Delivery of a campaign stalled", StoreQuery(DELIVERY_STALLED), STORE, _DAY, 60, "15m", "warning",
              "{{ $labels.campaign_id }} on {{ $labels.site_id }} was last shown {{ $values.A.Value }} minutes ago",
              "It was delivering within the day. If other campaigns go on, look at its schedule, budget and caps; if none does, at the pipeline."),
        _rule("marquee-events-late", "Reports lag behind", metric("max(marquee_pipeline_lag_seconds)", is_range=False), METRICS, 600, 60, "5m", "warning",
              "Events of {{ $values.A.Value }} seconds ago are not in reports", "marquee load --status says whether it is moving, and what is in its way."),
        _rule("marquee-store-down", "The store does not answer", metric("min(marquee_store_up)", is_range=False), METRICS, 600, 1, "2m", "critical",
              "Reports fail and nothing lands", "Events are acknowledged and wait in the log. marquee doctor says what is wrong.", below=True),
    ]
