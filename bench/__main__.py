"""bench/run: see there."""

from __future__ import annotations

import argparse
import sys

from bench import collector, latency, loader, storage

BENCHES = {"collector": collector.run, "loader": loader.run, "latency": latency.run, "storage": storage.run}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench/run")
    parser.add_argument("--short", action="store_true", help="seconds instead of minutes; rough figures")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}, all")
    arguments = parser.parse_args()
    names = [name for name in arguments.names if name != "all"] or list(BENCHES)
    for name in names:
        if name not in BENCHES:
            parser.error(f"no benchmark is named {name}; there are {', '.join(BENCHES)}")
    for name in names:
        print(f"== {name}", flush=True)
        BENCHES[name](arguments.short)
    return 0


if __name__ == "__main__":
    sys.exit(main())
