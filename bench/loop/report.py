"""What runs of the closed loop say: tables, FIGURE lines, and a chart of regret."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

from bench.figures import figure
from bench.loop.world import BUCKETS_A_DAY, Run

# Two-sided 95 % quantiles of Student's t by degrees of freedom; beyond them the normal one.
STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)
COLOURS = {"random": "#888888", "best fixed": "#b07aa1", "popularity": "#f28e2b", "segment rules": "#edc948", "vw": "#4e79a7", "marquee": "#e15759",
           "oracle of visible features": "#76b7b2", "oracle": "#59a14f"}


def mean_and_interval(values: Sequence[float]) -> tuple[float, float]:
    """The mean, and half of the width of its 95 % interval over seeds; 0 of one."""
    count = len(values)
    mean = sum(values) / count
    if count < 2:
        return mean, 0
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (count - 1))
    return mean, (STUDENT[count - 2] if count - 2 < len(STUDENT) else 1.96) * deviation / math.sqrt(count)


def by_seed(runs: list[Run], environment: str, policy: str) -> dict[int, Run]:
    return {run.seed: run for run in runs if (run.environment, run.policy) == (environment, policy)}


def best_vowpal(runs: list[Run], environment: str) -> str | None:
    """The setting with the highest CTR in this environment, over the seeds that all settings have."""
    settings = sorted({run.policy for run in runs if run.environment == environment and run.policy.startswith("vw ")})
    if not settings:
        return None
    seeds = set.intersection(*(set(by_seed(runs, environment, one)) for one in settings))
    return max(settings, key=lambda one: sum(run.rate() for seed, run in by_seed(runs, environment, one).items() if seed in seeds))


def ratios(of: dict[int, Run], to: dict[int, Run], what: Callable[[Run], float]) -> list[float]:
    return [what(of[seed]) / what(to[seed]) for seed in sorted(of) if seed in to]


def told(values: Sequence[float], scale: float = 1, digits: int = 2) -> str:
    if not values:
        return ""
    mean, half = mean_and_interval(values)
    return f"{scale * mean:.{digits}f}" + (f" ± {scale * half:.{digits}f}" if len(values) > 1 else "")


def print_tables(runs: list[Run]) -> None:
    for environment in dict.fromkeys(run.environment for run in runs):
        print(f"\n{environment}\n\n| policy | seeds | clicks' CTR % | true CTR % | to random | last day, true % | last day, to the oracle | regret: clicks missed |")
        print("|---|---:|---:|---:|---:|---:|---:|---:|")
        uniform, oracle = by_seed(runs, environment, "random"), by_seed(runs, environment, "oracle")
        of_environment = [run for run in runs if run.environment == environment]
        for policy in sorted({run.policy for run in of_environment}, key=lambda one: sum(r.rate() for r in by_seed(runs, environment, one).values())
                             / len(by_seed(runs, environment, one))):
            mine = by_seed(runs, environment, policy)
            some = list(mine.values())
            print(f"| {policy} | {len(some)} | {told([run.total().clicks / run.total().shown for run in some], 100)} | {told([run.rate() for run in some], 100)} | "
                  f"{told(ratios(mine, uniform, Run.rate))} | {told([run.rate(1) for run in some], 100)} | "
                  f"{told(ratios(mine, oracle, lambda run: run.rate(1)))} | {told([run.total().best - run.total().chance for run in some], digits=0)} |")


def print_figures(runs: list[Run]) -> None:
    """The worst environment's ratios, means over seeds."""
    to_random, to_vowpal, to_oracle = {}, {}, {}
    for environment in dict.fromkeys(run.environment for run in runs):
        mine = by_seed(runs, environment, "marquee")
        vowpal = best_vowpal(runs, environment)
        for worst, other, what in ((to_random, "random", Run.rate), (to_vowpal, vowpal, Run.rate), (to_oracle, "oracle", lambda run: run.rate(1))):
            some = ratios(mine, by_seed(runs, environment, other or ""), what)
            if some:
                worst[environment] = mean_and_interval(some)[0]
    if "calibrated" in to_random:
        figure("ctr_vs_random_calibrated", to_random["calibrated"], "times", ">=2.5", 2)
    for name, worst, target in (("ctr_vs_random_min", to_random, "-"), ("ctr_vs_vw_min", to_vowpal, ">=1"), ("ctr_vs_oracle_min", to_oracle, ">=0.9")):
        if worst:
            figure(name, min(worst.values()), "times", target, 2)


# -- the chart: an environment a panel, cumulative regret over the week, the band over seeds --------------------------------
WIDTH, HEIGHT, LEFT, TOP, GAP = 300, 220, 55, 30, 75


def chart(runs: list[Run]) -> str:
    environments = list(dict.fromkeys(run.environment for run in runs))
    parts = []
    for number, environment in enumerate(environments):
        parts.append(f'<g transform="translate({LEFT + number * (WIDTH + GAP)},{TOP})">{panel(runs, environment)}</g>')
    names = [name for name in COLOURS if name != "oracle"]
    for number, name in enumerate(names):
        parts.append(f'<g transform="translate({LEFT + 200 * number},{TOP + HEIGHT + 50})"><rect width="14" height="4" y="-5" fill="{COLOURS[name]}"/>'
                     f'<text x="20">{"Vowpal Wabbit, best setting" if name == "vw" else name}</text></g>')
    width = LEFT + max(len(environments) * (WIDTH + GAP), 200 * len(names))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{TOP + HEIGHT + 70}" font-family="sans-serif" font-size="12">'
            f'<rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n')


def panel(runs: list[Run], environment: str) -> str:
    curves: dict[str, list[list[float]]] = {}
    for name in COLOURS:
        policy = best_vowpal(runs, environment) if name == "vw" else name
        curves[name] = [list(itertools.accumulate(b.best - b.chance for b in run.buckets)) for run in by_seed(runs, environment, policy or "").values()]
    highest = max((curve[-1] for some in curves.values() for curve in some), default=1)
    length = max((len(curve) for some in curves.values() for curve in some), default=1)

    def points(values: Sequence[float]) -> str:
        return " ".join(f"{WIDTH * (i + 1) / length:.1f},{HEIGHT * (1 - min(max(value, 0) / highest, 1)):.1f}" for i, value in enumerate(values))

    out = [f'<text x="{WIDTH / 2}" y="-10" text-anchor="middle">{environment}: clicks missed</text>',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#ccc"/>']
    for share in (0, 0.5, 1):
        out.append(f'<text x="-5" y="{HEIGHT * (1 - share) + 4:.0f}" text-anchor="end">{highest * share:.0f}</text>')
    out += [f'<text x="{WIDTH * (day + 0.5) * BUCKETS_A_DAY / length:.0f}" y="{HEIGHT + 15}" text-anchor="middle">{day + 1}</text>'
            for day in range(math.ceil(length / BUCKETS_A_DAY))]
    for name, some in curves.items():
        if not some:
            continue
        steps = [mean_and_interval(values) for values in zip(*some)]
        if len(some) > 1:
            band = points([mean + half for mean, half in steps]) + " " + " ".join(reversed(points([mean - half for mean, half in steps]).split()))
            out.append(f'<polygon points="{band}" fill="{COLOURS[name]}" opacity="0.2"/>')
        out.append(f'<polyline points="{points([mean for mean, _ in steps])}" fill="none" stroke="{COLOURS[name]}" stroke-width="1.5"/>')
    return "".join(out)
