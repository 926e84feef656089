"""Versions of the click model and what they are proved by: decisions name them, kill -9 and the store's history give them again, and policies are judged
by what was decided and clicked."""

from __future__ import annotations

import concurrent.futures
import datetime
import json
import pathlib
import random
import shutil
import time
import unittest
from typing import Any

from tests.e2e import test_decisions as decisions
from tests.support.marquee import Marquee, request, wait_until

SEED = 5
ADS = 4
MANY = 60  # More than a decision names by default.
UNIFORM = 0.3
CHANCE = {"north": (0.5, 0.1, 0.1, 0.1), "south": (0.1, 0.1, 0.1, 0.4)}
TRUTH = sum(sum(chances) for chances in CHANCE.values()) / (len(CHANCE) * ADS)
COUNT = 1500
PARTS = 6
AT_ONCE = 4
LANDED_S = 11.0  # `learn` and `evaluate` leave out the last 10 s, which may not have landed.


class Pages:
    """Sites that people looked at, and what they clicked."""

    def __init__(self) -> None:
        self.dice = random.Random(SEED)
        self.site = decisions.Site(decisions.campaign("law", ADS))
        self.many = decisions.Site(decisions.campaign("law", MANY))
        self.bound = decisions.Site(decisions.campaign("law", 2), decisions.campaign("fair", 2, is_roadblock=True))
        self.policies: set[str] = set()
        self.drawn = self.clicks = self.brought = 0

    def look(self, count: int, at_once: int = AT_ONCE) -> None:
        def one(number: int) -> str:
            college = ("north", "south")[number % 2]
            answer = self.site.ask(["top"], user_id=f"u{number}", college_id=college, **decisions.FULL)
            placement = answer["placements"][0]
            decisions.get(placement["impression_url"])
            if draws[number] < CHANCE[college][int(placement["ad"]["id"].rsplit("-", 1)[1])]:
                decisions.get(placement["click_url"])
            return str(answer["policy"])

        draws = [self.dice.random() for _ in range(count)]
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            self.policies |= set(pool.map(one, range(count)))

    def look_at_pages_of_two(self, count: int) -> None:
        """The fair's ad brings its other one; each of both is clicked by half."""
        for _ in range(count):
            first, second = self.bound.ask(["top", "side"], **decisions.FULL)["placements"]
            brings = first["ad"]["id"].startswith("fair")
            self.drawn += 1 if brings else 2
            self.brought += 1 if brings else 0
            for placement in (first, second):
                decisions.get(placement["impression_url"])
                if self.dice.random() < 0.5:
                    decisions.get(placement["click_url"])
                    self.clicks += 1


class Versions(unittest.TestCase):
    pages: Pages
    midway: str  # When the last third of the decisions began.

    @classmethod
    def setUpClass(cls) -> None:
        decisions.MARQUEE = Marquee({"MARQUEE_DECISIONS_CLICK_WINDOW": "1s", "MARQUEE_DECISIONS_UNIFORM_SHARE": str(UNIFORM)})
        cls.addClassCleanup(decisions.MARQUEE.__exit__, None, None, None)
        decisions.MARQUEE.start()
        cls.pages = Pages()
        wait_until(lambda: cls.pages.site.ask(["top"])["policy"].startswith("learned-"), 20, "a version to serve")
        for part in range(PARTS):
            if part == PARTS * 2 // 3:
                cls.midway = datetime.datetime.now(datetime.UTC).isoformat()
            cls.pages.look(COUNT // PARTS)
            time.sleep(1.5)  # Its window passes, of which the next part tells; what follows that is ranked by it.
        cls.pages.look_at_pages_of_two(80)
        for _ in range(60):
            decisions.get(cls.pages.many.ad(**decisions.FULL)["impression_url"])
        time.sleep(LANDED_S)

    @staticmethod
    def models() -> Any:
        answer = decisions.MARQUEE.api("/v1/models")
        assert answer.status == 200, answer.body
        return answer.json()

    def judge(self, site: decisions.Site, policy: str, *more: str, status: int = 0) -> Any:
        result = decisions.MARQUEE.run("evaluate", "--site", site.id, "--policy", policy, "--format", "json", *more, check=False)
        self.assertEqual(result.returncode, status, result.stderr + result.stdout)
        return json.loads(result.stdout)

    def learn(self, *arguments: str) -> Any:
        return json.loads(decisions.MARQUEE.run("learn", "--from", "2026-01-01T00:00:00Z", "--format", "json", *arguments).stdout)

    def test_1_decisions_name_the_version_that_made_them_and_events_its_policy(self) -> None:
        models = self.models()
        self.assertGreater(len(self.pages.policies), 2)
        known = {one["policy"] for one in models["versions"]}
        self.assertLessEqual(self.pages.policies - known, {"uniform-1"} | {f"learned-{i}" for i in range(models["versions"][-1]["version"])})
        logged = {row[0] for row in decisions.MARQUEE.rows(f"SELECT DISTINCT policy FROM marquee.decisions FINAL WHERE site_id = '{self.pages.site.id}'")}
        self.assertLessEqual(self.pages.policies, logged)
        counted = {row[0] for row in decisions.MARQUEE.rows(
            f"SELECT DISTINCT policy FROM marquee.events WHERE site_id = '{self.pages.site.id}' AND event_type = 'impression'")}
        self.assertIn("learned", counted)
        self.assertFalse([name for name in counted if "-" in name], "reports count by policy, not by version")
        self.assertEqual(models["served"]["policy"], models["versions"][0]["policy"])
        metrics = request(decisions.MARQUEE.url + "/metrics").body.decode()
        self.assertIn("marquee_learning_rollbacks_total 0", metrics)
        self.assertGreater(models["served"]["impressions"], COUNT / 2)
        self.assertEqual(models["rolled_back"], [])

    def test_2_every_candidate_has_its_part_of_the_uniform_share(self) -> None:
        short = decisions.MARQUEE.count("SELECT count() FROM marquee.decision_candidates AS c INNER JOIN (SELECT decision_id, placement, count() AS n "
                                        "FROM marquee.decision_candidates GROUP BY decision_id, placement) AS all USING (decision_id, placement) "
                                        f"WHERE site_id IN ('{self.pages.site.id}', '{self.pages.many.id}') AND propensity < {UNIFORM} / n * 0.999")
        self.assertEqual(short, 0)

    def test_3_the_uniform_policy_is_worth_what_it_truly_is(self) -> None:
        report = self.judge(self.pages.site, "uniform")
        self.assertGreaterEqual(report["decisions"], COUNT)
        self.assertEqual((report["trusted"], report["ads"]), (True, ADS))
        self.assertGreater(report["logged_value"], TRUTH, "it has learned something")
        for one in report["estimates"]:
            if one["estimator"] != "dm":  # Whose standard error tells nothing of its model's.
                # 95 % intervals hold it 19 times in 20; 3.3 standard errors but once in a thousand.
                self.assertLess(abs(one["value"] - TRUTH), 3.3 * one["standard_error"], one["estimator"])
        # The estimate says how far it may be off: the logged policy is not taken for the uniform one.
        ipw = report["estimates"][0]
        self.assertLess(ipw["standard_error"], 0.05)

    def test_4_rules_and_the_model_itself_are_judged(self) -> None:
        rules = pathlib.Path(decisions.MARQUEE.data_dir, "rules.json")
        rules.write_text(json.dumps({"rules": [{"when": {"college": ["north"]}, "then": {"weights": {"law-0": 1}}}], "otherwise": {"weights": {"law-3": 1}}}))
        best = self.judge(self.pages.site, str(rules))
        by_name = {one["estimator"]: one for one in best["estimates"]}
        truth = (CHANCE["north"][0] + CHANCE["south"][3]) / 2
        self.assertLess(abs(by_name["dr"]["value"] - truth), 3.3 * by_name["dr"]["standard_error"])
        kept = pathlib.Path(decisions.MARQUEE.data_dir, "early.model")
        self.assertGreater(self.learn("--to", self.midway, "--out", str(kept))["impressions"], COUNT / 3)
        for begin, is_fair in ((self.midway, True), ("2026-01-01T00:00:00Z", False)):
            model = self.judge(self.pages.site, f"model:{kept}", "--from", begin)
            self.assertEqual(any("has learned from" in caution for caution in model["cautions"]), not is_fair)
            self.assertAlmostEqual(model["mean_weight"], 1, delta=0.25)
            self.assertGreater(model["estimates"][0]["value"], TRUTH, "it has learned something")

    def test_5_what_came_with_another_ad_and_what_is_not_named_is_judged_right(self) -> None:
        report = self.judge(self.pages.bound, "uniform", "--force")
        self.assertEqual(report["decisions"], self.pages.drawn)
        self.assertAlmostEqual(report["logged_value"] * report["decisions"], self.pages.clicks, places=6)
        self.assertTrue(any(caution.startswith(f"{self.pages.brought} placements") for caution in report["cautions"]))
        many = self.judge(self.pages.many, "uniform", "--force")
        self.assertEqual((many["decisions"], many["ads"]), (60, MANY))
        self.assertFalse([why for why in many["refusals"] if "propensities" in why], many["refusals"])

    def test_6_history_gives_the_same_model_as_the_log_and_the_log_goes_on(self) -> None:
        history = pathlib.Path(decisions.MARQUEE.data_dir, "history.model")
        from_store = self.learn("--out", str(history))
        self.assertGreaterEqual(from_store["impressions"], COUNT)
        self.assertEqual(from_store["passed_over"], 0)
        decisions.MARQUEE.stop()
        repeated = json.loads(decisions.MARQUEE.run("learn", "--repeat", "--format", "json").stdout)
        self.assertEqual((repeated["different"], repeated["rolled_back"]), (0, 0))
        self.assertGreater(repeated["versions"], 3)
        from_log = self.learn("--from-log", "--out", str(history) + ".log")
        self.assertEqual(from_store, from_log, "bit for bit")
        shutil.copy(history, pathlib.Path(decisions.MARQUEE.data_dir, "decisions/model.history"))
        decisions.MARQUEE.start()
        begun = wait_until(lambda: next((one for one in self.models()["versions"] if one.get("begin", {}).get("base", "0" * 16) != "0" * 16), None), 20,
                           "the history to be taken up")
        self.assertEqual((begun["hash"], begun["examples"]), (from_store["hash"], from_store["impressions"]))
        self.pages.look(40)
        time.sleep(1.1)
        self.pages.look(2)
        wait_until(lambda: self.models()["versions"][0]["examples"] >= begun["examples"] + 40, 20, "the log to go on")

    def test_7_kill_9_and_versions_go_on_where_they_were(self) -> None:
        before = self.models()["versions"][0]
        decisions.MARQUEE.kill()
        decisions.MARQUEE.start()
        wait_until(lambda: self.pages.site.ask(["top"])["policy"].startswith("learned-"), 20, "a version to serve")
        self.pages.look(10)
        time.sleep(1.1)
        self.pages.look(2)
        after = wait_until(lambda: next((one for one in self.models()["versions"] if one["examples"] > before["examples"]), None), 20, "more to be learned")
        self.assertGreater(after["version"], before["version"])
        new = [one for one in self.models()["versions"] if one["version"] > before["version"]]
        self.assertFalse([one for one in new if "begin" in one], "what was recorded came out again, and nothing began anew")
        decisions.MARQUEE.stop()
        repeated = json.loads(decisions.MARQUEE.run("learn", "--repeat", "--format", "json").stdout)
        self.assertEqual(repeated["different"], 0, "also what was learned after history")
        self.assertGreaterEqual(repeated["last"], after["version"])


if __name__ == "__main__":
    unittest.main()
