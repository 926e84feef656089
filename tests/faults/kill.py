"""kill -9 of marquee, of its store, and of both, at random moments under load; then: is everything there exactly once?

    python3 -m tests.faults.kill --kills 300 --seed 1

The seed decides who is killed and when; it is printed, so that a run can be repeated.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import time

from tests.support.ledger import Ledger, Writer, assert_exactly_once
from tests.support.marquee import Marquee


def kill_one(marquee: Marquee, victim: str) -> None:
    if victim == "store":
        marquee.signal_store(signal.SIGKILL)
        return
    if victim == "both":
        marquee.signal_store(signal.SIGKILL)
    marquee.kill()
    marquee.start(ready=False)


def run(kills: int, seed: int, check_every: int) -> dict[str, int]:
    draw = random.Random(seed)
    done: dict[str, int] = {"marquee": 0, "store": 0, "both": 0}
    ledger = Ledger()
    with Marquee({"MARQUEE_LOG_PARTITIONS": "2", "MARQUEE_LOADER_LINGER": "20ms"}) as marquee:
        writers = [Writer(marquee, ledger, f"w{i}", seed * 1000 + i, days=3) for i in range(3)]
        for writer in writers:
            writer.start()
        for number in range(1, kills + 1):
            time.sleep(draw.uniform(0.0, 1.6))  # the random moment itself, not a wait for a condition
            victim = draw.choice(list(done))
            kill_one(marquee, victim)
            done[victim] += 1
            failures = [w.failure for w in writers if w.failure]
            if failures:
                raise AssertionError(f"after {number} kills: {failures}")
            if number % check_every == 0 and number < kills:
                print(f"{number} kills, {ledger.total_acknowledged()} events acknowledged", flush=True)
        marquee.wait_ready()
        for writer in writers:
            writer.finish()
        assert_exactly_once(marquee, ledger)
        print(f"answers: {ledger.answers}", flush=True)
    if ledger.total_acknowledged() < kills * 20:
        raise AssertionError(f"only {ledger.total_acknowledged()} events were acknowledged: the load was not real")
    done["acknowledged"] = ledger.total_acknowledged()
    return done


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=0, help="fresh Marquees to spread the kills over (default: one per 50 kills)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    arguments = parser.parse_args()
    rounds = arguments.rounds or max(1, arguments.kills // 50)
    print(f"faults: {arguments.kills} kills in {rounds} rounds, seed {arguments.seed}", flush=True)
    total: dict[str, int] = {}
    for number in range(rounds):
        kills = arguments.kills // rounds + (1 if number < arguments.kills % rounds else 0)
        for name, value in run(kills, arguments.seed + number, 25).items():
            total[name] = total.get(name, 0) + value
    print(f"faults: {total}: every acknowledged event is there exactly once, and every rollup equals its recount")
    return 0


if __name__ == "__main__":
    sys.exit(main())
