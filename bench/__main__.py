"""bench/run: see there."""

from __future__ import annotations

import argparse
import functools
import subprocess
import sys

from bench import collector, decision, faults, kafka, latency, loader, soak, storage
from bench.figures import ROOT

BENCHES = {"collector": collector.run, "loader": loader.run, "latency": latency.run, "storage": storage.run, "kafka": kafka.run,
           "decision": decision.run}


def month(short: bool, arguments: list[str]) -> None:
    """bench/billion, which has more to choose from."""
    subprocess.run([ROOT / "bench/billion", *(["--yes", "--events", "1000000"] if short else arguments)], check=True)


def learning(short: bool) -> None:
    """bench/closed-loop: hours for all of it; what it has run before it keeps."""
    few = ["--environments", "calibrated", "--seeds", "1", "--visits", "6000", "--results", "build/closed-loop-short.jsonl"]
    subprocess.run([ROOT / "bench/closed-loop", *(few if short else [])], check=True)


# They take long: not of `all`.
BY_HAND = {"faults": faults.run, "soak": soak.run, "learning": learning, "analytics": functools.partial(month, arguments=["--yes", "--events", "20000000"]),
           "billion": functools.partial(month, arguments=[])}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench/run")
    parser.add_argument("--short", action="store_true", help="seconds instead of minutes; rough figures")
    parser.add_argument("--minutes", type=float, default=20, help="of the soak")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join([*BENCHES, *BY_HAND])}, all (which leaves out "
                                                                f"{' and '.join(BY_HAND)})")
    arguments = parser.parse_args()
    runs = {**BENCHES, **BY_HAND, "soak": functools.partial(soak.run, minutes=arguments.minutes)}
    names = [name for name in arguments.names if name != "all"] or list(BENCHES)
    for name in names:
        if name not in runs:
            parser.error(f"no benchmark is named {name}; there are {', '.join(runs)}")
    for name in names:
        print(f"== {name}", flush=True)
        runs[name](arguments.short)
    return 0


if __name__ == "__main__":
    sys.exit(main())
