"""The reports of the imported samples equal a recount of the files by Python's standard library alone."""

from __future__ import annotations

import collections
import csv
import gzip
import io
import json
import math
import unittest
from collections.abc import Iterator

from tests.support.marquee import ROOT, Marquee, wait_until

MARQUEE: Marquee
POLICIES, CAMPAIGNS = ("random", "bts"), ("all", "men", "women")


def setUpModule() -> None:
    global MARQUEE
    MARQUEE = Marquee()
    MARQUEE.start()
    MARQUEE.run("import", "open-bandit", str(ROOT / "data/open_bandit"))
    MARQUEE.run("import", "moodle", str(ROOT / "data/moodle_edify/moodle_events.csv.gz"))
    wait_until(lambda: MARQUEE.api("/v1/status").json()["loader"]["lag_events"] == 0, 60, "the samples to land")


def tearDownModule() -> None:
    MARQUEE.__exit__(None, None, None)


def rows(path: str) -> Iterator[dict[str, str]]:
    with gzip.open(ROOT / "data" / path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def bandit() -> Iterator[tuple[str, str, dict[str, str]]]:
    for policy in POLICIES:
        for campaign in CAMPAIGNS:
            for row in rows(f"open_bandit/{policy}/{campaign}/{campaign}.csv.gz"):
                yield policy, campaign, row


def wilson(clicks: int, shown: int) -> tuple[float, float]:
    z = 1.959963984540054
    rate = clicks / shown
    centre = (rate + z * z / (2 * shown)) / (1 + z * z / shown)
    half = z / (1 + z * z / shown) * math.sqrt(rate * (1 - rate) / shown + z * z / (4 * shown * shown))
    return centre - half, centre + half


class OpenBandit(unittest.TestCase):
    def counts(self, by: str, site: str = "open-bandit") -> dict[tuple[str, ...], tuple[int, int]]:
        report = MARQUEE.api(f"/v1/reports/ctr?site={site}&by={by}&limit=10000").json()
        return {tuple(row["keys"]): (row["impressions"], row["clicks"]) for row in report["rows"]}

    def test_clicks_and_impressions_by_policy_and_campaign(self) -> None:
        shown: collections.Counter[tuple[str, str]] = collections.Counter()
        clicked: collections.Counter[tuple[str, str]] = collections.Counter()
        for policy, campaign, row in bandit():
            shown[policy, campaign] += 1
            clicked[policy, campaign] += int(row["click"])
        self.assertEqual(self.counts("policy,campaign_id"), {key: (shown[key], clicked[key]) for key in shown})
        self.assertEqual((shown["random", "men"], clicked["random", "men"], clicked["bts", "men"]), (10_000, 46, 69))

    def test_clicks_and_impressions_of_each_ad(self) -> None:
        shown: collections.Counter[tuple[str, str]] = collections.Counter()
        clicked: collections.Counter[tuple[str, str]] = collections.Counter()
        for _, campaign, row in bandit():
            shown[campaign, row["item_id"]] += 1
            clicked[campaign, row["item_id"]] += int(row["click"])
        got = {(campaign, ad.rsplit("-", 1)[-1]): value for (campaign, ad), value in self.counts("campaign_id,ad_id").items()}
        self.assertEqual(got, {key: (shown[key], clicked[key]) for key in shown})

    def test_the_interval_is_wilsons(self) -> None:
        report = MARQUEE.api("/v1/reports/ctr?site=open-bandit&by=policy,campaign_id").json()
        for row in report["rows"]:
            low, high = wilson(row["clicks"], row["impressions"])
            self.assertAlmostEqual(row["low"], low, places=9)
            self.assertAlmostEqual(row["high"], high, places=9)

    def test_the_heatmap_of_positions(self) -> None:
        shown: collections.Counter[int] = collections.Counter()
        clicked: collections.Counter[int] = collections.Counter()
        for _, _, row in bandit():
            shown[int(row["position"])] += 1
            clicked[int(row["position"])] += int(row["click"])
        cells = MARQUEE.api("/v1/reports/heatmap?site=open-bandit").json()["cells"]
        self.assertEqual({c["x"]: (c["impressions"], c["clicks"]) for c in cells}, {p: (shown[p], clicked[p]) for p in shown})

    def test_campaigns_by_day(self) -> None:
        shown: collections.Counter[tuple[str, str]] = collections.Counter()
        for _, campaign, row in bandit():
            shown[campaign, row["timestamp"][:10]] += 1
        report = MARQUEE.api("/v1/reports/campaigns?site=open-bandit&interval=day").json()
        got = {(c["id"], p["time"][:10]): p["impressions"] for c in report["campaigns"] for p in c["points"] if p["impressions"]}
        self.assertEqual(got, dict(shown))

    def test_propensities_are_kept(self) -> None:
        total = math.fsum(float(row["propensity_score"]) for _, _, row in bandit())
        kept = float(MARQUEE.sql("SELECT sum(toFloat64(propensity)) FROM marquee.events WHERE site_id = 'open-bandit' AND event_type = 'impression'"))
        self.assertAlmostEqual(kept / total, 1, places=5)

    def test_a_second_import_sends_nothing_and_a_forced_one_changes_nothing(self) -> None:
        before = self.counts("policy,campaign_id")
        self.assertIn("60,000", MARQUEE.run("import", "open-bandit", str(ROOT / "data/open_bandit")).stdout)
        MARQUEE.run("import", "open-bandit", "--restart", str(ROOT / "data/open_bandit"))
        wait_until(lambda: MARQUEE.api("/v1/status").json()["loader"]["lag_events"] == 0, 60, "the repeats to land")
        self.assertEqual(self.counts("policy,campaign_id"), before)


class Moodle(unittest.TestCase):
    def test_events_and_course_views(self) -> None:
        names = collections.Counter(row["event_name"] for row in rows("moodle_edify/moodle_events.csv.gz"))
        self.assertEqual((sum(names.values()), names["Course viewed"]), (64_422, 22_027))
        stored = dict(MARQUEE.rows("SELECT toString(props.event_name), count() FROM marquee.events WHERE site_id = 'moodle' GROUP BY 1"))
        self.assertEqual({k: int(v) for k, v in stored.items()}, dict(names))
        self.assertEqual(MARQUEE.count("SELECT count() FROM marquee.events WHERE site_id = 'moodle' AND event_type = 'course_view'"), 22_027)

    def test_the_funnel_equals_a_walk_through_each_users_events(self) -> None:
        steps, window = ["course_view", "course_click"], 1_800
        report = MARQUEE.api(f"/v1/reports/funnel?site=moodle&steps={','.join(steps)}&window_seconds={window}").json()
        events: dict[str, list[tuple[int, str]]] = collections.defaultdict(list)
        for user, when, name in MARQUEE.rows("SELECT user_key, toUnixTimestamp64Milli(event_time), event_type FROM marquee.events "
                                             "WHERE site_id = 'moodle' AND user_key != 0 ORDER BY user_key, event_time"):
            events[user].append((int(when), name))
        first = sum(any(name == steps[0] for _, name in own) for own in events.values())
        second = sum(any(a == steps[0] and b == steps[1] and 0 <= tb - ta <= window * 1000
                         for i, (ta, a) in enumerate(own) if a == steps[0] for tb, b in own[i + 1:]) for own in events.values())
        self.assertEqual(report["steps"][0]["users"], first)
        # Two events of one minute have no order in this log; the report may take either, this walk takes the stored one.
        self.assertAlmostEqual(report["steps"][1]["users"], second, delta=max(2, second // 50))

    def test_segments_equal_a_recount_of_each_users_events(self) -> None:
        events: dict[int, collections.Counter[str]] = collections.defaultdict(collections.Counter)
        for user, name in MARQUEE.rows("SELECT user_key, event_type FROM marquee.events WHERE site_id = 'moodle' AND user_key != 0"):
            events[int(user)][name] += 1
        rule = {"all": [{"types": ["course_view"], "at_least": 20}, {"not": {"types": ["course_click"], "at_least": 30}}]}
        funnel = {"steps": [{"types": ["course_view"]}, {"types": ["course_click"]}], "window_seconds": 60, "dropped_after": 1}
        dropped = MARQUEE.api("/v1/reports/funnel", "POST", {**funnel, "site": "moodle", "key_limit": 10_000}).json()["dropped"]["keys"]
        expected = {"rule": sorted(user for user, counts in events.items() if counts["course_view"] >= 20 and counts["course_click"] < 30),
                    "drop_off": [int(key, 16) for key in dropped]}
        for definition in ({"kind": "rule", "rule": rule}, {"kind": "drop_off", "funnel": funnel}):
            made = MARQUEE.api("/v1/segments", "POST", {"site": "moodle", "title": definition["kind"], "definition": definition})
            self.assertEqual(made.status, 201, made.body)
            segment = made.json()
            users = [int(user) for (user,) in MARQUEE.rows(f"SELECT user_key FROM marquee.segment_users WHERE segment_id = '{segment['id']}' AND "
                                                           f"version = {segment['version']} ORDER BY user_key")]
            self.assertEqual(users, expected[str(definition["kind"])])
            self.assertTrue(0 < len(users) < len(events))
            report = MARQUEE.api(f"/v1/reports/segments?site=moodle&segments={segment['id']}").json()
            self.assertEqual((report["site_users"], report["segments"][0]["users"]), (len(events), len(users)))


class Sites(unittest.TestCase):
    def test_each_tells_its_events_and_the_first_and_the_last_of_them(self) -> None:
        """Also those of users without key, before, between and after the days on which others came; and where there are none else."""
        def event(day: int, number: int, user: str | None) -> dict[str, object]:
            named = {"user_id": user, "consent": "full"} if user else {}
            return {"type": "page_view", "session_id": f"s{day}-{number}", "seq": 1, "event_time": f"2026-03-{day:02}T{number:02}:30:00Z", **named}

        for site, days in (("campus", ((3, None), (5, "a"), (6, None), (7, "b"), (9, None))), ("moodle", ((1, None), (2, None)))):
            before = MARQUEE.count(f"SELECT count() FROM marquee.events WHERE site_id = '{site}'")
            events = [event(day, number, user) for day, user in days for number in range(3)]
            self.assertEqual(MARQUEE.post_events(events, site).status, 200)
            wait_until(lambda: MARQUEE.count(f"SELECT count() FROM marquee.events WHERE site_id = '{site}'") == before + len(events), 30, "events to land")
        known = {site: (int(count), first, last) for site, count, first, last in MARQUEE.rows(
            "SELECT site_id, count(), formatDateTime(min(event_time), '%Y-%m-%dT%H:%i:%s'), formatDateTime(max(event_time), '%Y-%m-%dT%H:%i:%s') "
            "FROM marquee.events GROUP BY site_id")}
        told = {site["id"]: site for site in MARQUEE.api("/v1/sites").json()["sites"]}
        self.assertEqual({id: (site["events"], site["first_event"][:19], site["last_event"][:19]) for id, site in told.items() if site["events"]}, known)
        self.assertEqual(known["campus"], (15, "2026-03-03T00:30:00", "2026-03-09T02:30:00"))
        self.assertEqual({(site["first_event"], site["last_event"]) for site in told.values() if not site["events"]} - {(None, None)}, set())


class CommandLine(unittest.TestCase):
    def test_json_csv_and_table_say_the_same(self) -> None:
        arguments = ("report", "ctr", "--by", "policy,campaign_id")
        report = json.loads(MARQUEE.run(*arguments, "--format", "json").stdout)
        table = MARQUEE.run(*arguments).stdout
        by_csv = list(csv.DictReader(io.StringIO(MARQUEE.run(*arguments, "--format", "csv").stdout)))
        self.assertEqual(len(by_csv), 6)
        for row, line in zip(report["rows"], by_csv, strict=True):
            self.assertEqual((row["keys"], row["clicks"]), ([line["policy"], line["campaign_id"]], int(line["clicks"])))
            self.assertTrue(any(all(k in printed.split() for k in row["keys"]) and str(row["clicks"]) in printed.split()
                                for printed in table.splitlines()), (row, table))

    def test_each_report_runs_in_each_format(self) -> None:
        for kind in (["retention", "--site", "moodle", "--interval", "week", "--from", "2021-10-04", "--to", "2021-11-01"], ["ctr"],
                     ["ctr", "--filter", "policy=bts", "--compare", "--from", "2019-11-25", "--to", "2019-11-26"], ["metrics"],
                     ["metrics", "--metrics", "ctr,reach", "--by", "policy", "--filter", "campaign_id!=men"], ["heatmap"],
                     ["funnel", "--site", "moodle"], ["campaigns"]):
            for form in ("table", "json", "csv"):
                with self.subTest(kind=kind, form=form):
                    self.assertGreater(len(MARQUEE.run("report", *kind, "--format", form).stdout.splitlines()), 1)

    def test_what_is_wrong_is_named(self) -> None:
        for arguments, named in ((["--by", "colour"], "colour"), (["--site", "nowhere"], "nowhere"), (["--from", "yesterday"], "from")):
            with self.subTest(arguments):
                result = MARQUEE.run("report", "ctr", *arguments, check=False)
                self.assertNotEqual(result.returncode, 0)
                self.assertIn(named, result.stderr)

    def test_rollups_answer_as_a_recount_does(self) -> None:
        self.assertEqual(MARQUEE.run("doctor", "--rollups").returncode, 0)


if __name__ == "__main__":
    unittest.main()
