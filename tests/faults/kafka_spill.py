"""All brokers dead for a while, again and again, under load, and collectors with a spill killed meanwhile. Then: is everything
there exactly once, and in the order in which it was sent?

    python3 -m tests.faults.kafka_spill --outages 12 --seed 1

Each sender keeps to one collector, as a browser's connection does; order is what one collector keeps. The seed decides who dies
and when; it is printed, so that a run can be repeated.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from typing import Any

from tests.support.kafka import Cluster, KafkaMarquee, Role
from tests.support.ledger import Ledger, Writer, assert_exactly_once
from tests.support.marquee import Answer, wait_until
from tests.support.spill import OUT_OF_ORDER, add_collector, metric, post, waiting


class Loyal:
    """One collector as a Writer wants it."""

    def __init__(self, marquee: KafkaMarquee, collector: Role) -> None:
        self._marquee, self._collector = marquee, collector

    def post_events(self, events: list[dict[str, Any]], timeout: float = 30) -> Answer:
        return post(self._marquee, self._collector, json.dumps(events).encode(), timeout)


def outage(cluster: Cluster, marquee: KafkaMarquee, ledger: Ledger, draw: random.Random) -> int:
    """Kills every broker; how many events were acknowledged until they were started again."""
    for index in range(len(cluster.ports)):
        cluster.kill(index)
    before = ledger.total_acknowledged()
    for _ in range(draw.randrange(4)):
        time.sleep(draw.uniform(0.0, 2.0))  # the random moment itself, not a wait for a condition
        victim = draw.choice(marquee.collectors)
        victim.kill()
        victim.start()
    time.sleep(draw.uniform(0.0, 4.0))
    wait_until(lambda: ledger.total_acknowledged() >= before + 500, 60, "events to be acknowledged without brokers")
    for index in range(len(cluster.ports)):
        cluster.start(index)
    return ledger.total_acknowledged() - before


def run(outages: int, seed: int, brokers: int) -> dict[str, int]:
    draw = random.Random(seed)
    ledger = Ledger()
    during = drained = 0
    with Cluster(brokers) as cluster, KafkaMarquee(cluster, partitions=6, collectors=0, loaders=2, session="4s") as marquee:
        for _ in range(2):
            add_collector(marquee)
        writers = [Writer(Loyal(marquee, marquee.collectors[i % 2]), ledger, f"w{i}", seed * 1000 + i, days=3, pause=0.01) for i in range(4)]
        for writer in writers:
            writer.start()
        for number in range(1, outages + 1):
            time.sleep(draw.uniform(0.0, 3.0))
            during += outage(cluster, marquee, ledger, draw)
            if draw.random() < 0.7:  # else the next one comes while it is drained
                wait_until(lambda: all(waiting(c) == 0 for c in marquee.collectors), 120, "the spills to be drained", 0.2)
            if draw.random() < 0.5:
                victim = draw.choice(marquee.collectors)
                victim.kill()
                victim.start()
            failures = [w.failure for w in writers if w.failure]
            if failures:
                raise AssertionError(f"after {number} outages: {failures}")
            print(f"{number} outages, {ledger.total_acknowledged()} events acknowledged, {during} of them without brokers", flush=True)
        for writer in writers:
            writer.finish()
        wait_until(lambda: all(waiting(c) == 0 for c in marquee.collectors), 120, "the spills to be drained", 0.2)
        drained = int(sum(metric(c, "marquee_spill_drained_events_total") for c in marquee.collectors))
        assert_exactly_once(marquee, ledger, 180)
        astray = marquee.count(OUT_OF_ORDER)
        if astray:
            raise AssertionError(f"{astray} users' events of a session are out of order:\n{marquee.log_tail()}")
        print(f"answers: {ledger.answers}", flush=True)
    return {"outages": outages, "acknowledged": ledger.total_acknowledged(), "without_brokers": during, "drained_by_the_last": drained}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outages", type=int, default=12)
    parser.add_argument("--brokers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    arguments = parser.parse_args()
    print(f"faults with a spill: {arguments.outages} outages, seed {arguments.seed}", flush=True)
    total = run(arguments.outages, arguments.seed, arguments.brokers)
    print(f"faults with a spill: {total}: every acknowledged event is there exactly once and in order, and every rollup equals its recount")
    return 0


if __name__ == "__main__":
    sys.exit(main())
