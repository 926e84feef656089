"""What deploy/grafana holds: it is what its generator writes, valid by Grafana's own schema, and every panel's SQL answers through clickhouse-go
over HTTP with the numbers of Marquee's own reports."""

from __future__ import annotations

import dataclasses
import datetime
import json
import pathlib
import re
import subprocess
import tempfile
import unittest
from typing import Any

from deploy import measures
from tests.support import panels
from tests.support.marquee import ROOT, Marquee, wait_until
from tests.support.panels import Answer
from tests.support.prometheus import promtool, scrape
from tests.support.samples import load_samples
from tests.support.superset import environment_of

MARQUEE: Marquee
# More than all of the simulated days, so that the picker's inclusive end cuts nothing off.
CAMPUS = ("2026-01-11T00:00:00", "2026-01-20T23:59:59.999")
BANDIT = ("2019-11-01T00:00:00", "2019-12-31T23:59:59.999")
MOODLE = ("2017-01-01T00:00:00", "2021-12-31T23:59:59.999")
EVERYTHING = {"campaign": ["$__all"], "cohort": "program", "funnel": "search+course_view+course_click", "window": "1800"}
FELL = "2025-11-12T00:00:00"
"""When campaign "falls" has had a bad day, and "steady" a day like those before."""


def setUpModule() -> None:
    global MARQUEE
    panels.build()
    MARQUEE = Marquee(environment={"TZ": "Asia/Kolkata"})
    # Which users a share of them has is chance, by the hash of their names: here always the same.
    pathlib.Path(MARQUEE.data_dir, "secrets.json").write_text(json.dumps({"hash_key": "5eed" * 8}), encoding="utf-8")
    try:
        MARQUEE.start()
        load_samples(MARQUEE)
        load_a_fall(MARQUEE)
    except BaseException:
        tearDownModule()
        raise


def tearDownModule() -> None:
    MARQUEE.__exit__(None, None, None)


def load_a_fall(marquee: Marquee) -> None:
    """Two campaigns, 300 impressions a day for a week with a CTR of 5 %, then 1,500 on the last day: "falls" with 1 %."""
    lines = []
    for campaign in ("falls", "steady"):
        for day in range(4, 12):
            shown = 1_500 if day == 11 else 300
            clicked = shown // 100 if (campaign, day) == ("falls", 11) else shown // 20
            for number in range(shown + clicked):
                lines.append(json.dumps({
                    "type": "impression" if number < shown else "click", "session_id": f"{campaign}-{day}-{number}", "seq": 1,
                    "event_time": f"2025-11-{day:02}T12:{number % 60:02}:00Z", "campaign_id": campaign, "ad_id": "a", "slot_id": "s"}))
    with tempfile.TemporaryDirectory(prefix="marquee-fall-") as directory:
        file = pathlib.Path(directory, "fall.ndjson")
        file.write_text("\n".join(lines) + "\n")
        marquee.run("import", "events", "--site", "campus", str(file))
    wait_until(lambda: marquee.api("/v1/status").json()["loader"]["lag_events"] == 0, 120, "the fall to land")


def report(path: str, site: str, span: tuple[str, str], **parameters: str) -> Any:
    # A picker's end is the last millisecond that counts, a report's the first that does not.
    query = {"site": site, "from": span[0] + "Z", "to": (span[1].replace("23:59:59.999", "23:59:59") + "Z"), **parameters}
    query["to"] = _next_second(query["to"])
    answer = MARQUEE.api(f"/v1/reports/{path}?" + "&".join(f"{key}={value}" for key, value in query.items()))
    assert answer.status == 200, answer.body
    return answer.json()


def _next_second(time: str) -> str:
    return (datetime.datetime.fromisoformat(time) + datetime.timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def ask(board: str, title: str, site: str, span: tuple[str, str], **variables: Any) -> Answer:
    answer = panels.ask(MARQUEE, [panels.panel(board, title)], *span, {**EVERYTHING, "site": site, **variables})[0]
    assert answer.error == "", f"{answer.error}\n{answer.sql}"
    return answer


class Files(unittest.TestCase):
    def test_the_committed_files_are_what_the_generator_writes(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            subprocess.run([str(environment_of("grafana") / "bin/python"), "-m", "deploy.grafana.export", directory], cwd=ROOT, check=True, timeout=60)
            made = {str(f.relative_to(directory)): f.read_text() for f in pathlib.Path(directory).rglob("*.json")}
        kept = {str(f.relative_to(panels.GRAFANA)): f.read_text() for f in panels.GRAFANA.rglob("*.json")}
        self.assertEqual(made, kept, "run deploy.grafana.export (deploy/grafana/README.md)")

    def test_dashboards_are_valid_by_grafanas_schema(self) -> None:
        where = ROOT / "tests/bi/schema"
        files = [str(file) for file in sorted((panels.GRAFANA / "dashboards").glob("*.json"))]
        good = subprocess.run(["node", "check.mjs", *files], cwd=where, capture_output=True, text=True, timeout=300)
        self.assertEqual(good.returncode, 0, good.stdout + good.stderr)
        self.assertIn(f"{len(files)} dashboards, 0 problems", good.stdout)
        broken = json.loads(pathlib.Path(files[0]).read_text())
        broken["panels"][0]["options"]["graphMode"] = "pie"
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(json.dumps(broken))
            file.flush()
            bad = subprocess.run(["node", "check.mjs", file.name], cwd=where, capture_output=True, text=True, timeout=300)
        self.assertEqual(bad.returncode, 1, "a graphMode that Grafana does not have passes")

    def test_every_panel_says_what_it_shows(self) -> None:
        for board in panels.dashboards():
            for panel in board["panels"]:
                with self.subTest(board["uid"], panel=panel["title"]):
                    self.assertGreater(len(panel["description"]), 10)
                    if panel["type"] != "table":
                        self.assertIn("unit", panel["fieldConfig"]["defaults"])

    def test_rows_of_panels_fill_the_grid_and_do_not_overlap(self) -> None:
        for board in panels.dashboards():
            taken: set[tuple[int, int]] = set()
            for panel in board["panels"]:
                at = panel["gridPos"]
                cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
                self.assertFalse(cells & taken, f"{board['uid']}: {panel['title']} lies on another panel")
                self.assertLessEqual(at["x"] + at["w"], 24)
                taken |= cells
            self.assertEqual(len(taken), 24 * (max(y for _, y in taken) + 1), f"{board['uid']} has gaps")


class Runner(unittest.TestCase):
    def test_it_expands_macros_and_variables_as_the_plugin_does(self) -> None:
        panels.test_runner()


class EveryPanel(unittest.TestCase):
    def run_all(self, site: str, span: tuple[str, str], boards: tuple[str, ...], **variables: Any) -> None:
        wanted = [one for one in panels.panels() if one.is_sql and one.board in boards]
        self.assertGreater(len(wanted), 3)
        for one, answer in zip(wanted, panels.ask(MARQUEE, wanted, *span, {**EVERYTHING, "site": site, **variables}), strict=True):
            with self.subTest(one.name):
                self.assertEqual(answer.error, "", answer.sql)
                self.assertGreater(len(answer.rows), 0, answer.sql)

    def test_gives_rows_for_simulated_students(self) -> None:
        self.run_all("campus", CAMPUS, ("marquee-live", "marquee-cohorts", "marquee-positions", "marquee-funnel", "marquee-store"))

    def test_gives_rows_for_each_cohort_and_for_chosen_campaigns(self) -> None:
        for cohort in next(v for b in panels.dashboards() if b["uid"] == "marquee-cohorts" for v in b["templating"]["list"] if v["name"] == "cohort")["options"]:
            self.run_all("campus", CAMPUS, ("marquee-cohorts",), cohort=cohort["value"], campaign=["law-2027", "cloud-2027"])

    def test_gives_rows_for_the_samples(self) -> None:
        self.run_all("open-bandit", BANDIT, ("marquee-live", "marquee-cohorts"))
        self.run_all("moodle", MOODLE, ("marquee-funnel",), funnel="course_view+course_click")

    def test_no_site_can_leave_its_quotes(self) -> None:
        answer = ask("marquee-live", "Clicks (stat)", "x' OR site_id != 'y", CAMPUS)
        self.assertEqual(answer.rows, [[0]])


class SameAsTheReports(unittest.TestCase):
    def assert_ctr(self, answer: Answer, key: str, site: str, span: tuple[str, str], by: str, has_interval: bool = True) -> None:
        expected = {row["keys"][0]: row for row in report("ctr", site, span, by=by, limit="1000")["rows"] if row["impressions"]}
        got = answer.by(key)
        self.assertEqual(set(got), set(expected))
        self.assertGreater(len(expected), 1)
        for name, row in expected.items():
            self.assertEqual((got[name]["Impressions"], got[name]["Clicks"]), (row["impressions"], row["clicks"]), name)
            self.assertAlmostEqual(got[name]["CTR"], row["ctr"], places=12)
            if has_interval:
                self.assertAlmostEqual(got[name]["at least"], row["low"], places=12)
                self.assertAlmostEqual(got[name]["at most"], row["high"], places=12)

    def test_ctr_of_campaigns(self) -> None:
        for site, span in (("campus", CAMPUS), ("open-bandit", BANDIT), ("campus", ("2026-01-13T00:00:00", "2026-01-14T23:59:59.999"))):
            self.assert_ctr(ask("marquee-live", "Campaigns (table)", site, span), "Campaign", site, span, "campaign_id")

    def test_ctr_of_colleges_and_cohorts(self) -> None:
        self.assert_ctr(ask("marquee-cohorts", "Colleges (table)", "campus", CAMPUS), "College", "campus", CAMPUS, "college_id")
        for cohort, by in (("program", "program"), ("toString(year_of_study)", "year_of_study"), ("city", "city"), ("device", "device")):
            self.assert_ctr(ask("marquee-cohorts", "Cohorts (table)", "campus", CAMPUS, cohort=cohort), "Cohort", "campus", CAMPUS, by, has_interval=False)

    def test_the_number_on_top(self) -> None:
        for site, span in (("campus", CAMPUS), ("open-bandit", BANDIT)):
            total = report("ctr", site, span, by="campaign_id")["total"]
            for board in ("marquee-live", "marquee-cohorts"):
                self.assertEqual(ask(board, "Clicks (stat)", site, span).rows, [[total["clicks"]]])
                self.assertEqual(ask(board, "Impressions (stat)", site, span).rows, [[total["impressions"]]])
                self.assertAlmostEqual(ask(board, "CTR (stat)", site, span).rows[0][0], total["ctr"], places=12)

    def test_the_heatmap_of_positions(self) -> None:
        for site, span in (("campus", CAMPUS), ("open-bandit", BANDIT)):
            cells = report("heatmap", site, span)["cells"]
            expected = {(c["slot"], str(c["x"])): (c["impressions"], c["hovers"], c["clicks"]) for c in cells if c["impressions"] or c["clicks"]}
            got = ask("marquee-positions", "Places (table)", site, span).by("Slot", "Position")
            self.assertEqual({key: (row["Impressions"], row["Hovers"], row["Clicks"]) for key, row in got.items()}, expected)
            self.assertGreater(len(expected), 2)

    def test_the_cells_of_slots(self) -> None:
        slots = {c["slot"] for c in report("heatmap", "campus", CAMPUS)["cells"]}
        clicks = sum(c["clicks"] for slot in slots for c in report("heatmap", "campus", CAMPUS, mode="cells", slot=slot)["cells"])
        got = ask("marquee-positions", "Where in a slot people click (table)", "campus", CAMPUS)
        self.assertEqual(sum(row["Clicks"] for row in got.by("From the top, %", "From the left, %").values()), clicks)
        self.assertGreater(clicks, 100)

    def test_funnels(self) -> None:
        for site, span, steps in (("campus", CAMPUS, "search,course_view,course_click"), ("campus", CAMPUS, "impression,click,conversion"),
                                  ("moodle", MOODLE, "course_view,course_click")):
            answer = ask("marquee-funnel", "Steps (bargauge)", site, span, funnel=steps.replace(",", "+"))
            reported = report("funnel", site, span, steps=steps, window_seconds="1800")["steps"]
            self.assertEqual([row[1] for row in answer.rows], [step["users"] for step in reported])
            self.assertGreater(answer.rows[-1][1], 0)


class Bounded(unittest.TestCase):
    """However many events there are: panels read sums, or a share of the users."""

    def test_panels_of_delivery_read_what_does_not_grow_with_the_events(self) -> None:
        for table, projection in (("campaign_minute", "by_campaign"), ("campaign_hour", "by_college")):
            MARQUEE.sql(f"ALTER TABLE marquee.{table} MATERIALIZE PROJECTION {projection} SETTINGS mutations_sync = 2")
        wanted = [one for one in panels.panels() if one.is_sql and one.board in ("marquee-live", "marquee-cohorts", "marquee-positions", "alert")]
        read: dict[str, set[str]] = {}
        for one, answer in zip(wanted, panels.ask(MARQUEE, wanted, *CAMPUS, {**EVERYTHING, "site": "campus"}), strict=True):
            plan = MARQUEE.sql(f"EXPLAIN {answer.sql}")
            read[one.name] = set(re.findall(r"ReadFromMergeTree \(([\w.]+)\)", plan))
            self.assertTrue(read[one.name], plan)
        of_events = {name for name, sources in read.items() if "marquee.events" in sources}
        self.assertEqual(of_events, {"marquee-cohorts: Cohorts (table)", "marquee-cohorts: CTR by college and cohort (table)"})
        self.assertEqual(set().union(*read.values()) - {"marquee.events"},
                         {"by_campaign", "by_college", "marquee.delivery_sums", "marquee.heatmap_cells"}, read)

    def test_a_day_that_is_counted_again_has_its_sums_beside_it(self) -> None:
        MARQUEE.run("rebuild", "--from", "2026-01-13", "--to", "2026-01-13")
        parts = list(MARQUEE.rows("SELECT table, arrayStringConcat(projections) FROM system.parts WHERE active AND partition_id = '20260113' AND table LIKE 'campaign_%'"))
        self.assertEqual({tuple(part) for part in parts}, {("campaign_minute", "by_campaign"), ("campaign_hour", "by_college")})

    def test_many_users_are_told_from_a_share_of_them(self) -> None:
        days = MARQUEE.count("SELECT count() FROM marquee.user_days WHERE site_id = 'campus'")
        self.assertLess(days, measures.USER_DAYS, "too many for the other tests, which expect exact numbers")
        for board, title, key, counts in (("marquee-cohorts", "Cohorts (table)", "Cohort", ("Impressions", "Reach", "Clicks")),
                                          ("marquee-funnel", "Steps (bargauge)", "Step", ("Users",))):
            exact = ask(board, title, "campus", CAMPUS).by(key)
            panel = panels.panel(board, title)
            text = panel.text.replace(f"{measures.USER_DAYS} /", f"{days // 2} /")
            self.assertNotEqual(text, panel.text)
            answer = panels.ask(MARQUEE, [dataclasses.replace(panel, text=text)], *CAMPUS, {**EVERYTHING, "site": "campus"})[0]
            self.assertEqual(answer.error, "", answer.sql)
            estimated = answer.by(key)
            for count in counts:
                guess, truth = (sum(row[count] for row in rows.values()) for rows in (estimated, exact))
                self.assertAlmostEqual(guess / truth, 1, delta=0.15, msg=f"{title}: {count}")
                self.assertNotEqual(guess, truth)

    def test_of_many_sessions_fewer_are_counted_and_each_stands_for_more(self) -> None:
        keyless = MARQUEE.count("SELECT count() FROM marquee.events WHERE site_id = 'campus' AND user_key = 0")
        panel = panels.panel("marquee-funnel", "Steps (bargauge)")
        # A quarter of the sessions, and all users.
        text = panel.text.replace(f"<= {measures.KEYLESS_EVENTS}", "<= 0").replace(f"{measures.SESSION_EVENTS} /", f"{keyless // 4} /")
        self.assertEqual(text.count("<= 0"), 1)
        answer = panels.ask(MARQUEE, [dataclasses.replace(panel, text=text)], *CAMPUS, {**EVERYTHING, "site": "campus"})[0]
        self.assertEqual(answer.error, "", answer.sql)
        exact = ask("marquee-funnel", "Steps (bargauge)", "campus", CAMPUS).by("Step")
        for step, row in answer.by("Step").items():
            self.assertAlmostEqual(row["Users"] / exact[step]["Users"], 1, delta=0.15, msg=step)
            self.assertNotEqual(row["Users"], exact[step]["Users"])


class Alerts(unittest.TestCase):
    def test_a_campaign_whose_ctr_fell_is_found_and_a_steady_one_is_not(self) -> None:
        answer = ask("alert", "marquee-ctr-fell", "campus", ("2025-11-04T00:00:00", FELL))
        found = answer.by("campaign_id")
        self.assertEqual(set(found), {"falls"}, answer.sql)
        self.assertAlmostEqual(found["falls"]["lost"], 0.8, places=9)

    def test_a_campaign_that_stopped_is_found_with_how_long_ago(self) -> None:
        answer = ask("alert", "marquee-delivery-stalled", "campus", ("2025-11-11T00:00:00", "2025-11-11T14:59:00"))
        self.assertEqual({name: row["minutes"] for name, row in answer.by("campaign_id").items()}, {"falls": 120, "steady": 120})

    def test_rules_name_datasources_that_are_provisioned(self) -> None:
        provisioned = (panels.GRAFANA / "provisioning/datasources/marquee.yaml").read_text()
        for rule in panels.rules():
            with self.subTest(rule["uid"]):
                self.assertEqual([query["refId"] for query in rule["data"]], ["A", "B"])
                self.assertIn(f"uid: {rule['data'][0]['datasourceUid']}", provisioned)
                self.assertEqual((rule["condition"], rule["data"][1]["model"]["expression"]), ("B", "A"))


class Metrics(unittest.TestCase):
    def test_every_metric_in_a_panel_is_one_that_marquee_exports(self) -> None:
        exported = {name for name, _, _ in scrape(MARQUEE.url)}
        expressions = [one for one in panels.panels() if not one.is_sql]
        self.assertGreater(len(expressions), 20)
        for one in expressions:
            names = set(re.findall(r"\bmarquee_\w+", one.text))
            with self.subTest(one.name):
                self.assertTrue(names)
                self.assertEqual(names - exported, set())

    def test_every_expression_is_promql(self) -> None:
        def check(expressions: list[str]) -> subprocess.CompletedProcess[str]:
            named = [{"record": f"panel:{number}", "expr": text.replace("$__rate_interval", "1m")} for number, text in enumerate(expressions)]
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(json.dumps({"groups": [{"name": "panels", "rules": named}]}))
                file.flush()
                return promtool("check", "rules", file.name)

        result = check([one.text for one in panels.panels() if not one.is_sql])
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertNotEqual(check(["sum(rate(marquee_store_up[1m])"]).returncode, 0)


if __name__ == "__main__":
    unittest.main()
