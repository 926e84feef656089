"""What bench/billion and `bench/run analytics` ask, and how: the reports over the HTTP API as the console asks them, the dashboards' SQL of the store."""

from __future__ import annotations

import base64
import datetime
import http.client
import json
import math
import os
import pathlib
import re
import statistics
import threading
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.month import BEGIN, SITE
from tests.support import panels
from tests.support.marquee import Marquee, request

ESTIMATED_FROM = 31_000_000  # Events, from which on an estimate comes by itself (libs/api, progressive_answers.cpp).
SPAN_DAYS = 35  # Whole weeks, and more than all of the month.
MOST, LEAST = 20, 3
PATIENCE = 900


@dataclass(frozen=True)
class Report:
    name: str
    path: str
    kind: str  # rollup: the events can answer it too, which is measured beside it; ad hoc: asked as it is
    parameters: dict[str, str]
    sampled: tuple[str, dict[str, str]] | None = None  # The same as a report of which an estimate can come first.

    def address(self, offset_seconds: int = 0) -> str:
        return self._address(self.path, self.parameters, offset_seconds)

    def sampled_address(self, events: int) -> str:
        """Of few events the share is told, as an estimate would not come by itself."""
        assert self.sampled is not None
        path, parameters = self.sampled
        return self._address(f"{path}/stream", parameters if events > ESTIMATED_FROM else {**parameters, "sample": "0.1"}, 0)

    def _address(self, path: str, parameters: dict[str, str], offset_seconds: int) -> str:
        begin = (BEGIN + datetime.timedelta(seconds=offset_seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
        end = (BEGIN + datetime.timedelta(days=SPAN_DAYS)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"/v1/reports/{path}?" + urllib.parse.urlencode({"site": SITE, "from": begin, "to": end, **parameters})


def _ctr(by: str) -> dict[str, str]:
    return {"metrics": "ctr,impressions,clicks", "by": by}


_TOTALS = {"metrics": "impressions,viewability,ctr,viewable_ctr,conversion_rate,spend,ecpm,reach,frequency,dwell"}
_REACH = {"metrics": "reach,frequency", "by": "college_id"}
_PAGE = {"mode": "page", "page": "home"}
_STEPS = {"steps": "search,impression,click"}

REPORTS = [
    Report("CTR by campaign", "ctr", "rollup", {"by": "campaign_id"}),
    Report("CTR by college and campaign", "ctr", "rollup", {"by": "college_id,campaign_id", "limit": "10000"}),
    Report("CTR by day and slot", "ctr", "rollup", {"by": "day,slot_id", "limit": "10000"}),
    Report("CTR of one college by ad", "ctr", "rollup", {"by": "ad_id", "filter": "college_id=indore-science"}),
    Report("campaigns by day", "campaigns", "rollup", {"interval": "day"}),
    Report("campaigns by hour", "campaigns", "rollup", {"interval": "hour"}),
    Report("heatmap of positions", "heatmap", "rollup", {}),
    Report("heatmap of a slot's cells", "heatmap", "rollup", {"mode": "cells", "slot": "home-top"}),
    Report("totals of ten metrics", "metrics", "ad hoc", _TOTALS, ("metrics", _TOTALS)),
    Report("CTR by program and year", "ctr", "rollup", {"by": "program,year_of_study"}),
    Report("CTR by device and layout", "ctr", "ad hoc", {"by": "device,layout"}, ("metrics", _ctr("device,layout"))),
    Report("reach by college", "metrics", "ad hoc", _REACH, ("metrics", _REACH)),
    Report("heatmap of a page", "heatmap", "ad hoc", _PAGE, ("heatmap", _PAGE)),
    Report("funnel search, impression, click", "funnel", "ad hoc", _STEPS, ("funnel", _STEPS)),
    Report("search terms", "searches", "ad hoc", {"limit": "100"}),
    Report("retention by week", "retention", "ad hoc", {"interval": "week"}),
]


@dataclass
class Took:
    """Milliseconds: the first time, with nothing in memory; then again and again."""

    cold: float
    warm: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.warm)

    @property
    def p99(self) -> float:
        return sorted(self.warm)[math.ceil(len(self.warm) * 0.99) - 1]


def budget_of(events: int) -> float:
    """Seconds to ask one question again and again in; CI, which has twenty million events, shall not take long."""
    return 2.0 if events > 20_000_000 else 0.5


def drop_pages(directory: pathlib.Path) -> None:
    """Has the kernel forget these files alone, and of them what it has written; so nobody else on the machine pays for it."""
    for at, _, names in os.walk(directory):
        for name in names:
            try:
                descriptor = os.open(os.path.join(at, name), os.O_RDONLY | os.O_NOFOLLOW)
            except OSError:  # Merged away meanwhile, or no file.
                continue
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)


@dataclass
class Asked:
    milliseconds: float
    body: Any
    source: str


@dataclass
class Cost:
    rows: int
    megabytes: float  # Read, uncompressed.
    memory: float  # Megabytes, at its most.


@dataclass
class Asker:
    marquee: Marquee
    events: int

    def again(self, ask: Callable[[], float]) -> list[float]:
        """Twenty times, or as often as the budget allows, but a few times."""
        taken: list[float] = []
        while len(taken) < LEAST or (len(taken) < MOST and sum(taken) < budget_of(self.events) * 1_000):
            taken.append(ask())
        return taken

    def forget(self) -> None:
        """What the store keeps in memory, and what the kernel keeps of its files."""
        for cache in ("MARK CACHE", "UNCOMPRESSED CACHE", "INDEX MARK CACHE", "INDEX UNCOMPRESSED CACHE", "QUERY CONDITION CACHE", "QUERY CACHE"):
            self.marquee.sql(f"SYSTEM DROP {cache}")
        drop_pages(pathlib.Path(self.marquee.data_dir, "store"))

    # -- reports -----------------------------------------------------------------------------------------------------
    def report(self, address: str) -> Asked:
        """Marquee counts again instead of saying what it remembers."""
        began = time.monotonic()
        answer = request(self.marquee.url + address, headers=self._headers(), timeout=PATIENCE)
        took = (time.monotonic() - began) * 1000
        if answer.status != 200:
            raise RuntimeError(f"{address}: {answer.status} {answer.body!r}")
        body = answer.json()
        return Asked(took, body, str(body.get("source", "events")))

    def first_answer(self, address: str) -> float:
        """Milliseconds until a stream has said `sample`. Who has heard that goes: the exact answer is measured elsewhere."""
        parts = urllib.parse.urlsplit(self.marquee.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)
        began = time.monotonic()
        try:
            connection.request("GET", address, headers=self._headers())
            is_sample = False
            for line in connection.getresponse():
                if line.startswith(b"event:"):
                    if line.split()[1] == b"error":
                        raise RuntimeError(f"{address}: an error")
                    is_sample = line.split()[1] == b"sample"
                elif is_sample and line.startswith(b"data:"):
                    if json.loads(line[5:])["sample"] is None:
                        raise RuntimeError(f"{address}: no sample")
                    return (time.monotonic() - began) * 1000
        finally:
            connection.close()
        raise RuntimeError(f"{address}: the stream ended without a sample")

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.marquee.runtime['admin_token']}", "Cache-Control": "no-cache"}

    # -- SQL ---------------------------------------------------------------------------------------------------------
    def sql(self, text: str) -> Asked:
        """As a dashboard's user, in the format in which Grafana's plugin reads."""
        runtime = self.marquee.runtime
        credentials = base64.b64encode(f"{runtime['reader_user']}:{runtime['reader_password']}".encode()).decode()
        began = time.monotonic()
        answer = request(runtime["store_url"] + "/?database=marquee&default_format=Native", "POST", text.encode(),
                         {"Authorization": "Basic " + credentials}, timeout=PATIENCE)
        took = (time.monotonic() - began) * 1000
        if answer.status != 200:
            raise RuntimeError(f"{text}: {answer.status} {answer.body!r}")
        return Asked(took, None, ", ".join(sorted(set(re.findall(r"\b(?:marquee|system)\.(\w+)", text)))))

    def cost(self, ask: Callable[[], Asked]) -> Cost:
        """Of one more asking: what the store counts, which nobody else asks; memory as seen every few milliseconds."""
        most, is_over = [0], threading.Event()

        def watch() -> None:
            while not is_over.wait(0.004):
                most.append(self.marquee.count("SELECT sum(peak_memory_usage) FROM system.processes WHERE query NOT LIKE '%system.processes%'"))

        before = self._read_so_far()
        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            ask()
        finally:
            is_over.set()
            watcher.join()
        rows, size = (after - earlier for after, earlier in zip(self._read_so_far(), before, strict=True))
        return Cost(max(rows - len(most), 0), size / 1e6, max(most) / 1e6)

    def _read_so_far(self) -> tuple[int, int]:
        counters = dict(self.marquee.rows("SELECT event, value FROM system.events WHERE event IN ('SelectedRows', 'SelectedBytes')"))
        return int(counters.get("SelectedRows", 0)), int(counters.get("SelectedBytes", 0))


def panel_queries(marquee: Marquee) -> dict[str, str]:
    """Each panel's SQL over the month, as Grafana's plugin would send it, by the panel's name; all of them have answered."""
    panels.build()
    wanted = [one for one in panels.panels() if one.is_sql]
    end = (BEGIN + datetime.timedelta(days=SPAN_DAYS)).strftime("%Y-%m-%dT%H:%M:%S")
    variables = {"site": SITE, "campaign": ["$__all"], "cohort": "program", "funnel": "search+course_view+course_click", "window": "1800"}
    found: dict[str, str] = {}
    for one, answer in zip(wanted, panels.ask(marquee, wanted, BEGIN.strftime("%Y-%m-%dT%H:%M:%S"), end, variables), strict=True):
        if answer.error:
            raise RuntimeError(f"{one.name}: {answer.error}\n{answer.sql}")
        name = one.name
        while name in found:  # A panel of several questions.
            name += " +"
        found[name] = answer.sql
    return found
