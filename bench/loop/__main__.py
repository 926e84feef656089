"""bench/closed-loop: see there."""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import sys
import time

from bench.loop import baselines, report
from bench.loop.served import ENVIRONMENT, Served
from bench.loop.world import Bucket, Run, World, play
from tests.support.marquee import Marquee

ENVIRONMENTS = ("calibrated", "drifting", "many-new-ads", "position-heavy", "cold")
SIMPLE = {"random": baselines.Uniform, "popularity": baselines.Popularity, "segment rules": baselines.SegmentRules,
          "oracle": baselines.Oracle, "oracle of visible features": baselines.VisibleOracle}
POLICIES = (*SIMPLE, "best fixed", "marquee")


def run_of(environment: str, seed: int, policy: str, visits: int | None) -> Run:
    run = Run(environment, seed, policy)
    with World(environment, seed, visits) as world:
        if policy in SIMPLE:
            return play(world, SIMPLE[policy](world, seed), run)
        if policy == "best fixed":
            with World(environment, seed, visits) as before:
                seen = baselines.Watched(before, seed + 1)
                play(before, seen, Run(environment, seed, "before"))
            return play(world, baselines.BestFixed(world, seed, seen.rates), run)
        if policy == "marquee":
            with Marquee(ENVIRONMENT) as marquee:
                served = Served(world, marquee)
                served.put_campaigns()
                play(world, served, run)
                served.close()
            return run
        from bench.loop.vowpal import Vowpal  # Another Python has it.
        return play(world, Vowpal(world, seed, policy.removeprefix("vw ")), run)


def read(path: pathlib.Path) -> list[Run]:
    runs = []
    for line in path.read_text().splitlines() if path.exists() else []:
        fields = json.loads(line)
        runs.append(Run(fields["environment"], fields["seed"], fields["policy"], [Bucket(*bucket) for bucket in fields["buckets"]]))
    return runs


def write(path: pathlib.Path, run: Run) -> None:
    buckets = [[round(value, 4) for value in dataclasses.astuple(bucket)] for bucket in run.buckets]
    with path.open("a") as file:
        file.write(json.dumps({"environment": run.environment, "seed": run.seed, "policy": run.policy, "buckets": buckets}) + "\n")


def policies_of(names: list[str]) -> list[str]:
    if "vw" not in names:
        return names
    from bench.loop.vowpal import SETTINGS
    return [name for name in names if name != "vw"] + [f"vw {setting}" for setting in SETTINGS]


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench/closed-loop")
    parser.add_argument("--environments", nargs="+", default=ENVIRONMENTS, choices=ENVIRONMENTS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--policies", nargs="+", default=[*POLICIES, "vw"], metavar="NAME", help=f"of {', '.join(POLICIES)}, vw (all its settings), 'vw SETTING'")
    parser.add_argument("--visits", type=int, help="in the week, in place of the environment's own number")
    parser.add_argument("--results", type=pathlib.Path, default=pathlib.Path("build/closed-loop.jsonl"),
                        help="runs are added to it; those that it has are not made again")
    parser.add_argument("--chart", type=pathlib.Path, help="an SVG of regret to write")
    parser.add_argument("--only-report", action="store_true")
    arguments = parser.parse_args()
    known = {(run.environment, run.seed, run.policy) for run in read(arguments.results)}
    for environment in [] if arguments.only_report else arguments.environments:
        for seed in arguments.seeds:
            for policy in policies_of(list(arguments.policies)):
                if (environment, seed, policy) in known:
                    continue
                begin = time.monotonic()
                run = run_of(environment, seed, policy, arguments.visits)
                write(arguments.results, run)
                total = run.total()
                print(f"{environment} {seed} {policy}: {total.clicks} clicks of {total.shown}, CTR {100 * total.clicks / total.shown:.2f} %, "
                      f"true {100 * run.rate():.2f} %, last day {100 * run.rate(1):.2f} % ({time.monotonic() - begin:.0f} s)", flush=True)
    runs = read(arguments.results)
    report.print_tables(runs)
    report.print_figures(runs)
    if arguments.chart:
        arguments.chart.write_text(report.chart(runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
