"""DuckDB on the same events in Parquet: the reports that SQL can say. Its numbers must be Marquee's before its time is shown."""

from __future__ import annotations

import base64
import datetime
import json
import pathlib
import subprocess
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

from bench.month import BEGIN, Bar, Month
from bench.questions import PATIENCE, Took, budget_of
from tests.support.marquee import ROOT, Marquee

THREADS = 2
MEMORY = "8GB"
# What the questions need, times as milliseconds; in the order of the events table.
COLUMNS = ("session_id, seq, toUnixTimestamp64Milli(event_time) AS time_ms, CAST(event_type, 'String') AS event_type, user_key, college_id, program, "
           "year_of_study, device, viewport_width, is_bot, page_id, slot_id, position, slot_x, slot_y, page_x, page_y, campaign_id, ad_id, policy, "
           "search_query, results_count, dwell_ms, visible_ms, value")
ADS = """NOT is_bot AND event_type IN ('impression', 'viewable_impression', 'hover', 'click', 'conversion')
    AND (campaign_id != '' OR ad_id != '' OR slot_id != '')"""
RATE = """count(*) FILTER (event_type = 'impression'), count(*) FILTER (event_type = 'viewable_impression'),
    count(*) FILTER (event_type = 'click')"""
CELLS = """count(*) FILTER (event_type = 'impression'), count(*) FILTER (event_type = 'viewable_impression'),
    count(*) FILTER (event_type = 'hover'), count(*) FILTER (event_type = 'click')"""
SHOWN = "NOT is_bot AND event_type IN ('impression', 'viewable_impression', 'hover', 'click')"
BEGIN_MS = int(BEGIN.timestamp() * 1000)
HOUR, DAY = 3_600_000, 86_400_000


def _milliseconds(time: str) -> int:
    return int(datetime.datetime.fromisoformat(time).replace(tzinfo=datetime.UTC).timestamp() * 1000)


def _rates(body: Any) -> list[tuple[Any, ...]]:
    return [(*row["keys"], row["impressions"], row["viewable_impressions"], row["clicks"]) for row in body["rows"] if _counts(row)]


def _counts(row: Any) -> bool:
    return bool(row["impressions"] or row["viewable_impressions"] or row["clicks"])


def _days_and_slots(body: Any) -> list[tuple[Any, ...]]:
    return [(_milliseconds(day[:10]) // DAY, *rest) for day, *rest in _rates(body)]


def _points(body: Any) -> list[tuple[Any, ...]]:
    return [(series["id"], _milliseconds(point["time"][:19]), point["impressions"], point["viewable_impressions"], point["clicks"])
            for series in body["campaigns"] for point in series["points"]]


def _cells(body: Any) -> list[tuple[Any, ...]]:
    return [(cell["slot"], cell["x"], cell["y"], cell["impressions"], cell["viewable_impressions"], cell["hovers"], cell["clicks"]) for cell in body["cells"]]


def _reach(body: Any) -> list[tuple[Any, ...]]:
    # A rate is compared as the count that it stands for: impressions, users times frequency.
    out = []
    for row in body["rows"]:
        reach, frequency = (cell["value"] for cell in row["values"])
        out.append((row["keys"][0], round(reach), round(reach * frequency)))
    return out


def _terms(body: Any) -> list[tuple[Any, ...]]:
    return [(row["term"], row["searches"], row["users"], row["without_results"], row["without_click"]) for row in body["terms"]]


def _cohorts(body: Any) -> list[tuple[Any, ...]]:
    return [((_milliseconds(cohort["time"][:19]) - BEGIN_MS) // (7 * DAY), passed, users)
            for cohort in body["cohorts"] for passed, users in enumerate(cohort["back"]) if users]


def _steps(body: Any) -> list[tuple[Any, ...]]:
    return [tuple(step["users"] for step in body["steps"])]


@dataclass(frozen=True)
class Question:
    sql: str
    of_marquee: Callable[[Any], list[tuple[Any, ...]]]


def _grouped(keys: list[str], columns: str, condition: str) -> str:
    return f"SELECT {', '.join(keys)}, {columns} FROM events WHERE {condition} GROUP BY {', '.join(str(n + 1) for n in range(len(keys)))}"


# An attempt that began later can do whatever an earlier one can (libs/analytics, funnel.h): for each step, the latest begin that has come there.
FUNNEL = f"""
WITH matched AS (
    SELECT user_key AS who, CASE WHEN user_key = 0 THEN session_id ELSE 0 END AS session, time_ms AS t, seq, event_type AS type,
        CASE event_type WHEN 'search' THEN 1 WHEN 'impression' THEN 2 ELSE 4 END AS step
    FROM events WHERE NOT is_bot AND event_type IN ('search', 'impression', 'click') AND (user_key != 0 OR session_id != 0)),
searched AS (
    SELECT *, max(CASE WHEN type = 'search' THEN t END) OVER (PARTITION BY who, session ORDER BY t, seq, step ROWS UNBOUNDED PRECEDING) AS begin_1
    FROM matched),
shown AS (
    SELECT *, max(CASE WHEN type = 'impression' AND t - begin_1 <= {HOUR} THEN begin_1 END)
        OVER (PARTITION BY who, session ORDER BY t, seq, step ROWS UNBOUNDED PRECEDING) AS begin_2
    FROM searched),
users AS (
    SELECT bool_or(type = 'search') AS has_searched, bool_or(type = 'impression' AND t - begin_1 <= {HOUR}) AS has_seen,
        bool_or(type = 'click' AND t - begin_2 <= {HOUR}) AS has_clicked
    FROM shown GROUP BY who, session)
SELECT count(*) FILTER (has_searched), count(*) FILTER (has_seen), count(*) FILTER (has_clicked) FROM users"""

# A session's events are cut where it searches again.
TERMS = """
WITH numbered AS (
    SELECT session_id, CASE WHEN user_key != 0 THEN user_key ELSE session_id END AS who, event_type, search_query, results_count,
        sum(CASE WHEN event_type = 'search' THEN 1 ELSE 0 END) OVER (PARTITION BY session_id ORDER BY time_ms, seq ROWS UNBOUNDED PRECEDING) AS number
    FROM events WHERE NOT is_bot AND event_type IN ('search', 'click', 'course_click', 'course_view')),
searches AS (
    SELECT lower(trim(max(search_query) FILTER (event_type = 'search'))) AS term, any_value(who) AS who,
        bool_or(event_type = 'search' AND results_count = 0) AS is_empty, count(*) = 1 AS is_unclicked
    FROM numbered WHERE number > 0 GROUP BY session_id, number)
SELECT term, count(*), count(DISTINCT who), count(*) FILTER (is_empty), count(*) FILTER (is_unclicked) FROM searches GROUP BY term"""

RETENTION = f"""
WITH weeks AS (SELECT DISTINCT user_key, (time_ms - {BEGIN_MS}) // {7 * DAY} AS week FROM events WHERE NOT is_bot AND user_key != 0),
cohorts AS (SELECT user_key, week, min(week) OVER (PARTITION BY user_key) AS first FROM weeks)
SELECT first, week - first, count(*) FROM cohorts GROUP BY 1, 2"""

# By the report's name.
QUESTIONS = {
    "CTR by campaign": Question(_grouped(["campaign_id"], RATE, ADS), _rates),
    "CTR by college and campaign": Question(_grouped(["college_id", "campaign_id"], RATE, ADS), _rates),
    "CTR by day and slot": Question(_grouped([f"time_ms // {DAY}", "slot_id"], RATE, ADS), _days_and_slots),
    "CTR of one college by ad": Question(_grouped(["ad_id"], RATE, f"{ADS} AND college_id = 'indore-science'"), _rates),
    "campaigns by hour": Question(_grouped(["campaign_id", f"time_ms // {HOUR} * {HOUR}"], RATE, ADS), _points),
    "heatmap of positions": Question(_grouped(["slot_id", "position", "0"], CELLS, f"{SHOWN} AND slot_id != ''"), _cells),
    "heatmap of a slot's cells": Question(
        _grouped(["slot_id", "least(slot_x // 100, 99)", "least(slot_y // 100, 99)"], CELLS,
                 f"{SHOWN} AND slot_id = 'home-top' AND slot_x <= 10000 AND slot_y <= 10000"), _cells),
    "CTR by program and year": Question(_grouped(["program", "CAST(year_of_study AS VARCHAR)"], RATE, ADS), _rates),
    "reach by college": Question(
        _grouped(["college_id"], "count(DISTINCT user_key), count(*)", f"{ADS} AND event_type = 'impression' AND user_key != 0"), _reach),
    "heatmap of a page": Question(
        _grouped(["''", "least(page_x // 100, 99)", "least(page_y // 100, 99)"], CELLS,
                 f"{SHOWN} AND page_id = 'home' AND page_x <= 10000 AND page_y <= 10000"), _cells),
    "funnel search, impression, click": Question(FUNNEL, _steps),
    "search terms": Question(TERMS, _terms),
    "retention by week": Question(RETENTION, _cohorts),
}


def export(marquee: Marquee, month: Month) -> int:
    """A file for each day, zstd, in the order of the events table; days that are there already are left. Bytes of all of them."""
    directory = month.directory / "parquet"
    directory.mkdir(exist_ok=True)
    days = [day for day, in marquee.rows("SELECT DISTINCT toDate(event_time) AS day FROM marquee.events ORDER BY day")]
    bar = Bar("days written as Parquet", len(days), 0)
    for number, day in enumerate(days, 1):
        file = directory / f"{day}.parquet"
        if not file.exists():
            _save(marquee, f"SELECT {COLUMNS} FROM marquee.events WHERE toDate(event_time) = '{day}' ORDER BY site_id, user_key, events.event_time "
                           "SETTINGS output_format_parquet_compression_method = 'zstd', output_format_parquet_string_as_string = 1 FORMAT Parquet", file)
        bar.show(number)
    bar.end()
    return sum(file.stat().st_size for file in directory.glob("*.parquet"))


def _save(marquee: Marquee, sql: str, file: pathlib.Path) -> None:
    runtime = marquee.runtime
    address = urllib.parse.urlsplit(runtime["store_url"])
    credentials = base64.b64encode(f"{runtime['store_user']}:{runtime['store_password']}".encode()).decode()
    connection = HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE)
    part = file.with_suffix(".part")
    try:
        connection.request("POST", "/?wait_end_of_query=0", sql.encode(), {"Authorization": "Basic " + credentials})
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"{sql}: {answer.status} {answer.read(400)!r}")
        with open(part, "wb") as out:
            while piece := answer.read(1 << 20):
                out.write(piece)
    finally:
        connection.close()
    part.rename(file)


def ask_all(month: Month, names: list[str]) -> dict[str, tuple[list[tuple[Any, ...]], Took]]:
    """DuckDB's rows, sorted, and its times, by the report's name."""
    where = subprocess.run([str(ROOT / "tools/install-peers"), "--where"], capture_output=True, text=True, check=True).stdout.strip()
    job = {"files": str(month.directory / "parquet/*.parquet"), "threads": THREADS, "memory": MEMORY, "spill": str(month.directory / "parquet/spill"),
           "budget_ms": budget_of(month.events) * 1000, "questions": {name: QUESTIONS[name].sql for name in names}}
    done = subprocess.run([f"{where}/bin/python", str(ROOT / "bench/peers/duckdb_answers.py")], input=json.dumps(job), capture_output=True, text=True,
                          timeout=4 * 3600)
    if done.returncode != 0:
        raise RuntimeError(f"DuckDB: {done.stderr[-2000:]}")
    return {name: (sorted(tuple(row) for row in answer["rows"]), Took(answer["cold"], answer["warm"]))
            for name, answer in json.loads(done.stdout).items()}


def require_equal(name: str, body: Any, rows: list[tuple[Any, ...]]) -> None:
    """RuntimeError where the numbers are not the same."""
    ours = sorted(QUESTIONS[name].of_marquee(body))
    if not ours:
        raise RuntimeError(f"{name}: Marquee answered nothing")
    # Groups in which nothing of what is counted happened are no rows of a report.
    theirs = [row for row in rows if name not in _WITHOUT_EMPTY or any(row[-3:])]
    if ours != theirs:
        missing, added = [row for row in theirs if row not in ours][:3], [row for row in ours if row not in theirs][:3]
        raise RuntimeError(f"{name}: Marquee and DuckDB differ. Only DuckDB has {missing}, only Marquee {added}")


_WITHOUT_EMPTY = {name for name, question in QUESTIONS.items() if question.of_marquee in (_rates, _days_and_slots, _points)}
