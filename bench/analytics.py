"""How long each report takes on twenty million simulated events of thirty days: asked over the HTTP API as the console does, first
once after the store was started anew (cold: its caches are empty, the kernel's are not), then again and again (warm). Beside it what was
read, and the same report kept from the rollups: asked from a second later on, which only the events can answer.
"""

from __future__ import annotations

import datetime
import math
import os
import statistics
import tempfile
import time
import urllib.parse
from dataclasses import dataclass

from bench.figures import figure, landed
from bench.pipelines import TABLES
from tests.support.marquee import Marquee, request, wait_until

DAYS = 30
CHUNKS = 20
BEGIN = datetime.datetime(2026, 1, 12, tzinfo=datetime.UTC)
WARM = 20


@dataclass
class Report:
    name: str
    path: str
    kind: str  # rollup: its events can answer it too, which is measured beside it; ad hoc: asked as it is
    parameters: dict[str, str]

    def address(self, offset_seconds: int = 0) -> str:
        begin = (BEGIN + datetime.timedelta(seconds=offset_seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
        end = (BEGIN + datetime.timedelta(days=35)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"/v1/reports/{self.path}?" + urllib.parse.urlencode({"site": "campus", "from": begin, "to": end, **self.parameters})


REPORTS = [
    Report("CTR by campaign", "ctr", "rollup", {"by": "campaign_id"}),
    Report("CTR by college and campaign", "ctr", "rollup", {"by": "college_id,campaign_id"}),
    Report("CTR by day and slot", "ctr", "rollup", {"by": "day,slot_id"}),
    Report("CTR of one college by ad", "ctr", "rollup", {"by": "ad_id", "filter": "college_id=indore-science"}),
    Report("campaigns by day", "campaigns", "rollup", {"interval": "day"}),
    Report("campaigns by hour", "campaigns", "rollup", {"interval": "hour"}),
    Report("heatmap of positions", "heatmap", "rollup", {}),
    Report("totals of ten metrics", "metrics", "ad hoc", {"metrics": "impressions,viewability,ctr,viewable_ctr,conversion_rate,spend,ecpm,reach,frequency,dwell"}),
    Report("CTR by program and year", "ctr", "ad hoc", {"by": "program,year_of_study"}),
    Report("CTR by device and layout", "ctr", "ad hoc", {"by": "device,layout"}),
    Report("reach by college", "metrics", "ad hoc", {"metrics": "reach,frequency", "by": "college_id"}),
    Report("heatmap of a page", "heatmap", "ad hoc", {"mode": "page", "page": "home"}),
    Report("funnel search, impression, click", "funnel", "ad hoc", {"steps": "search,impression,click"}),
    Report("search terms", "searches", "ad hoc", {"limit": "100"}),
    Report("retention by week", "retention", "ad hoc", {"interval": "week"}),
]


def fill(marquee: Marquee, events: int) -> None:
    """A file after the other, so that the disk holds only one of them."""
    each = events // CHUNKS
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as directory:
        path = os.path.join(directory, "events.ndjson")
        for chunk in range(CHUNKS):
            start = BEGIN + datetime.timedelta(days=DAYS * chunk / CHUNKS)
            marquee.run("simulate", "--events", str(each), "--rate", f"{events / (DAYS * 86_400):.3f}", "--seed", str(chunk + 1), "--start",
                        start.strftime("%Y-%m-%dT%H:%M:%SZ"), "--students", "50000", "--out", path, "--quiet")
            marquee.run("import", "events", "--site", "campus", "--quiet", "--restart", path)
    wait_until(lambda: landed(marquee) >= each * CHUNKS * 0.99, 600, "the events to land", 0.2)
    for table in TABLES:
        marquee.sql(f"OPTIMIZE TABLE marquee.{table} FINAL", timeout=1800)


def read_so_far(marquee: Marquee) -> tuple[int, int]:
    """Rows and bytes that queries have read since the store began."""
    counters = dict(marquee.rows("SELECT event, value FROM system.events WHERE event IN ('SelectedRows', 'SelectedBytes')"))
    return int(counters.get("SelectedRows", 0)), int(counters.get("SelectedBytes", 0))


def ask(marquee: Marquee, address: str) -> tuple[float, str]:
    """Milliseconds, and the source. Marquee counts again instead of saying what it remembers."""
    began = time.monotonic()
    answer = request(marquee.url + address, headers={"Authorization": f"Bearer {marquee.runtime['admin_token']}", "Cache-Control": "no-cache"})
    took = (time.monotonic() - began) * 1000
    if answer.status != 200:
        raise RuntimeError(f"{address}: {answer.status} {answer.body!r}")
    return took, str(answer.json().get("source", "events"))


def p99(times: list[float]) -> float:
    return sorted(times)[math.ceil(len(times) * 0.99) - 1]


def run(short: bool) -> None:
    events = 1_000_000 if short else 20_000_000
    rollup: list[float] = []
    panels: list[float] = []
    funnel = 0.0
    with Marquee() as marquee:
        fill(marquee, events)
        stored = marquee.count("SELECT count() FROM marquee.events")
        print(f"{stored:,} events of {marquee.count('SELECT uniq(user_key) FROM marquee.events'):,} users over "
              f"{marquee.count('SELECT uniq(toDate(event_time)) FROM marquee.events')} days")
        marquee.stop()
        marquee.start()
        print(f"| {'report':<34} | {'source':<15} | cold ms | warm p50 | p99 | rows read | MB read | from the events, p50 |\n|---|---|---:|---:|---:|---:|---:|---:|")
        for report in REPORTS:
            cold, source = ask(marquee, report.address())
            before = read_so_far(marquee)
            ask(marquee, report.address())
            rows, size = (after - earlier for after, earlier in zip(read_so_far(marquee), before, strict=True))
            warm = [ask(marquee, report.address())[0] for _ in range(5 if short else WARM)]
            worst = p99(warm)
            raw = ""
            if report.kind == "rollup":
                if source == "events":
                    raise RuntimeError(f"{report.name} was answered from the events")
                rollup += warm
                taken, other = zip(*(ask(marquee, report.address(1)) for _ in range(3)), strict=True)
                if set(other) != {"events"}:
                    raise RuntimeError(f"{report.name} was answered from {other} where only the events can")
                raw = f"{statistics.median(taken):.0f}"
            panels.append(worst)
            if report.path == "funnel":
                funnel = statistics.median(warm)
            print(f"| {report.name:<34} | {source:<15} | {cold:.0f} | {statistics.median(warm):.0f} | {worst:.0f} | {rows:,} | {size / 1e6:.1f} | {raw} |",
                  flush=True)
    if stored < events * 0.97:
        raise RuntimeError(f"{stored} of {events} events were stored")
    figure("rollup_p99_ms", p99(rollup), "ms", "<=100")
    figure("panel_max_ms", max(panels), "ms", "<=1000")
    figure("funnel_exact_ms", funnel, "ms", "<=5000")
