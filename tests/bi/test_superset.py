"""A real Superset with what deploy/superset holds, on a real store: every chart answers, with the numbers of Marquee's own reports."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import tempfile
import unittest
from collections.abc import Mapping
from typing import Any

from deploy.superset import charts, export
from tests.support.marquee import ROOT, Marquee
from tests.support.samples import CAMPUS_DAYS, load_samples
from tests.support.superset import USER, Superset

MARQUEE: Marquee
SUPERSET: Superset
CHARTS: dict[str, int]
"""Each chart's number in Superset by its name."""

Row = dict[str, Any]


def setUpModule() -> None:
    global MARQUEE, SUPERSET, CHARTS
    # A zone far from UTC: a chart whose range of time depends on the server's zone shows here.
    MARQUEE = Marquee(environment={"TZ": "Asia/Kolkata"})
    SUPERSET = Superset()
    try:
        MARQUEE.start()
        load_samples(MARQUEE)
        SUPERSET.__enter__()
        SUPERSET.load(MARQUEE)
    except BaseException:
        tearDownModule()
        raise
    CHARTS = {chart["slice_name"]: chart["id"] for chart in SUPERSET.api.get("/api/v1/chart/?q=(page_size:100)")["result"]}


def tearDownModule() -> None:
    SUPERSET.__exit__()
    MARQUEE.__exit__(None, None, None)


def ask(chart: charts.Chart, site: str | None = None, time_range: str | None = None, **change: Any) -> list[Row]:
    """The chart's rows as its question is stored in Superset, of one site and range of time as the dashboard's filters ask it."""
    stored = SUPERSET.api.get(f"/api/v1/chart/{CHARTS[chart.name]}")["result"]
    context = json.loads(stored["query_context"])
    query = context["queries"][0]
    if site is not None:
        query["filters"].append({"col": "site_id", "op": "IN", "val": [site]})
    if time_range is not None:
        next(f for f in query["filters"] if f["op"] == "TEMPORAL_RANGE")["val"] = time_range
    query.update(change)
    answer = SUPERSET.api.post("/api/v1/chart/data", context)["result"][0]
    assert answer["status"] == "success" and not answer["error"], answer
    return list(answer["data"])


def report(path: str, **parameters: str) -> Any:
    query = "&".join(f"{key}={value}" for key, value in parameters.items())
    return MARQUEE.api(f"/v1/reports/{path}?{query}").json()


class Export(unittest.TestCase):
    def test_the_committed_directory_is_what_the_generator_writes(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            export.write(pathlib.Path(directory))
            made, kept = ({str(f.relative_to(at)): f.read_text() for f in pathlib.Path(at).rglob("*") if f.is_file()}
                          for at in (directory, export.ASSETS))
        self.assertEqual(made, kept, "run python3 -m deploy.superset.export")

    def test_every_chart_is_on_the_dashboard(self) -> None:
        dashboard = SUPERSET.api.get("/api/v1/dashboard/marquee-campaigns/charts")["result"]
        self.assertEqual({chart["slice_name"] for chart in dashboard}, {chart.name for chart in charts.CHARTS})

    def test_a_second_import_renews_and_doubles_nothing(self) -> None:
        SUPERSET.load(MARQUEE)
        for kind, number in (("chart", len(charts.CHARTS)), ("dashboard", 1), ("dataset", 5), ("database", 1)):
            self.assertEqual(SUPERSET.api.get(f"/api/v1/{kind}/?q=(page_size:100)")["count"], number, kind)

    def test_superset_is_the_stores_reader_and_cannot_write(self) -> None:
        database = SUPERSET.api.get("/api/v1/database/")["result"][0]["id"]
        for statement in ("DROP TABLE marquee.events", "SELECT * FROM file('/etc/passwd')"):
            with self.subTest(statement), self.assertRaises(OSError):
                SUPERSET.api.post("/api/v1/sqllab/execute/", {"database_id": database, "sql": statement, "runAsync": False})
        self.assertGreater(MARQUEE.count("SELECT count() FROM marquee.events"), 100_000)


class EveryChart(unittest.TestCase):
    def test_each_gives_rows_by_its_stored_question(self) -> None:
        self.assertEqual(len(CHARTS), len(charts.CHARTS))
        for name, number in CHARTS.items():
            with self.subTest(name):
                answer = SUPERSET.api.get(f"/api/v1/chart/{number}/data/")["result"][0]
                self.assertEqual((answer["status"], answer["error"]), ("success", None))
                self.assertGreater(answer["rowcount"], 0)

    def test_each_gives_rows_for_simulated_students(self) -> None:
        for chart in charts.CHARTS:
            with self.subTest(chart.name):
                self.assertTrue(ask(chart, "campus", f"{CAMPUS_DAYS[0]} : {CAMPUS_DAYS[-1]}"))


class SameAsTheReports(unittest.TestCase):
    def assert_ctr(self, rows: list[Row], key: str, reported: Mapping[str, Any]) -> None:
        got = {row[key]: row for row in rows}
        expected = {row["keys"][0]: row for row in reported["rows"]}
        self.assertEqual(set(got), set(expected))
        self.assertGreater(len(expected), 1)
        for name, row in expected.items():
            with self.subTest(name):
                self.assertEqual((got[name]["total_impressions"], got[name]["total_clicks"]), (row["impressions"], row["clicks"]))
                self.assertAlmostEqual(got[name]["ctr"], row["ctr"], places=12)
                self.assertAlmostEqual(got[name]["ctr_low"], row["low"], places=12)
                self.assertAlmostEqual(got[name]["ctr_high"], row["high"], places=12)

    def test_ctr_of_campaigns_and_its_interval(self) -> None:
        for site in ("open-bandit", "campus"):
            self.assert_ctr(ask(charts.BY_CAMPAIGN, site), "campaign_id", report("ctr", site=site, by="campaign_id", limit="1000"))

    def test_ctr_of_colleges_and_programs(self) -> None:
        self.assert_ctr(ask(charts.BY_COLLEGE, "campus"), "college_id", report("ctr", site="campus", by="college_id", limit="1000"))
        self.assert_ctr(ask(charts.BY_PROGRAM, "campus"), "program", report("ctr", site="campus", by="program", limit="1000"))

    def test_a_range_of_time_is_in_utc_and_without_its_end(self) -> None:
        for chart, by in ((charts.BY_CAMPAIGN, "campaign_id"), (charts.BY_PROGRAM, "program")):
            rows = ask(chart, "campus", f"{CAMPUS_DAYS[1]}T06:00:00 : {CAMPUS_DAYS[3]}T18:00:00")
            self.assert_ctr(rows, by, report("ctr", site="campus", by=by, limit="1000", **{
                "from": f"{CAMPUS_DAYS[1]}T06:00:00Z", "to": f"{CAMPUS_DAYS[3]}T18:00:00Z"}))

    def test_the_numbers_on_top(self) -> None:
        total = report("metrics", site="open-bandit", metrics="impressions,clicks,ctr", by="campaign_id")["total"]["values"]
        for (chart, metric), expected in zip(((charts.IMPRESSIONS, "total_impressions"), (charts.CLICKS, "total_clicks"), (charts.CTR, "ctr")),
                                             total, strict=True):
            # Without its axis: the number over the whole range, as the chart asks for it beside its line.
            self.assertAlmostEqual(ask(chart, "open-bandit", columns=[])[0][metric], expected["value"], places=12)

    def test_cohorts(self) -> None:
        rows = ask(charts.COHORTS, "campus")
        reported = report("ctr", site="campus", by="college_id,year_of_study", limit="10000")["rows"]
        expected = {tuple(row["keys"]): row["ctr"] for row in reported if row["impressions"]}
        got = {(row["college_id"], row["year_of_study"]): row["ctr"] for row in rows if row["ctr"] is not None}
        self.assertEqual(set(got), set(expected))
        for key, ctr in expected.items():
            self.assertAlmostEqual(got[key], ctr, places=12)

    def test_positions(self) -> None:
        for site in ("open-bandit", "campus"):
            cells = report("heatmap", site=site)["cells"]
            expected = {(c["slot"], c["x"]): c["clicks"] / c["impressions"] for c in cells if c["impressions"]}
            got = {(row["slot_id"], row["position"]): row["ctr"] for row in ask(charts.POSITION_CTR, site) if row["ctr"] is not None}
            self.assertEqual(set(got), set(expected))
            for key, ctr in expected.items():
                self.assertAlmostEqual(got[key], ctr, places=12)

    def test_a_days_funnel(self) -> None:
        day = {"from": f"{CAMPUS_DAYS[2]}T00:00:00Z", "to": f"{CAMPUS_DAYS[3]}T00:00:00Z"}
        for chart, steps in ((charts.AD_FUNNEL, "impression,click,conversion"), (charts.COURSE_FUNNEL, "search,course_view,course_click")):
            rows = ask(chart, "campus", f"{CAMPUS_DAYS[2]} : {CAMPUS_DAYS[3]}")
            reported = report("funnel", site="campus", steps=steps, window_seconds="1800", **day)["steps"]
            self.assertEqual([row["users"] for row in rows], [step["users"] for step in reported if step["users"]])

    def test_searches(self) -> None:
        expected = {row["term"]: (row["searches"], row["without_results"]) for row in report("searches", site="campus", limit="1000")["terms"]}
        self.assertGreater(len(expected), 3)
        got = {row["term"]: (row["searches"], row["nothing_found"]) for row in ask(charts.SEARCHES, "campus", row_limit=1000)}
        self.assertEqual(got, expected)


class Browser(unittest.TestCase):
    def test_the_dashboard_is_drawn(self) -> None:
        total = report("ctr", site="campus", by="campaign_id")["total"]
        environment = {**os.environ, "SUPERSET_NUMBERS": json.dumps({key: total[key] for key in ("impressions", "clicks", "ctr")}), "MARQUEE_URL": MARQUEE.url, "MARQUEE_TOKEN": MARQUEE.runtime["admin_token"],
                       "MARQUEE_WRITE_KEY": MARQUEE.runtime["write_keys"]["campus"], "SUPERSET_URL": SUPERSET.url, "SUPERSET_USER": USER,
                       "SUPERSET_PASSWORD": SUPERSET.password, "SUPERSET_CHARTS": json.dumps([chart.name for chart in charts.CHARTS])}
        done = subprocess.run(["node", str(ROOT / "tests/browser/superset.test.mjs")], env=environment, capture_output=True, text=True,
                              timeout=300)
        print(done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
