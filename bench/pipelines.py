"""Ways from Kafka into the store: Marquee's loader, and ClickHouse's Kafka engine in the same engine. All on one broker, from
topics that hold the same events, into the same tables."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bench.figures import BUILD, cpu_seconds
from tests.support.kafka import KafkaMarquee, Role
from tests.support.marquee import BINARY, wait_until

PRODUCE = str(BUILD / "bench/bench_produce")
TABLES = ("events", "campaign_minute", "campaign_hour", "delivery_sums", "heatmap_cells", "user_days",
          "user_features")
PROPS = "if(props = '', '{}', props)::JSON(max_dynamic_paths = 128) AS props"


def unescaped(text: str) -> str:
    return text.replace("\\'", "'")


class Stage:
    """A store with Marquee's whole schema, and topics that hold the same events as each pipeline reads them."""

    def __init__(self, marquee: KafkaMarquee) -> None:
        self.marquee = marquee
        marquee.sql("CREATE DATABASE IF NOT EXISTS peer")
        self.columns = [(name, unescaped(kind)) for name, kind in marquee.rows(
            "SELECT name, type FROM system.columns WHERE database = 'marquee' AND table = 'events_in' ORDER BY position")]
        self.topics: dict[str, str] = {}

    # -- events ------------------------------------------------------------------------------------------------------
    def fill(self, events: int) -> None:
        """Simulated events, ten thousand to a second of their own time, through a collector into Marquee's topic."""
        path = os.path.join(self.marquee.data_dir, "events.ndjson")
        today = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime())
        self.marquee.run("simulate", "--events", str(events), "--rate", "10000", "--start", today, "--out", path, "--quiet")
        self.marquee.run("import", "events", "--site", "campus", "--url", self.marquee.collectors[0].url, "--no-wait", "--quiet", path)
        os.unlink(path)

    def keep_rows(self) -> int:
        """Keeps what has landed, as rows of what the views read: what the peers' topics are made of, and what their tables
        are compared with."""
        self.marquee.sql("DROP TABLE IF EXISTS peer.rows")
        self.marquee.sql("CREATE TABLE peer.rows ENGINE = MergeTree ORDER BY (log_partition, log_offset) AS "
                         "SELECT * REPLACE (if(toString(props) = '{}', '', toString(props)) AS props) FROM marquee.events", 600)
        # As an application would write them: a field that is not set is left out.
        kinds = ", ".join(f"{name} Nullable({kind.replace('LowCardinality(String)', 'String')})" for name, kind in self.columns)
        values = ", ".join(name if kind.startswith("Enum") else f"nullIf({name}, defaultValueOfArgumentType({name}))"
                           for name, kind in self.columns)
        self.marquee.sql(f"CREATE OR REPLACE VIEW peer.lines AS SELECT toJSONString(tuple({values})::Tuple({kinds})) AS line "
                         "FROM peer.rows ORDER BY log_offset, log_partition")
        return self.marquee.count("SELECT count() FROM peer.rows")

    def write_lines(self, path: str) -> None:
        """The rows as JSON, one a line."""
        with open(path, "w") as file:
            file.write(self.marquee.sql("SELECT line FROM peer.lines FORMAT TSVRaw SETTINGS "
                                        "output_format_json_skip_null_value_in_named_tuples = 1, "
                                        # A UInt64 as text: Connect's JSON has no number that is large enough.
                                        "output_format_json_quote_64bit_integers = 1", 600))

    def topic(self, name: str) -> str:
        """A topic of its own, with as many partitions as Marquee's."""
        if name not in self.topics:
            self.topics[name] = f"{self.marquee.topic}.{name}"
            subprocess.run([BINARY, "migrate", "up", "--topics-only"], check=True, stdout=subprocess.DEVNULL,
                           env={**self.marquee.environment, "MARQUEE_KAFKA_TOPIC": self.topics[name]})
        return self.topics[name]

    def fill_topic(self, name: str, source: str, columns: str, settings: str) -> None:
        """The engine is the producer: `source` is what it writes."""
        topic = self.topic(name)
        self.marquee.sql(f"CREATE TABLE peer.producer ({columns}) ENGINE = Kafka SETTINGS kafka_broker_list = "
                         f"'{self.marquee.cluster.bootstrap}', kafka_topic_list = '{topic}', kafka_group_name = 'none', {settings}")
        self.marquee.sql(f"INSERT INTO peer.producer {source}", 600)
        self.marquee.sql("DROP TABLE peer.producer SYNC")

    def produce(self, name: str, path: str, rate: int = 0) -> subprocess.Popen[str]:
        """Sends a file's lines as messages, in the background."""
        with open(path) as lines:
            return subprocess.Popen([PRODUCE, self.marquee.cluster.bootstrap, self.topic(name), str(rate)], stdin=lines,
                                    stdout=subprocess.PIPE, text=True)

    # -- tables ------------------------------------------------------------------------------------------------------
    def landed(self) -> int:
        return self.marquee.count("SELECT count() FROM marquee.events")

    def checksum(self, table: str) -> str:
        return self.marquee.sql(f"SELECT count(), sum(cityHash64(session_id, seq, event_time, event_type, user_key, page_path, ad_id, slot_x)) FROM {table}")

    def clear(self) -> None:
        for table in TABLES:
            self.marquee.sql(f"TRUNCATE TABLE marquee.{table}")

    def definitions(self, is_plain: bool) -> str:
        kinds = ((name, kind.replace("LowCardinality(String)", "String") if is_plain else kind) for name, kind in self.columns)
        return ", ".join(f"{name} {kind}" for name, kind in kinds)

    def extracted(self) -> str:
        """Columns out of a message that is kept whole: parsed a block at a time instead of a message at a time."""
        inner = self.definitions(is_plain=False).replace("'", "\\'")
        return (f"SELECT {', '.join(f'tupleElement(row, {chr(39)}{name}{chr(39)}) AS {name}' for name, _ in self.columns)} "
                f"FROM (SELECT JSONExtract(line, 'Tuple({inner})') AS row FROM peer.queue)")


class Pipeline(Protocol):
    """Carries a topic into the tables while it runs."""

    label: str

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def processes(self) -> Sequence[int]:
        """Those of its own, beside the store's."""
        ...


class MarqueeLoader:
    """One `marquee load` process. `group`: another reads the topic from its beginning."""

    def __init__(self, stage: Stage, group: str) -> None:
        self.label, self._marquee = "Marquee's loader", stage.marquee
        self._environment = {"MARQUEE_KAFKA_GROUP": group}
        self.role: Role | None = None

    def start(self) -> None:
        self.role = self._marquee.add("load", self._environment)
        self._marquee.loaders.append(self.role)

    def stop(self) -> None:
        assert self.role is not None
        self._marquee.loaders.remove(self.role)
        self.role.stop()

    def processes(self) -> Sequence[int]:
        return [self.role.process.pid] if self.role is not None and self.role.process is not None else []


class Fed:
    """A pipeline that is up already, so that its start is not counted, and whose topic is filled now."""

    def __init__(self, stage: Stage, pipeline: Pipeline, topic: str, path: str) -> None:
        self.label = pipeline.label
        self._stage, self._pipeline, self._topic, self._path = stage, pipeline, topic, path

    def start(self) -> None:
        self._producing = self._stage.produce(self._topic, self._path)

    def stop(self) -> None:
        self._producing.communicate()
        self._pipeline.stop()

    def processes(self) -> Sequence[int]:
        return self._pipeline.processes()


@dataclass(frozen=True)
class Reading:
    """How the Kafka engine is told to read."""

    label: str
    topic: str
    columns: str  # typed: as the target has them; plain: without LowCardinality; line: the message as one text
    format: str = "JSONEachRow"
    target: str = "marquee.events_in"
    settings: str = ""


class KafkaEngine:
    """ENGINE = Kafka with a materialized view into Marquee's tables; runs in the store."""

    def __init__(self, stage: Stage, reading: Reading) -> None:
        self.label, self._stage, self._reading = f"Kafka engine, {reading.label}", stage, reading

    def start(self) -> None:
        reading, marquee = self._reading, self._stage.marquee
        columns = "line String" if reading.columns == "line" else self._stage.definitions(reading.columns == "plain")
        marquee.sql(f"CREATE TABLE peer.queue ({columns}) ENGINE = Kafka SETTINGS kafka_broker_list = '{marquee.cluster.bootstrap}', "
                    f"kafka_topic_list = '{self._stage.topic(reading.topic)}', kafka_group_name = 'peer-{time.time_ns()}', "
                    f"kafka_format = '{reading.format}'{reading.settings}")
        select = self._stage.extracted() if reading.columns == "line" else "SELECT * FROM peer.queue"
        if reading.target == "marquee.events":
            select = f"SELECT * REPLACE ({PROPS}) FROM ({select})"
        marquee.sql(f"CREATE MATERIALIZED VIEW peer.queue_mv TO {reading.target} AS {select}")

    def stop(self) -> None:
        self._stage.marquee.sql("DROP TABLE peer.queue_mv SYNC")
        self._stage.marquee.sql("DROP TABLE peer.queue SYNC")

    def processes(self) -> Sequence[int]:
        return []


@dataclass
class Cost:
    """What landing `rows` took, in CPU seconds."""

    label: str
    rows: int
    wall: float
    own: float
    store: float
    broker: float
    parts: int
    merging: float = 0

    @property
    def per_cpu_second(self) -> float:
        """The store's share included, the broker's not."""
        return self.rows / (self.own + self.store)

    @property
    def per_cpu_second_merged(self) -> float:
        return self.rows / (self.own + self.store + self.merging)


def measure(stage: Stage, pipeline: Pipeline, rows: int, timeout: float = 600) -> Cost:
    """Lands the topic that `pipeline` reads into empty tables. Merges wait until all is landed and are then counted by
    themselves: when they happen to run is chance, and what they do is the same for all."""
    marquee = stage.marquee
    store, broker = marquee.store_pid(), marquee.cluster.processes[0]
    assert store is not None and broker is not None
    stage.clear()
    marquee.sql("SYSTEM STOP MERGES")
    own_before = sum(cpu_seconds(pid) for pid in pipeline.processes())
    began, store_before, broker_before = time.monotonic(), cpu_seconds(store), cpu_seconds(broker.pid)
    pipeline.start()
    try:
        wait_until(lambda: stage.landed() >= rows, timeout, f"{rows} rows of {pipeline.label}", 0.1)
        wall = time.monotonic() - began
        cost = Cost(pipeline.label, rows, wall, sum(cpu_seconds(pid) for pid in pipeline.processes()) - own_before,
                    cpu_seconds(store) - store_before, cpu_seconds(broker.pid) - broker_before,
                    marquee.count("SELECT count() FROM system.parts WHERE active AND database = 'marquee' AND table = 'events'"))
    finally:
        pipeline.stop()
        marquee.sql("SYSTEM START MERGES")
    if stage.landed() != rows:
        raise RuntimeError(f"{pipeline.label} landed {stage.landed()} rows of {rows}")
    if not isinstance(pipeline, MarqueeLoader) and stage.checksum("marquee.events") != stage.checksum("peer.rows"):
        raise RuntimeError(f"{pipeline.label} landed other rows than were sent")
    before = cpu_seconds(store)
    for table in TABLES:
        marquee.sql(f"OPTIMIZE TABLE marquee.{table} FINAL SETTINGS optimize_skip_merged_partitions = 1", 600)
    cost.merging = cpu_seconds(store) - before
    print(f"{cost.label:<58} {cost.per_cpu_second:>9,.0f} rows per CPU second ({cost.own:.2f} s own, {cost.store:.2f} s store, "
          f"{cost.broker:.2f} s broker; {cost.wall:.1f} s wall; {cost.parts} parts); with all merged {cost.per_cpu_second_merged:,.0f}",
          flush=True)
    return cost
