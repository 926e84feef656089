"""A month of simulated events in a store. The loader itself makes it (libs/simulate, simulated_log.h), so that events come as real ones do, into the
same tables through the same views, each exactly once; a run that was killed is gone on with."""

from __future__ import annotations

import datetime
import functools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.figures import BUILD
from bench.pipelines import TABLES
from tests.support.host import Host
from tests.support.marquee import Marquee

DAYS = 30
BEGIN = datetime.datetime(2026, 1, 12, tzinfo=datetime.UTC)  # A Monday.
SITE = "campus"
EVENTS_PER_STUDENT = 400
# What is said before it begins; from what was measured (bench/README.md), on the safe side.
EVENTS_PER_SECOND = 150_000
BYTES_PER_EVENT = 30  # Events, rollups and journeys.
PARQUET_BYTES_PER_EVENT = 12
# Parts that are being merged exist twice, as do their results.
ROOM = 1.25
# What we start does not outlive us, however we end: who comes next finds nobody in the directory.
DIES_WITH_US = ("setpriv", "--pdeathsig", "TERM")


class Trouble(Exception):
    """What was wrong and what to do, for people."""


@dataclass(frozen=True)
class Month:
    events: int
    directory: pathlib.Path

    @property
    def students(self) -> int:
        return max(1_000, self.events // EVENTS_PER_STUDENT)

    def claim(self) -> None:
        """Makes the directory this month's, or finds that it is; Trouble where it is another's."""
        self.directory.mkdir(parents=True, exist_ok=True)
        file = self.directory / "month.json"
        mine = {"events": self.events, "days": DAYS, "begin": BEGIN.isoformat(), "students": self.students}
        if not file.exists():
            if any(self.directory.iterdir()):
                raise Trouble(f"{self.directory} holds something else; name a directory that is empty or missing")
            file.with_suffix(".new").write_text(json.dumps(mine))
            file.with_suffix(".new").rename(file)
        if (found := json.loads(file.read_text())) != mine:
            raise Trouble(f"{self.directory} holds a month of {found['events']:,} events; give --events {found['events']} or another directory")

    def landed(self) -> int:
        """Events of which an earlier run has confirmed that they landed."""
        return sum(int(file.read_text().split()[0]) for file in (self.directory / "log").glob("partition-?"))

    def needs(self) -> str:
        """What making it takes, for people; Trouble where the disk is too small."""
        left = self.events - self.landed()
        disk = int(left * (BYTES_PER_EVENT * ROOM + PARQUET_BYTES_PER_EVENT))
        free = shutil.disk_usage(self.directory).free
        text = (f"{left:,} events to make: about {_time(left / EVENTS_PER_SECOND)} at {EVENTS_PER_SECOND:,} a second (2 cores of their own), "
                f"{disk / 1e9:.1f} GB in {self.directory}, where {free / 1e9:.1f} GB are free")
        if disk > free:
            raise Trouble(text + "; that is not enough")
        return text

    def marquee(self) -> Marquee:
        return Marquee({"MARQUEE_JOURNEYS_REFRESH": "5s"}, data_dir=str(self.directory / "marquee"), host=Host(prefix=DIES_WITH_US))

    def make(self, marquee: Marquee) -> None:
        """Lands what has not landed, and merges. Trouble where what is in the store is not each event once."""
        environment = {**os.environ, "MARQUEE_STORE_URL": marquee.runtime["store_url"], "MARQUEE_STORE_USER": marquee.runtime["store_user"],
                       "MARQUEE_STORE_PASSWORD": marquee.runtime["store_password"]}
        command = [*DIES_WITH_US, str(BUILD / "bench/bench_fill"), str(self.events), str(DAYS), str(int(BEGIN.timestamp() * 1000)),
                   str(self.students), str(self.directory / "log")]
        bar = Bar("events", self.events, self.landed())
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as filler:
            assert filler.stdout is not None
            for line in filler.stdout:
                bar.show(int(line.split()[1]))
        bar.end()
        if filler.returncode != 0:
            raise Trouble(f"bench_fill ended with status {filler.returncode}; the same command goes on")
        self.check(marquee)
        merge(marquee)
        wait_for_journeys(marquee)

    def check(self, marquee: Marquee) -> None:
        """Offsets of each partition are 0, 1, 2 ..., each once: so many of them, with such a sum and such a last one."""
        rows = [[int(cell) for cell in row] for row in marquee.rows(
            "SELECT log_partition, count(), max(log_offset) + 1, sum(toUInt128(log_offset)) FROM marquee.events GROUP BY log_partition ORDER BY 1")]
        for partition, count, end, total in rows:
            if count != end or total != count * (count - 1) // 2:
                raise Trouble(f"partition {partition} of the events has {count:,} rows, the last one at {end - 1:,}: not each event is there once")
        if (count := sum(row[1] for row in rows)) != self.events:
            raise Trouble(f"{count:,} events are in the store, not {self.events:,}")


def wait_for_journeys(marquee: Marquee) -> None:
    """Until every day has journeys, which `marquee serve` makes by itself of days that are left alone."""
    days = marquee.count("SELECT uniqExact(_partition_id) FROM marquee.events")
    bar = Bar("days of journeys made", days, 0)
    while (made := marquee.count("SELECT uniqExact(day) FROM marquee.journey_days")) < days:
        bar.show(made)
        time.sleep(1)
    bar.show(days)
    bar.end()


def merge(marquee: Marquee) -> None:
    """Each day's parts into one, as the store does by itself with a day that was left alone for an hour."""
    # Parts with and without a projection do not merge.
    for table, name in list(marquee.rows("SELECT table, name FROM system.projections WHERE database = 'marquee'")):
        marquee.sql(f"ALTER TABLE marquee.{table} MATERIALIZE PROJECTION {name} SETTINGS mutations_sync = 2", timeout=7200)
    for table in TABLES:
        days = [day for day, in marquee.rows(f"SELECT partition_id FROM system.parts WHERE database = 'marquee' AND table = '{table}' AND active "
                                              "GROUP BY partition_id HAVING count() > 1 ORDER BY 1")]
        statements = [f"OPTIMIZE TABLE marquee.{table} PARTITION ID '{day}' FINAL" for day in days]
        bar = Bar(f"days of {table} merged", len(days), 0)
        # A merge is one thread's.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for number, _ in enumerate(pool.map(functools.partial(marquee.sql, timeout=7200), statements), 1):
                bar.show(number)
        bar.end()


class Bar:
    """On a terminal a line that is drawn over, else one every half minute and a last one."""

    def __init__(self, what: str, total: int, begin: int, now: Callable[[], float] = time.monotonic) -> None:
        self._what, self._total, self._begin, self._done = what, total, begin, begin
        self._now, self._is_terminal = now, sys.stdout.isatty()
        self._began = now()
        self._shown = self._began

    def show(self, done: int) -> None:
        self._done = done
        if not self._is_terminal and self._now() - self._shown < 30:
            return
        self._shown = self._now()
        rate = (done - self._begin) / max(self._now() - self._began, 0.001)
        share = done / max(self._total, 1)
        left = _time((self._total - done) / rate) if rate > 0 else "?"
        line = f"[{'#' * int(share * 30):<30}] {share:4.0%} {done:,} of {self._total:,} {self._what}, {rate:,.0f} a second, {left} left"
        print(f"\r\033[K{line}" if self._is_terminal else line, end="" if self._is_terminal else "\n", flush=True)

    def end(self) -> None:
        took = self._now() - self._began
        made = self._done - self._begin
        clear = "\r\033[K" if self._is_terminal else ""
        if made:
            print(f"{clear}{made:,} {self._what} in {_time(took)}" + (f", {made / took:,.0f} a second" if made > 1_000 else ""), flush=True)


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.1f} h"
