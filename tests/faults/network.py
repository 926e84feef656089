"""Every part on a host of its own in a network that exists only for this, whose links are cut and slowed under load, in both
directions or one, shorter and longer than a session. After each cut has healed every partition lands again; in the end: is
everything there exactly once?

    python3 -m tests.faults.network --cuts 30 --seed 1

Needs root (network namespaces). The seed decides what is cut and for how long.
"""

from __future__ import annotations

import argparse
import collections
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

from tests.support.kafka import Cluster, KafkaMarquee
from tests.support.ledger import Ledger, Writer, assert_exactly_once
from tests.support.marquee import BINARY, wait_until
from tests.support.network import Network, enter, why_impossible
from tests.support.ports import free_port

SESSION_SECONDS = 2.0
BROKERS = ["broker1", "broker2", "broker3"]
COLLECTORS = ["collector1", "collector2"]
LOADERS = ["loader1", "loader2"]
# Brokers that notice each other's absence within the cuts' lengths.
PROPERTIES = {"replica.lag.time.max.ms": "2000", "broker.session.timeout.ms": "3000", "broker.heartbeat.interval.ms": "500"}


class Store:
    """marquee-store on a host of its own, apart from `marquee serve`. A context manager."""

    def __init__(self, network: Network) -> None:
        host = network.hosts["store"]
        self._directory = tempfile.TemporaryDirectory(prefix="marquee-test-store-")
        port = free_port()
        self.environment = {"MARQUEE_STORE_URL": f"http://{host.address}:{port}", "MARQUEE_STORE_PASSWORD": "apart"}
        self._log = os.path.join(self._directory.name, "store.log")
        self._command = [*host.prefix, BINARY + "-store", "--data", os.path.join(self._directory.name, "data"), "--listen", host.address,
                         "--port", str(port)]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Store:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("MARQUEE_") or k in ("MARQUEE_CACHE", "MARQUEE_ENGINE")}
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(self._command, env={**kept, **self.environment}, stdout=log, stderr=log)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        assert self._process is not None
        if kind is not None:
            print(pathlib.Path(self._log).read_text(errors="replace")[-3000:])
        self._process.terminate()
        self._process.wait(30)
        self._directory.cleanup()


class Cuts:
    """What can be cut: pairs of hosts. Counts what was done by kind of pair and by how."""

    def __init__(self, network: Network, draw: random.Random, is_apart: bool) -> None:
        self._network, self._draw = network, draw
        self._pairs = [("loader", "store", [(a, "store") for a in LOADERS]),
                       ("loader", "broker", [(a, b) for a in LOADERS for b in BROKERS]),
                       ("collector", "broker", [(a, b) for a in COLLECTORS for b in BROKERS]),
                       ("broker", "broker", [(a, b) for a in BROKERS for b in BROKERS if a < b]),
                       ("client", "collector", [("test", b) for b in COLLECTORS])]
        if is_apart:
            self._pairs.append(("serve", "store", [("serve", "store")]))
        self._next: list[tuple[str, str, list[tuple[str, str]]]] = []
        self.done: collections.Counter[str] = collections.Counter()

    def cut(self) -> str:
        """Cuts or slows something; says what."""
        if not self._next:  # Each kind of pair in turn, in an order of the seed's.
            self._next = self._draw.sample(self._pairs, len(self._pairs))
        left, right, pairs = self._next.pop()
        a, b = self._draw.choice(pairs)
        how = self._draw.choice(["both ways", "both ways", "one way", "one way", "lossy", "slow", "alone"])
        if how == "both ways":
            self._network.drop(a, b)
            self._network.drop(b, a)
        elif how == "one way":
            self._network.drop(*self._draw.choice([(a, b), (b, a)]))
        elif how == "lossy":
            self._network.drop(a, b, 20)
            self._network.drop(b, a, 20)
        elif how == "slow":
            self._network.slow(b, "2mbit")
        else:  # from everybody but the test itself
            for other in self._network.hosts:
                if other not in (b, "test"):
                    self._network.drop(other, b)
                    self._network.drop(b, other)
        self.done[f"{left}-{right}"] += 1
        self.done[how] += 1
        return f"{a} and {b}: {how}"

    def seconds(self) -> float:
        if self._draw.random() < 0.5:
            return self._draw.uniform(0.2, SESSION_SECONDS)
        return self._draw.uniform(SESSION_SECONDS, 3 * SESSION_SECONDS)


def landed(marquee: KafkaMarquee) -> dict[str, int]:
    """The highest offset that has landed, by partition."""
    return {p: int(offset) for p, offset in marquee.rows("SELECT log_partition, max(log_offset) FROM marquee.events GROUP BY log_partition")}


def run(cuts: int, seed: int, is_apart: bool) -> dict[str, int]:
    draw = random.Random(seed)
    network = Network(*BROKERS, *COLLECTORS, *LOADERS, "store", "serve")
    if not is_apart:
        with Cluster(3, [network.hosts[b] for b in BROKERS], PROPERTIES) as cluster:
            return run_on(cluster, network, {}, "store", cuts, seed, draw)
    with Cluster(3, [network.hosts[b] for b in BROKERS], PROPERTIES) as cluster, Store(network) as store:
        return run_on(cluster, network, store.environment, "serve", cuts, seed, draw)


def run_on(cluster: Cluster, network: Network, environment: dict[str, str], serve: str, cuts: int, seed: int,
           draw: random.Random) -> dict[str, int]:
    ledger = Ledger()
    settings = {"MARQUEE_STORE_LOST_AFTER": "2s", "MARQUEE_KAFKA_ACKNOWLEDGE": "5s", **environment}
    with KafkaMarquee(cluster, settings, partitions=6, collectors=0, loaders=0, session=f"{SESSION_SECONDS:.0f}s",
                      host=network.hosts[serve]) as marquee:
        marquee.collectors = [marquee.add("collect", host=network.hosts[name]) for name in COLLECTORS]
        marquee.loaders = [marquee.add("load", host=network.hosts[name]) for name in LOADERS]
        writers = [Writer(marquee, ledger, f"n{i}", seed * 1000 + i, days=2) for i in range(2)]
        for writer in writers:
            writer.start()
        wait_until(lambda: len(landed(marquee)) == 6, 60, "every partition to land events")
        happening = Cuts(network, draw, serve != "store")
        for number in range(1, cuts + 1):
            seconds = happening.seconds()
            what = happening.cut()
            time.sleep(seconds)
            network.heal()
            failures = [w.failure for w in writers if w.failure]
            if failures:
                raise AssertionError(f"after {number} cuts: {failures}")
            began = time.monotonic()
            before = landed(marquee)
            wait_until(lambda: all(offset > before[p] for p, offset in landed(marquee).items()), 90,
                       f"every partition to land events again after a cut between {what}, {seconds:.1f} s", 0.1)
            print(f"{number}. {what}, {seconds:.1f} s; all well {time.monotonic() - began:.1f} s after, "
                  f"{ledger.total_acknowledged()} events acknowledged", flush=True)
        for writer in writers:
            writer.finish()
        assert_exactly_once(marquee, ledger, 120)
        print(f"answers: {ledger.answers}", flush=True)
    return {**happening.done, "acknowledged": ledger.total_acknowledged()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=30)
    parser.add_argument("--apart", action="store_true", help="marquee serve and its store on two hosts")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    arguments = parser.parse_args()
    if impossible := why_impossible():
        print(f"network cuts are skipped: {impossible}")
        return 0
    enter("tests.faults.network")
    print(f"network: {arguments.cuts} cuts, seed {arguments.seed}", flush=True)
    began = time.monotonic()
    total = run(arguments.cuts, arguments.seed, arguments.apart)
    print(f"network: {total} in {time.monotonic() - began:.0f} s: every acknowledged event is there exactly once, and every rollup "
          "equals its recount")
    return 0


if __name__ == "__main__":
    sys.exit(main())
