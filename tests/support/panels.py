"""The SQL and the expressions in deploy/grafana, and tests/bi/panels, which runs SQL as Grafana's ClickHouse plugin does."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.marquee import ROOT, Marquee

GRAFANA = ROOT / "deploy/grafana"
RUNNER = ROOT / "build/panels"


@dataclasses.dataclass(frozen=True)
class Panel:
    """One question: of a dashboard's panel or variable ("$site"), or of an alert rule."""

    board: str
    title: str
    text: str
    is_sql: bool

    @property
    def name(self) -> str:
        return f"{self.board}: {self.title}"


def dashboards() -> list[dict[str, Any]]:
    return [json.loads(file.read_text()) for file in sorted((GRAFANA / "dashboards").glob("*.json"))]


def rules() -> list[dict[str, Any]]:
    return list(json.loads((GRAFANA / "provisioning/alerting/marquee.json").read_text())["groups"][0]["rules"])


def _questions(board: str, title: str, targets: list[dict[str, Any]]) -> Iterator[Panel]:
    for target in targets:
        for key in ("rawSql", "expr"):
            if key in target:
                yield Panel(board, title, target[key], key == "rawSql")


def panels() -> list[Panel]:
    out: list[Panel] = []
    for board in dashboards():
        for panel in board["panels"]:
            # A title may stand for a number on top and for its line over time.
            out += _questions(board["uid"], f"{panel['title']} ({panel['type']})", panel["targets"])
        for variable in board.get("templating", {}).get("list", []):
            if variable["type"] == "query":
                out += _questions(board["uid"], f"${variable['name']}", [variable["query"]])
    for rule in rules():
        out += _questions("alert", rule["uid"], [query["model"] for query in rule["data"]])
    return out


def panel(board: str, title: str) -> Panel:
    return next(one for one in panels() if one.board == board and one.title == title)


def _go() -> str:
    found = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if found is None:
        raise AssertionError("Go 1.26 or later is missing: clickhouse-go, which Grafana's plugin asks through, needs it")
    return found


def build() -> None:
    done = subprocess.run([_go(), "build", "-o", str(RUNNER), "."], cwd=ROOT / "tests/bi/panels", capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise AssertionError(f"go build: {done.stderr[-3000:]}")


def test_runner() -> None:
    """The runner's own tests: what it makes of macros and variables."""
    done = subprocess.run([_go(), "test", "./..."], cwd=ROOT / "tests/bi/panels", capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise AssertionError(done.stdout[-3000:] + done.stderr[-2000:])


@dataclasses.dataclass(frozen=True)
class Answer:
    sql: str
    columns: list[str]
    rows: list[list[Any]]
    seconds: float
    error: str

    def by(self, *columns: str) -> dict[Any, dict[str, Any]]:
        """The rows by the values of `columns` (one: itself, several: a tuple)."""
        lines = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return {tuple(line[c] for c in columns) if len(columns) > 1 else line[columns[0]]: line for line in lines}


def milliseconds(time: str) -> int:
    return int(datetime.datetime.fromisoformat(time).replace(tzinfo=datetime.UTC).timestamp() * 1000)


def ask(marquee: Marquee, wanted: list[Panel], begin: str, end: str, variables: Mapping[str, Any], interval_ms: int = 3_600_000) -> list[Answer]:
    """Each panel's answer for the time picker at [begin, end] (UTC), as the store's reader."""
    job = {"address": urllib.parse.urlsplit(marquee.runtime["store_url"]).netloc, "user": marquee.runtime["reader_user"],
           "password": marquee.runtime["reader_password"],
           "queries": [{"name": one.name, "sql": one.text, "from_ms": milliseconds(begin), "to_ms": milliseconds(end), "interval_ms": interval_ms,
                        "variables": variables} for one in wanted]}
    done = subprocess.run([str(pathlib.Path(RUNNER))], input=json.dumps(job), capture_output=True, text=True, timeout=300, env={**os.environ, "TZ": "UTC"})
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return [Answer(one["sql"], one["columns"] or [], one["rows"], one["seconds"], one["error"]) for one in json.loads(done.stdout)]
