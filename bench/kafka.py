"""From Kafka into the store: rows per CPU second, the store's share included, and from sending an event to a report that counts
it. Marquee's loader beside ClickHouse's Kafka engine, which runs in the same engine and fills the same tables and rollups.

Settings of the Kafka engine: what ClickHouse's documentation shows, and what makes it faster. Blocks as large as they come
(kafka_max_block_size as it is, 1,048,576 rows; flushed after 7.5 s); for latency flushed after half a second.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable

from bench import latency
from bench.connect import Connect
from bench.figures import figure
from bench.pipelines import PRODUCE, Cost, Fed, KafkaEngine, MarqueeLoader, Pipeline, Reading, Stage, measure
from tests.support.kafka import Cluster, KafkaMarquee
from tests.support.marquee import Marquee, wait_until

DOCUMENTED = Reading("as documented: typed columns, JSONEachRow", "json", "typed")
ONE_EVENT_A_MESSAGE = [
    Reading("two consumers", "json", "typed", settings=", kafka_num_consumers = 2, kafka_thread_per_consumer = 1"),
    Reading("columns without LowCardinality", "json", "plain"),
    Reading("RowBinary", "rowbinary", "typed", "RowBinary"),
    Reading("message as one String, JSONExtract in the view", "json", "line", "RawBLOB"),
]
OTHERS = [
    Reading("the same, into the events table alone", "json", "line", "RawBLOB", "marquee.events"),
    Reading("50 events in a message, no LowCardinality", "json50", "plain"),
]


def throughput(stage: Stage, events: int, short: bool) -> None:
    ours = [measure(stage, MarqueeLoader(stage, f"{stage.marquee.topic}-1"), events)]
    stage.keep_rows()
    path = os.path.join(stage.marquee.data_dir, "lines.json")
    stage.write_lines(path)
    produced, _ = stage.produce("json", path).communicate()
    if int(produced) != events:
        raise RuntimeError(f"{produced} of {events} messages were produced")
    documented = measure(stage, KafkaEngine(stage, DOCUMENTED), events)
    best: Cost = documented
    if not short:
        rows = "SELECT * FROM peer.rows ORDER BY log_offset"
        stage.fill_topic("rowbinary", rows, stage.definitions(is_plain=False), "kafka_format = 'RowBinary'")
        stage.fill_topic("json50", rows, stage.definitions(is_plain=False), "kafka_format = 'JSONEachRow', kafka_max_rows_per_message = 50")
        tuned = [measure(stage, KafkaEngine(stage, reading), events) for reading in ONE_EVENT_A_MESSAGE]
        best = max([documented, *tuned], key=lambda cost: cost.per_cpu_second)
        for reading in OTHERS:
            measure(stage, KafkaEngine(stage, reading), events)
        ours.append(measure(stage, MarqueeLoader(stage, f"{stage.marquee.topic}-2"), events))
    rate = sum(cost.per_cpu_second for cost in ours) / len(ours)
    if not short:
        connect = Connect(stage, "connect", "connect-throughput")
        connect.start()
        try:
            connect.wait_running()
            cost = measure(stage, Fed(stage, connect, "connect", path), events)
        finally:
            connect.stop()
        figure("loader_vs_kafka_connect", rate / cost.per_cpu_second, "ratio", "-", 2)
    figure("loader_from_kafka_rows_per_cpu_s", rate, "rows/s", ">=260000")
    figure("loader_vs_kafka_engine", rate / documented.per_cpu_second, "ratio", ">=5", 2)
    if not short:
        figure("loader_vs_kafka_engine_tuned", rate / best.per_cpu_second, "ratio", "-", 2)


def percentiles(name: str, times: list[float], rate: float) -> float:
    times.sort()
    p99 = times[min(len(times) - 1, int(len(times) * 0.99))]
    print(f"{name}: {len(times)} probes while {rate:,.0f} events/s landed: p50 {times[len(times) // 2]:.0f} ms, p99 {p99:.0f} ms, "
          f"largest {times[-1]:.0f} ms", flush=True)
    return p99


def landing_rate(stage: Stage, probe: Callable[[int], float], probes: int) -> tuple[list[float], float]:
    time.sleep(3)  # For the load to reach its rate.
    before, began = stage.landed(), time.monotonic()
    times = []
    for number in range(probes):
        times.append(probe(number))
        time.sleep(0.02)
    return times, (stage.landed() - before) / (time.monotonic() - began)


def marquee_latency(stage: Stage, probes: int) -> float:
    """Probes go to a collector, as the load does, through Kafka to a loader: each a process of its own."""
    marquee = stage.marquee
    loader = MarqueeLoader(stage, f"{marquee.topic}-latency")
    loader.start()
    wait_until(lambda: stage.landed() > 0 and json.loads(loader.role.get("/v1/loader").body)["lag_events"] == 0,  # type: ignore[union-attr]
               600, "the loader to catch up", 0.2)
    load = latency.simulated_load(marquee, marquee.collectors[0].url)
    try:
        times, rate = landing_rate(stage, lambda number: latency.probe(marquee, number), probes)
    finally:
        load.terminate()
        load.wait(30)
        loader.stop()
    figure("kafka_events_landed_per_s_while_probing", rate, "events/s", f">={latency.RATE * 0.95:.0f}")
    return percentiles("Marquee", times, rate)


class PeerProbe:
    """Sends an impression into the topic that a peer reads."""

    def __init__(self, stage: Stage, topic: str, name: str) -> None:
        self._name = name
        self._marquee: Marquee = stage.marquee
        self._producer = subprocess.Popen([PRODUCE, stage.marquee.cluster.bootstrap, stage.topic(topic)], stdin=subprocess.PIPE,
                                          stdout=subprocess.DEVNULL, text=True)

    def __call__(self, number: int) -> float:
        campaign = f"{self._name}-probe-{number}"
        row = {"site_id": "moodle", "session_id": number + 1, "seq": 1, "event_type": "impression", "campaign_id": campaign, "ad_id": "probe",
               "event_time": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())}
        began = time.monotonic()
        assert self._producer.stdin is not None
        self._producer.stdin.write(json.dumps(row) + "\n")
        self._producer.stdin.flush()
        return latency.until_counted(self._marquee, campaign, began)

    def close(self) -> None:
        self._producer.communicate()


def peer_latency(stage: Stage, pipeline: Pipeline, topic: str, probes: int, name: str) -> float:
    """Probes go into the topic, as the load does."""
    stage.clear()
    path = os.path.join(stage.marquee.data_dir, "lines.json")
    pipeline.start()
    if isinstance(pipeline, Connect):
        pipeline.wait_running()
    load = stage.produce(topic, path, latency.RATE)
    probe = PeerProbe(stage, topic, name)
    try:
        times, rate = landing_rate(stage, probe, probes)
        if load.poll() is not None:
            raise RuntimeError("the load ended before the probes")
    finally:
        probe.close()
        load.terminate()
        load.communicate()
        pipeline.stop()
    return percentiles(name, times, rate)


def run(short: bool) -> None:
    events = 150_000 if short else 1_000_000
    with Cluster() as cluster, KafkaMarquee(cluster, partitions=4, loaders=0) as marquee:
        stage = Stage(marquee)
        stage.fill(events)
        throughput(stage, events, short)
        p99 = marquee_latency(stage, 20 if short else 300)
        engine = KafkaEngine(stage, Reading("latency", "live", "line", "RawBLOB", settings=", kafka_flush_interval_ms = 500"))
        engine_p99 = peer_latency(stage, engine, "live", 5 if short else 60, "Kafka engine")
        connect_p99 = None if short else peer_latency(stage, Connect(stage, "live-connect", "connect-latency"), "live-connect", 20, "Kafka Connect")
    figure("kafka_event_to_report_p99_ms", p99, "ms", "<=1000")
    figure("kafka_engine_event_to_report_p99_ms", engine_p99, "ms", "-")
    if connect_p99 is not None:
        figure("kafka_connect_event_to_report_p99_ms", connect_p99, "ms", "-")
