"""Faults on Kafka under load, at random moments: kill -9 of loaders, collectors, the store and a broker, loaders that join and
leave, loaders that sleep beyond their session and wake, tables that are damaged and history that is read again, killed or not. Then:
is everything there exactly once?

    python3 -m tests.faults.kafka --faults 290 --seed 1

The seed decides what happens and when; it is printed, so that a run can be repeated.
"""

from __future__ import annotations

import argparse
import collections
import random
import signal
import sys
import time
from collections.abc import Callable

from tests.support.kafka import Cluster, KafkaMarquee, Role
from tests.support.ledger import Ledger, Writer, assert_exactly_once
from tests.support.marquee import wait_until
from tests.support.rewind import Rewinds

SESSION_SECONDS = 2.0
FULL_RUN = 290          # Faults of the run that counts,
FULL_RUN_KILLS = 200    # and how many of them must be loaders killed.


class Faults:
    """What can happen, each as a method that gives the number of faults that it was; `weights` says how many in a hundred faults."""

    weights = {"kill_loader": 72, "kill_collector": 6, "kill_store": 7, "kill_broker": 2, "join": 4, "leave": 3, "sleep": 4,
               "rewind": 2}

    def __init__(self, cluster: Cluster, marquee: KafkaMarquee, draw: random.Random, faults: int) -> None:
        self._cluster, self._marquee, self._draw = cluster, marquee, draw
        self._names = 0
        # Of each kind its share and never less, in an order of the seed's.
        shares = {name: max(1, round(faults * weight / sum(self.weights.values()))) for name, weight in self.weights.items()}
        shares["kill_loader"] += max(0, faults - sum(shares.values()))
        self._left = collections.Counter(shares)
        self.done: collections.Counter[str] = collections.Counter()
        self.seconds: collections.Counter[str] = collections.Counter()
        self.fenced = 0
        self.rewinds = Rewinds(marquee, draw)

    def total(self) -> int:
        return sum(self.done.values())

    def next(self) -> bool:
        """One of what is left. False when nothing is."""
        name = self._draw.choice(sorted(self._left.elements())) if self._left.total() > 0 else ""
        if not name:
            return False
        self._start_again_who_was_fenced()
        began = time.monotonic()
        happen: Callable[[int], int] = getattr(self, name)
        count = happen(self._left[name])
        self._left[name] -= count
        self._left += collections.Counter()  # drops what is used up
        self.done[name] += count
        if self._draw.random() < 0.15:
            self._wait_until_all_is_well()
        else:
            time.sleep(self._draw.uniform(0.0, 0.5))  # the random moment itself: often before the last fault is mended
        self.seconds[name] += round(time.monotonic() - began, 3)
        return True

    def _start_again_who_was_fenced(self) -> None:
        """As whoever runs it would: a coordinator that takes over may know only the former self of a loader that was started again,
        and shuts it out (KIP-345). No loader ends by itself for another reason."""
        for loader in self._marquee.loaders:
            assert loader.process is not None
            if loader.process.poll() is None:
                continue
            if loader.process.returncode != 1 or "has joined the group under this one's name" not in loader.log_tail(3):
                raise AssertionError(f"a loader ended by itself with {loader.process.returncode}:\n{loader.log_tail()}")
            self.fenced += 1
            loader.start(ready=False)

    def _wait_until_all_is_well(self) -> None:
        """Every partition lands events again."""
        before = self._landed()
        wait_until(lambda: len(now := self._landed()) == 6 and all(now[p] > before.get(p, -1) for p in now), 180,
                   f"every partition to land more than {before}", 0.1)

    def _landed(self) -> dict[str, int]:
        """The highest offset that has landed, by partition."""
        try:
            return {p: int(offset) for p, offset in self._marquee.rows(
                "SELECT log_partition, max(log_offset) FROM marquee.events GROUP BY log_partition")}
        except OSError:
            return {}

    def kill_loader(self, at_most: int) -> int:
        """One, or several at once."""
        loaders = self._draw.sample(self._marquee.loaders, min(self._draw.choice([1, 1, 2, 3]), len(self._marquee.loaders), at_most))
        for loader in loaders:
            loader.kill()
        for loader in loaders:
            loader.spawn()
        for loader in loaders:
            loader.wait_listening()
        return len(loaders)

    def kill_collector(self, _: int) -> int:
        collector = self._draw.choice(self._marquee.collectors)
        collector.kill()
        collector.start()
        return 1

    def kill_store(self, _: int) -> int:
        try:
            wait_until(lambda: self._marquee.signal_store(signal.SIGKILL), 60, "a store to kill")
        except AssertionError as e:
            assert self._marquee.process is not None
            raise AssertionError(f"{e}; marquee serve ended with {self._marquee.process.poll()}:\n{self._marquee.log_tail()}") from None
        return 1

    def kill_broker(self, _: int) -> int:
        index = self._draw.randrange(len(self._cluster.ports))
        self._cluster.kill(index)
        time.sleep(self._draw.uniform(0.5, 4))
        self._cluster.start(index)
        # One at a time: of three replicas two must be in sync.
        wait_until(self._cluster.is_in_sync, 90, "the broker's replicas to be in sync again", 0.1)
        return 1

    def join(self, _: int) -> int:
        if len(self._marquee.loaders) == 5:
            self.leave(1)
        self._marquee.loaders.append(self._new_loader())
        return 1

    def leave(self, _: int) -> int:
        if len(self._marquee.loaders) == 1:
            self.join(1)
        loader = self._marquee.loaders.pop(self._draw.randrange(len(self._marquee.loaders)))
        status = loader.stop()
        if status != 0:
            raise AssertionError(f"a loader that was asked to leave ended with {status}:\n{loader.log_tail()}")
        return 1

    def sleep(self, _: int) -> int:
        loader = self._draw.choice(self._marquee.loaders)
        loader.signal(signal.SIGSTOP)
        time.sleep(self._draw.uniform(0.5, 2.5 * SESSION_SECONDS))
        loader.signal(signal.SIGCONT)
        return 1

    def rewind(self, _: int) -> int:
        self.rewinds.happen()
        return 1

    def _new_loader(self) -> Role:
        """Half of them have a lasting name, and keep their partitions over a restart."""
        self._names += 1
        name = {"MARQUEE_KAFKA_INSTANCE": f"loader-{self._names}"}
        return self._marquee.add_unready("load", name if self._draw.random() < 0.5 else {})


def run(faults: int, seed: int, brokers: int) -> dict[str, int]:
    draw = random.Random(seed)
    ledger = Ledger()
    with Cluster(brokers) as cluster, KafkaMarquee(cluster, partitions=6, collectors=2, loaders=3,
                                                   session=f"{SESSION_SECONDS:.0f}s") as marquee:
        happening = Faults(cluster, marquee, draw, faults)
        writers = [Writer(marquee, ledger, f"w{i}", seed * 1000 + i, days=3, pause=0.05) for i in range(3)]
        for writer in writers:
            writer.start()
        told = 0
        while happening.next():
            failures = [w.failure for w in writers if w.failure]
            if failures:
                raise AssertionError(f"after {happening.total()} faults: {failures}")
            if happening.total() >= told + 25:
                told = happening.total()
                print(f"{told} faults, {ledger.total_acknowledged()} events acknowledged, {dict(happening.done)}", flush=True)
        for writer in writers:
            writer.finish()
        happening.rewinds.finish()
        assert_exactly_once(marquee, ledger, 180)
        print(f"answers: {ledger.answers}\nfenced: {happening.fenced}\nrewinds: {happening.rewinds.ended} ended, {happening.rewinds.killed} killed, "
              f"{happening.rewinds.gave_up} gave up\nseconds: {dict(happening.seconds)}", flush=True)
    if ledger.total_acknowledged() < faults * 20:
        raise AssertionError(f"only {ledger.total_acknowledged()} events were acknowledged: the load was not real")
    if faults >= FULL_RUN and happening.done["kill_loader"] < FULL_RUN_KILLS:
        raise AssertionError(f"only {happening.done['kill_loader']} loaders were killed, {FULL_RUN_KILLS} are wanted")
    return {**happening.done, "acknowledged": ledger.total_acknowledged()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=FULL_RUN)
    parser.add_argument("--brokers", type=int, default=3)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    arguments = parser.parse_args()
    print(f"faults on Kafka: {arguments.faults} with {arguments.brokers} brokers, seed {arguments.seed}", flush=True)
    began = time.monotonic()
    total = run(arguments.faults, arguments.seed, arguments.brokers)
    print(f"faults on Kafka: {total} in {time.monotonic() - began:.0f} s: every acknowledged event is there exactly once, and every "
          "rollup equals its recount")
    return 0


if __name__ == "__main__":
    sys.exit(main())
