"""bench/billion: see there."""

from __future__ import annotations

import argparse
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import Any

from bench import duck
from bench.figures import ROOT, figure
from bench.month import Month, Trouble
from bench.questions import REPORTS, Asked, Asker, Cost, Report, Took, budget_of, panel_queries
from tests.support.marquee import Marquee

@dataclass(frozen=True)
class Answered:
    body: Any
    took: Took
    sample_ms: float | None  # Until a sample of it was there.


Answers = dict[str, Answered]


def show(name: str, source: str, took: Took, cost: Cost, more: str) -> None:
    print(f"| {name} | {source} | {took.cold:.0f} | {took.median:.0f} | {took.p99:.0f} | {cost.rows:,} | {cost.megabytes:.1f} | {cost.memory:.0f} |{more}",
          flush=True)


JOURNEYS = "'journeys', 'search_sessions', 'journey_days'"
HEAD = "| {} | source | cold ms | warm p50 | p99 | rows read | MB read | MB memory |"


def from_the_events(asker: Asker, report: Report, expected: Any) -> float:
    """The median where only the events can answer, as the range begins a second later (nothing happens in that second)."""
    found: list[Asked] = []
    took = asker.again(lambda: _kept(found, asker.report(report.address(1))))
    if {one.source for one in found} != {"events"}:
        raise RuntimeError(f"{report.name} was answered from {found[0].source} where only the events can")
    if _without_head(found[0].body) != _without_head(expected):
        raise RuntimeError(f"{report.name}: the rollup and the events do not answer the same")
    return Took(0, took).median


def _without_head(body: Any) -> Any:
    return {key: value for key, value in body.items() if key not in ("from", "source")}


def _kept(found: list[Asked], asked: Asked) -> float:
    found.append(asked)
    return asked.milliseconds


def ask_reports(asker: Asker) -> Answers:
    print(HEAD.format("report") + " from the events, p50 | its estimate, p99 |\n|---|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    answers: Answers = {}
    for report in REPORTS:
        asker.forget()
        first = asker.report(report.address())
        took = Took(first.milliseconds, asker.again(lambda: asker.report(report.address()).milliseconds))
        cost = asker.cost(lambda: asker.report(report.address()))
        raw, sample = "", None
        if report.kind == "rollup":
            if first.source == "events":
                raise RuntimeError(f"{report.name} was answered from the events")
            raw = f"{from_the_events(asker, report, first.body):.0f}"
        if report.sampled is not None:
            sample = Took(0, asker.again(lambda: asker.first_answer(report.sampled_address(asker.events)))).p99
        show(report.name, first.source, took, cost, f" {raw} | {'' if sample is None else f'{sample:.0f}'} |")
        answers[report.name] = Answered(first.body, took, sample)
    return answers


def ask_panels(asker: Asker) -> dict[str, Took]:
    print(f"\n{HEAD.format('panel')}\n|---|---|---:|---:|---:|---:|---:|---:|")
    taken = {}
    for name, sql in panel_queries(asker.marquee).items():
        asker.forget()
        first = asker.sql(sql)
        took = Took(first.milliseconds, asker.again(lambda: asker.sql(sql).milliseconds))
        show(name, first.source, took, asker.cost(lambda: asker.sql(sql)), "")
        taken[name] = took
    return taken


def ask_duckdb(month: Month, answers: Answers) -> None:
    print(f"\n| the same of DuckDB, {duck.THREADS} threads, {duck.MEMORY} | cold ms | warm p50 | p99 | Marquee's p50 |\n|---|---:|---:|---:|---:|")
    for name, (rows, took) in duck.ask_all(month, list(duck.QUESTIONS)).items():
        ours = answers[name]
        duck.require_equal(name, ours.body, rows)
        print(f"| {name} | {took.cold:.0f} | {took.median:.0f} | {took.p99:.0f} | {ours.took.median:.0f} |", flush=True)


def bytes_of(marquee: Marquee, condition: str) -> int:
    return marquee.count(f"SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'marquee' AND {condition}")


def show_figures(answers: Answers, panels: dict[str, Took], per_event: float) -> None:
    kind = {report.name: report.kind for report in REPORTS}
    worst = {**{name: one.took.p99 for name, one in answers.items()}, **{name: took.p99 for name, took in panels.items()}}
    print(f"slowest: {', '.join(f'{name} ({worst[name]:.0f} ms)' for name in sorted(worst, key=worst.__getitem__, reverse=True)[:5])}")
    figure("rollup_p99_ms", Took(0, [one for name in answers if kind[name] == "rollup" for one in answers[name].took.warm]).p99, "ms", "<=100")
    figure("panel_max_ms", max(worst.values()), "ms", "<=1000")
    figure("adhoc_exact_max_ms", max(worst[name] for name in answers if kind[name] == "ad hoc"), "ms", "<=5000")
    figure("adhoc_sample_max_ms", max(one.sample_ms for one in answers.values() if one.sample_ms is not None), "ms", "<=1000")
    figure("funnel_exact_ms", answers["funnel search, impression, click"].took.median, "ms", "<=5000")
    figure("bytes_per_event", per_event, "bytes", "<=20", 1)


def run(month: Month, wants_answers: bool = True) -> None:
    with month.marquee() as marquee:
        month.make(marquee)
        print(f"{month.events:,} events of {marquee.count('SELECT uniq(user_key) FROM marquee.events'):,} users over "
              f"{marquee.count('SELECT uniq(toDate(event_time)) FROM marquee.events')} days", flush=True)
        of_events, of_journeys = (bytes_of(marquee, f"table IN ({tables})") / month.events for tables in ("'events'", JOURNEYS))
        of_rollups = bytes_of(marquee, f"table NOT IN ('events', {JOURNEYS})") / month.events
        per_event = of_events + of_journeys
        print(f"{of_events:.1f} bytes an event, {of_journeys:.1f} of journeys, and {of_rollups:.1f} of rollups")
        if not wants_answers:
            return
        size = duck.export(marquee, month)
        print(f"{size / month.events:.1f} bytes an event as Parquet (zstd; the columns that the questions need)\n")
        marquee.stop()
        os.sync()  # The kernel forgets only what it has written.
        marquee.start()
        asker = Asker(marquee, month.events)
        answers = ask_reports(asker)
        panels = ask_panels(asker)
    ask_duckdb(month, answers)
    show_figures(answers, panels, per_event)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench/billion")
    parser.add_argument("--events", type=int, default=1_000_000_000, help="how many (1,000,000,000)")
    parser.add_argument("--directory", type=pathlib.Path, help="where they are made and kept, for the next run to ask again; without it they are "
                                                               "made in a temporary directory and removed")
    parser.add_argument("--yes", action="store_true", help="begin without asking")
    parser.add_argument("--only-make", action="store_true", help="make the events, ask nothing of them")
    arguments = parser.parse_args()
    if arguments.events < 10_000:
        parser.error("--events: 10,000 at least")
    # A terminated run ends in order, as an interrupted one does: what landed is kept.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if arguments.directory:
        return begin(arguments)
    with tempfile.TemporaryDirectory(prefix="marquee-billion-", ignore_cleanup_errors=True) as directory:
        arguments.directory = pathlib.Path(directory, "month")
        return begin(arguments)


def begin(arguments: argparse.Namespace) -> int:
    month = Month(arguments.events, arguments.directory.resolve())
    try:
        month.claim()
        print(month.needs(), flush=True)
        if not arguments.yes and (not sys.stdin.isatty() or input("Begin? [y/N] ").strip().lower() != "y"):
            raise Trouble("not begun; --yes begins without asking")
        if not arguments.only_make:
            subprocess.run([str(ROOT / "tools/install-peers")], check=True)
        run(month, not arguments.only_make)
    except Trouble as trouble:
        print(f"bench/billion: {trouble}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
