"""What operators look at: the way of events into the store, and the store itself."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as builders

from deploy.grafana.panels import BYTES, COUNT, EXACT, RATE, SECONDS, bars, dashboard, number, rows, series, thresholds
from deploy.grafana.queries import METRICS, StoreQuery, metric

_OF_MARQUEE = "FROM system.parts\nWHERE active AND database = 'marquee'"
_NONE_IS_GOOD = thresholds((None, "green"), (1, "red"))


def _quantile(share: float, histogram: str) -> str:
    return f"histogram_quantile({share}, sum by (le) (rate({histogram}_bucket[$__rate_interval])))"


def _now(title: str, description: str, expression: str, unit: str, levels: builders.ThresholdsConfig, width: int = 4) -> builders.Panel:
    return number(title, description, metric(expression, is_range=False), unit, width=width, levels=levels, source=METRICS)


def pipeline() -> builders.Dashboard:
    board = dashboard("marquee-pipeline", "Pipeline health", "Does every event that is sent land, and soon? From Marquee's own /metrics "
                      "(deploy/prometheus).", "now-1h", "10s")
    return (board
            .with_panel(_now("Waiting", "Events that are acknowledged and not yet in the store.", "sum(max by (partition) (marquee_pipeline_lag_events))",
                             COUNT, thresholds((None, "green"), (10_000, "orange"), (100_000, "red"))))
            .with_panel(_now("Reports lag by", "Age of the oldest event that waits.", "max(marquee_pipeline_lag_seconds)", SECONDS,
                             thresholds((None, "green"), (60, "orange"), (900, "red"))))
            .with_panel(_now("Partitions without loader", "Their events wait until one takes them.",
                             "count(max by (partition) (marquee_pipeline_has_loader) == 0) or vector(0)", COUNT, _NONE_IS_GOOD))
            .with_panel(_now("Failing partitions", "Every attempt to land their events fails: marquee load --status says why.",
                             "sum(max by (partition) (marquee_pipeline_failing))", COUNT, _NONE_IS_GOOD))
            .with_panel(_now("Dead letters", "Records that could not be loaded; kept with their bytes.",
                             "sum(max by (partition) (marquee_pipeline_dead_letters))", COUNT, thresholds((None, "green"), (1, "orange"))))
            .with_panel(_now("Log and store", "1: both answer.", "min(marquee_log_up) * min(marquee_store_up)", COUNT,
                             thresholds((None, "red"), (1, "green"))))
            .with_panel(series("Events", "Taken by collectors, landed by loaders: the two lines lie on each other while all is well.",
                               [metric('sum(rate(marquee_collector_events_total[$__rate_interval]))', "taken"),
                                metric("sum(rate(marquee_loader_events_total[$__rate_interval]))", "landed", "B")], RATE, least="15s", source=METRICS))
            .with_panel(series("Answers of collectors", "unavailable: the log could not take events; senders try again.",
                               [metric("sum by (result) (rate(marquee_collector_requests_total[$__rate_interval]))", "{{result}}")], RATE, least="15s",
                               source=METRICS))
            .with_panel(series("Waiting by partition", "Events that are acknowledged and not yet in the store.", [metric("max by (partition) (marquee_pipeline_lag_events)", "partition {{partition}}")],
                               COUNT, least="15s", source=METRICS))
            .with_panel(series("From the log into reports", "How long an event takes, the slowest 1 % and the middle one.",
                               [metric(_quantile(0.99, "marquee_loader_landing_delay_seconds"), "p99"),
                                metric(_quantile(0.5, "marquee_loader_landing_delay_seconds"), "median", "B")], SECONDS, least="15s", source=METRICS))
            .with_panel(series("Until durable, and an insert", "A sender waits for the first; a batch for the second (p99).",
                               [metric(_quantile(0.99, "marquee_collector_durable_seconds"), "durable"),
                                metric(_quantile(0.99, "marquee_loader_insert_seconds"), "insert", "B")], SECONDS, least="15s", source=METRICS))
            .with_panel(series("Repeats, dead letters, recoveries", "Repeats are dropped: senders sent them twice.",
                               [metric("sum(rate(marquee_loader_repeats_total[$__rate_interval]))", "repeats"),
                                metric("sum(rate(marquee_loader_dead_letters_total[$__rate_interval]))", "dead letters", "B"),
                                metric("sum(rate(marquee_loader_recoveries_total[$__rate_interval]))", "recoveries", "C")], RATE, least="15s",
                               source=METRICS))
            .with_panel(series("Local log", "Beyond its limit senders get 503.",
                               [metric("sum by (instance) (marquee_log_kept_bytes)", "kept, {{instance}}"),
                                metric("sum by (instance) (marquee_log_max_bytes)", "limit, {{instance}}", "B")], BYTES, least="15s", source=METRICS))
            .with_panel(series("Waiting to be durable", "Beyond its limit senders get 503.",
                               [metric("sum by (instance) (marquee_log_pending_bytes)", "waits, {{instance}}"),
                                metric("sum by (instance) (marquee_log_max_pending_bytes)", "limit, {{instance}}", "B")], BYTES, least="15s",
                               source=METRICS)))


def store() -> builders.Dashboard:
    tables = ("SELECT table AS \"Table\", sum(rows) AS \"Rows\", sum(bytes_on_disk) AS \"On disk\", sum(bytes_on_disk) / sum(rows) AS \"Bytes a row\",\n"
              "    sum(data_uncompressed_bytes) / nullIf(sum(data_compressed_bytes), 0) AS \"Compressed by\", count() AS \"Parts\", "
              "uniqExact(partition) AS \"Days\",\n    max(modification_time) AS \"Last part\"\n"
              f"{_OF_MARQUEE}\nGROUP BY table\nHAVING \"Rows\" > 0\nORDER BY \"On disk\" DESC")
    columns = ("SELECT column AS \"Column\", sum(column_bytes_on_disk) AS \"On disk\"\nFROM system.parts_columns\n"
               "WHERE active AND database = 'marquee' AND table = 'events'\nGROUP BY column\nORDER BY \"On disk\" DESC\nLIMIT 20")
    crowded = ("SELECT max(parts) AS \"Parts\"\nFROM (SELECT count() AS parts " + _OF_MARQUEE.replace("\n", " ") + " GROUP BY table, partition)")
    days = (f"SELECT toDateTime(partition, 'UTC') AS time, sum(rows) AS rows\n{_OF_MARQUEE} AND table = 'events' AND length(partition) = 10\n"
            "    AND $__timeFilter(toDateTime(partition, 'UTC'))\nGROUP BY time\nORDER BY time")
    freshest = ("SELECT dateDiff('second', max(time), now()) AS \"Age\"\nFROM marquee.campaign_minute\n"
                "WHERE time >= (SELECT max(time) FROM marquee.delivery_sums WHERE grouping = 'campaign_totals')")
    board = dashboard("marquee-store", "ClickHouse health", "How much the store holds, how well it is packed, whether merges keep up. What a reader of the "
                      "store may see.", "now-30d", "1m")
    return (board
            .with_panel(number("Events", "Rows of marquee.events.", StoreQuery(f"SELECT sum(rows) AS \"Events\"\n{_OF_MARQUEE} AND table = 'events'"), COUNT, 4))
            .with_panel(number("On disk", "All tables of Marquee.", StoreQuery(f"SELECT sum(bytes_on_disk) AS \"On disk\"\n{_OF_MARQUEE}"), BYTES, 4))
            .with_panel(number("Bytes an event", "Of the events table; 20 after merges is the aim.", StoreQuery(
                f"SELECT sum(bytes_on_disk) / nullIf(sum(rows), 0) AS \"Bytes an event\"\n{_OF_MARQUEE} AND table = 'events'"), BYTES, 4,
                thresholds((None, "green"), (60, "orange"), (200, "red")), decimals=1))
            .with_panel(number("Most parts in a day", "Of one table. At 300 merges fall behind, at 3,000 ClickHouse refuses inserts.", StoreQuery(crowded), COUNT, 4,
                               thresholds((None, "green"), (300, "orange"), (1000, "red"))))
            .with_panel(number("Newest event", "How long ago the last minute with an ad event began.", StoreQuery(freshest), SECONDS, 4,
                               thresholds((None, "green"), (600, "orange"), (3600, "red"))))
            .with_panel(number("Store answers", "1: it does.", metric("min(marquee_store_up)", is_range=False), COUNT, 4,
                               thresholds((None, "red"), (1, "green")), METRICS))
            .with_panel(rows("Tables", "Largest first.", tables, {"Rows": EXACT, "On disk": BYTES, "Bytes a row": BYTES, "Compressed by": "none",
                                                                  "Parts": EXACT, "Days": EXACT}, width=14, height=10))
            .with_panel(bars("Columns of events", "The 20 that take most room, in parts large enough to keep columns in files of their own.", StoreQuery(columns), BYTES, width=10, height=10))
            .with_panel(series("Events by day", "Rows of marquee.events by their own day (UTC).", [StoreQuery(days, is_series=True)], COUNT, least="1d",
                               is_bars=True))
            .with_panel(series("Inserts", "How long one takes, p99, as loaders see it.", [metric(_quantile(0.99, "marquee_loader_insert_seconds"), "p99")],
                               SECONDS, least="15s", source=METRICS)))
