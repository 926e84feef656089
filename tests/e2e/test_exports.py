"""Every report as a file says what its JSON says; what a spreadsheet would run, it does not."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import unittest
import urllib.parse
from typing import Any

from tests.support.exports import FORMULAS, REPORTS, TROUBLE, expected, load
from tests.support.marquee import BINARY, Answer, Marquee, request

SEED = int(os.environ.get("SEED", "1"))
MARQUEE: Marquee


def setUpModule() -> None:
    global MARQUEE
    MARQUEE = Marquee()
    MARQUEE.start()
    load(MARQUEE, SEED)


def tearDownModule() -> None:
    MARQUEE.__exit__(None, None, None)


def ask(kind: str, asked: dict[str, Any], form: str) -> Answer:
    if kind == "funnel":
        return MARQUEE.api(f"/v1/reports/funnel?format={form}", "POST", {"site": "campus", **asked})
    return MARQUEE.api(f"/v1/reports/{kind}?" + urllib.parse.urlencode({"site": "campus", **asked, "format": form}))


def text(cell: Any) -> str:
    """As a CSV file must have it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, str) and cell.lstrip(" ").startswith(FORMULAS):
        return "'" + cell
    return str(cell)


class Csv(unittest.TestCase):
    def test_every_report_says_what_its_json_says(self) -> None:
        for kind, asked in REPORTS:
            with self.subTest(kind=kind, asked=asked):
                columns, rows = expected(kind, ask(kind, asked, "json").json())
                answer = ask(kind, asked, "csv")
                self.assertEqual((answer.status, answer.headers["content-type"]), (200, "text/csv; charset=utf-8; header=present"))
                got = list(csv.reader(io.StringIO(answer.body.decode(), newline=""), strict=True))
                self.assertEqual(got[0], columns)
                self.assertGreater(len(rows), 0)
                self.assertEqual(len(got), len(rows) + 1)
                for line, row in zip(got[1:], rows, strict=True):
                    for cell, value in zip(line, row, strict=True):
                        if isinstance(value, float):
                            self.assertEqual(float(cell), value)
                        else:
                            self.assertEqual(cell, text(value))

    def test_no_name_of_a_campaign_is_a_formula(self) -> None:
        answer = ask("ctr", {"by": "campaign_id"}, "csv")
        names = {line[0] for line in csv.reader(io.StringIO(answer.body.decode(), newline=""), strict=True)} - {"campaign_id"}
        self.assertEqual(names, {text(name) for name in TROUBLE})
        self.assertFalse([name for name in names if name.strip(" ").startswith(FORMULAS)])

    def test_it_is_an_attachment_with_a_name(self) -> None:
        answer = ask("metrics", {"metrics": "ctr", "from": "2026-01-01", "to": "2026-02-01"}, "csv")
        self.assertEqual(answer.headers["content-disposition"], 'attachment; filename="metrics-campus-2026-01-01-2026-02-01.csv"')
        self.assertEqual(ask("ctr", {}, "parquet").headers["content-disposition"], 'attachment; filename="ctr-campus.parquet"')

    def test_accept_asks_for_it_too(self) -> None:
        headers = {"Authorization": "Bearer " + MARQUEE.runtime["admin_token"]}
        url = MARQUEE.url + "/v1/reports/ctr?site=campus"
        for accept, kind in (("text/csv", "text/csv"), ("application/vnd.apache.parquet", "application/vnd.apache.parquet"), ("*/*", "application/json")):
            answer = request(url, headers={**headers, "Accept": accept})
            self.assertEqual((answer.headers["content-type"].split(";")[0], answer.headers["vary"]), (kind, "Accept"))

    def test_what_is_wrong_is_an_error_in_json(self) -> None:
        for asked, form, named in (({}, "xlsx", "format: "), ({"by": "colour"}, "csv", "colour"), ({"last": "7y"}, "parquet", "last: ")):
            answer = ask("ctr", asked, form)
            self.assertEqual((answer.status, named in answer.json()["error"]["message"]), (400, True))


class CommandLine(unittest.TestCase):
    def test_files_are_those_of_the_api(self) -> None:
        arguments = ("report", "ctr", "--site", "campus", "--by", "campaign_id")
        csv_file = subprocess.run([BINARY, *arguments, "--format", "csv"], env=MARQUEE.environment, capture_output=True, check=True).stdout
        self.assertEqual(csv_file, ask("ctr", {}, "csv").body)
        parquet = subprocess.run([BINARY, *arguments, "--format", "parquet"], env=MARQUEE.environment, capture_output=True, check=True).stdout
        self.assertEqual((parquet[:4], parquet[-4:]), (b"PAR1", b"PAR1"))

    def test_a_saved_report_by_its_id_and_its_address(self) -> None:
        new = {"name": "By campaign", "kind": "ctr", "parameters": {"site": "campus", "by": "campaign_id", "last": "4w"}}
        saved = MARQUEE.api("/v1/saved-reports", "POST", new).json()
        listed = [line.split() for line in MARQUEE.run("report", "saved").stdout.splitlines() if saved["id"] in line]
        self.assertEqual(len(listed), 1)
        self.assertEqual(json.loads(MARQUEE.run("report", "saved", "list", "--format", "json").stdout), MARQUEE.api("/v1/saved-reports").json())
        answer = MARQUEE.api(f"/v1/saved-reports/{saved['id']}/answer").json()
        self.assertGreater(len(answer["rows"]), 1)
        for which in (saved["id"], MARQUEE.url + saved["address"]):
            self.assertEqual(json.loads(MARQUEE.run("report", "saved", which, "--format", "json").stdout), answer)
            self.assertEqual(len(MARQUEE.run("report", "saved", which).stdout.splitlines()), len(MARQUEE.run("report", "ctr", "--site", "campus").stdout.splitlines()))
        picture = subprocess.run([BINARY, "report", "saved", saved["id"], "--format", "png"], env=MARQUEE.environment, capture_output=True, check=True).stdout
        self.assertEqual(picture[:8], b"\x89PNG\r\n\x1a\n")
        self.assertIn("no saved report", MARQUEE.run("report", "saved", "nowhere", check=False).stderr)

    def test_a_span_up_to_now(self) -> None:
        self.assertGreater(len(MARQUEE.run("report", "ctr", "--site", "campus", "--last", "7d").stdout.splitlines()), 2)
        self.assertIn("last", MARQUEE.run("report", "ctr", "--site", "campus", "--last", "7y", check=False).stderr)


if __name__ == "__main__":
    unittest.main()
