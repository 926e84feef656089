"""The same fault for all: kill -9 of whatever loads, twenty times at seeded moments while it loads the same events. Then: how many
rows of the events table and of a rollup are lost or doubled? Prints a Markdown table.

    make bench NAME=faults
    bench/run --short faults      three kills, Marquee and the Kafka engine alone
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.connect import Connect
from bench.pipelines import KafkaEngine, MarqueeLoader, Pipeline, Reading, Stage
from tests.support.kafka import Cluster, KafkaMarquee
from tests.support.marquee import BINARY, wait_until

SEED = 1
RATE = 5_000
SECONDS_A_KILL = 6.0
EVENTS_A_KILL = int(RATE * SECONDS_A_KILL)
# The counts of a rollup that the views fill, beside the same counts of the rows that were sent.
ROLLUP_KEY = "campaign_id, ad_id, slot_id, toStartOfMinute(event_time) AS time"
DELIVERY = "event_type IN ('impression', 'viewable_impression', 'hover', 'click', 'conversion') AND (campaign_id != '' OR ad_id != '' OR slot_id != '')"


@dataclass
class Loss:
    label: str
    killed: str
    kills: int
    lost: int
    doubled: int
    rollup_lost: int
    rollup_doubled: int

    def row(self) -> str:
        return (f"| {self.label} | {self.killed} | {self.kills} | {self.lost:,} | {self.doubled:,} | {self.rollup_lost:,} | "
                f"{self.rollup_doubled:,} |")


def count(stage: Stage, label: str, killed: str, kills: int, events: int) -> Loss:
    """Compares what is in the store with the rows that were sent (peer.rows)."""
    marquee = stage.marquee
    rows, distinct = next(marquee.rows("SELECT count(), uniqExact(session_id, seq) FROM marquee.events"))
    lost, doubled = next(marquee.rows(
        "SELECT sum(if(d < 0, -d, 0)), sum(if(d > 0, d, 0)) FROM (SELECT sum(n) AS d FROM ("
        "SELECT campaign_id, ad_id, slot_id, time, toInt64(events) AS n FROM marquee.campaign_minute UNION ALL "
        f"SELECT {ROLLUP_KEY}, toInt64(-1) AS n FROM peer.rows WHERE {DELIVERY}) GROUP BY campaign_id, ad_id, slot_id, time)"))
    return Loss(label, killed, kills, events - int(distinct), int(rows) - int(distinct), int(lost), int(doubled))


def landed(stage: Stage, counted: str = "count()") -> int:
    """Of the events table; -1 while the store is away."""
    try:
        return stage.marquee.count(f"SELECT {counted} FROM marquee.events")
    except (OSError, AssertionError):
        return -1


def wait_landed(stage: Stage, events: int) -> None:
    """Until all of them are there or, as a pipeline may have lost some, nothing more has come for longer than any session lasts."""
    last, since = -1, time.monotonic()

    def is_over() -> bool:
        nonlocal last, since
        now = landed(stage, "uniqExact(session_id, seq)")  # A pipeline that doubles some is not done when there are rows enough.
        if now != last:
            last, since = now, time.monotonic()
        rest = time.monotonic() - since
        return now >= 0 and rest >= (2 if now >= events else 60)

    wait_until(is_over, 600, "the pipeline to come to rest", 0.2)


def torture(stage: Stage, kills: int, send: Callable[[int], subprocess.Popen[str]], kill: Callable[[], None]) -> None:
    """Again and again: events are sent for some seconds, and at a random moment after the first of them have landed, a kill."""
    draw = random.Random(SEED)
    for number in range(kills):
        before = landed(stage)
        with send(number) as sending:
            wait_until(lambda: landed(stage) > before, 120, "events to land", 0.01)
            time.sleep(draw.uniform(0, SECONDS_A_KILL / 2))  # the random moment itself, not a wait for a condition
            kill()
            if sending.wait(120) != 0:
                raise RuntimeError("not all events were sent")
        wait_landed(stage, (number + 1) * EVENTS_A_KILL)


def kill_store(stage: Stage) -> None:
    """`marquee serve` starts it again."""
    wait_until(lambda: stage.marquee.signal_store(signal.SIGKILL), 60, "a store to kill")


def marquee_run(stage: Stage, kills: int, kills_store: bool) -> Loss:
    """Events through a collector; the rows of the last run are what the peers get."""
    marquee = stage.marquee
    loader = MarqueeLoader(stage, f"{marquee.topic}-loaders")
    stage.clear()
    loader.start()
    assert loader.role is not None
    role = loader.role
    turn = 0

    def send(number: int) -> subprocess.Popen[str]:
        return subprocess.Popen([BINARY, "simulate", "--rate", str(RATE), "--events", str(EVENTS_A_KILL), "--quiet",
                                 "--seed", str(SEED + number + (1000 if kills_store else 0)), "--url", marquee.collectors[0].url],
                                env=marquee.environment, stdout=subprocess.DEVNULL, text=True)

    def kill() -> None:
        nonlocal turn
        turn += 1
        if kills_store and turn % 2:
            kill_store(stage)
        else:
            role.kill()
            role.start(ready=False)

    torture(stage, kills, send, kill)
    stage.keep_rows()
    loss = count(stage, "**Marquee**", "store and loader in turn" if kills_store else "loader", kills, kills * EVENTS_A_KILL)
    loader.stop()
    return loss


def peer_run(stage: Stage, pipeline: Pipeline, killed: str, kill: Callable[[], None], kills: int, topic: str) -> Loss:
    stage.clear()

    def send(number: int) -> subprocess.Popen[str]:
        return stage.produce(topic, os.path.join(stage.marquee.data_dir, f"lines-{number}.json"), RATE)

    pipeline.start()
    try:
        torture(stage, kills, send, kill)
        return count(stage, pipeline.label, killed, kills, kills * EVENTS_A_KILL)
    finally:
        pipeline.stop()


def write_slices(stage: Stage, kills: int) -> None:
    """The kept rows as lines, in as many files as there are kills."""
    path = os.path.join(stage.marquee.data_dir, "lines.json")
    stage.write_lines(path)
    with open(path) as lines:
        for number in range(kills):
            with open(os.path.join(stage.marquee.data_dir, f"lines-{number}.json"), "w") as file:
                file.writelines(itertools.islice(lines, EVENTS_A_KILL))


def run(short: bool) -> None:
    kills = 3 if short else 20
    print(f"{kills} times {EVENTS_A_KILL:,} events at {RATE:,}/s and a kill, seed {SEED}", flush=True)
    losses = []
    with Cluster() as cluster, KafkaMarquee(cluster, partitions=4, loaders=0) as marquee:
        stage = Stage(marquee)

        def note(loss: Loss) -> None:
            losses.append(loss)
            print(loss.row(), flush=True)

        note(marquee_run(stage, kills, kills_store=False))
        note(marquee_run(stage, kills, kills_store=True))
        if any(loss.lost or loss.doubled or loss.rollup_lost or loss.rollup_doubled for loss in losses):
            raise RuntimeError("Marquee lost or doubled events")
        write_slices(stage, kills)
        engine = KafkaEngine(stage, Reading("flushed every 0.5 s", "engine", "line", "RawBLOB", settings=", kafka_flush_interval_ms = 500"))
        note(peer_run(stage, engine, "store, in which it runs", lambda: kill_store(stage), kills, "engine"))
        if not short:
            connect = Connect(stage, "connect", "connect-faults")

            def kill_worker() -> None:
                connect.kill()
                connect.start()

            note(peer_run(stage, connect, "worker", kill_worker, kills, "connect"))
    print("\n| loader | kill -9 of | kills | events lost | events doubled | rollup: lost | rollup: doubled |\n"
          "|---|---|---:|---:|---:|---:|---:|")
    for loss in losses:
        print(loss.row())
