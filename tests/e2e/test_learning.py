"""Ads that are learned: what is clicked is shown more, to those who click it; chances stay exact; what was learned outlives the process."""

from __future__ import annotations

import collections
import concurrent.futures
import itertools
import time
import unittest

from tests.e2e import test_decisions as decisions
from tests.support.marquee import Marquee, request, wait_until

ADS = 6
MANY = 150
LIKES = {"north": "law-1", "south": "law-4"}
AT_ONCE = 4


def setUpModule() -> None:
    decisions.MARQUEE = Marquee({"MARQUEE_DECISIONS_CLICK_WINDOW": "1s"})
    decisions.MARQUEE.start()


def tearDownModule() -> None:
    decisions.MARQUEE.__exit__(None, None, None)


def metric(name: str) -> float:
    lines = request(decisions.MARQUEE.url + "/metrics").body.decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name + " "))


class Students:
    """Each college clicks one ad, always, and none of the others."""

    def __init__(self, site: decisions.Site) -> None:
        self.site = site
        self.number = itertools.count()

    def look(self, count: int) -> tuple[dict[str, float], dict[str, float]]:
        """By college: the share of decisions that had its ad, and what share the told chances promise."""
        def one(number: int) -> tuple[str, bool, float]:
            college = ("north", "south")[number % 2]
            placement = self.site.ad(user_id=f"u{number}", college_id=college, **decisions.FULL)
            decisions.get(placement["impression_url"])
            liked = placement["ad"]["id"] == LIKES[college]
            if liked:
                decisions.get(placement["click_url"])
            return college, liked, placement["propensity"]

        shown: dict[str, list[bool]] = collections.defaultdict(list)
        promised: dict[str, list[float]] = collections.defaultdict(list)
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for college, liked, propensity in pool.map(one, [next(self.number) for _ in range(count)]):
                shown[college].append(liked)
                # Inverse weighting by an exact chance: its mean is 1 for every ad.
                promised[college].append(liked / propensity)
        return ({name: sum(all_) / len(all_) for name, all_ in shown.items()},
                {name: sum(all_) / len(all_) for name, all_ in promised.items()})


class Learning(unittest.TestCase):
    def test_each_college_is_shown_what_it_clicks_also_after_kill_9(self) -> None:
        students = Students(decisions.Site(decisions.campaign("law", ADS)))
        wait_until(lambda: students.site.ask(["top"])["policy"].startswith("learned-"), 20, "a version to serve")
        first, _ = students.look(60)
        for _ in range(12):  # As long as it takes, within reason.
            students.look(80)
            time.sleep(1.2)  # Its window passes; the next look learns it.
            shown, _ = students.look(60)
            if min(shown.values()) > 0.7:
                break
        for college, share in shown.items():
            self.assertGreater(share, 0.7, (college, first))
        self.assertEqual(metric("marquee_learning_passed_over_total"), 0)
        decisions.MARQUEE.kill()
        decisions.MARQUEE.start()
        wait_until(lambda: students.site.ad().get("because") not in ("unknown_slot", "not_ready"), 20, "the engine to be ready")
        wait_until(lambda: metric("marquee_learning_impressions_total") > 0, 20, "the log to be read again")
        shown, promised = students.look(200)
        for college, share in shown.items():
            self.assertGreater(share, 0.6, college)
            # Of a hundred decisions with chances of about 0.85 a standard error is some 0.04.
            self.assertAlmostEqual(promised[college], 1, delta=0.35)

    def test_propensities_of_a_learned_ranking_sum_to_one(self) -> None:
        site = decisions.Site(decisions.campaign("law", ADS))
        Students(site).look(100)
        wait_until(lambda: decisions.MARQUEE.count(f"SELECT count() FROM marquee.decisions FINAL WHERE site_id = '{site.id}' AND ad_id != ''") >= 100, 20,
                   "the decisions to land")
        wrong = decisions.MARQUEE.count(f"SELECT count() FROM marquee.decisions FINAL WHERE site_id = '{site.id}' AND ad_id != '' AND "
                                        "(abs(arraySum(candidate_propensities) - 1) > 1e-4 OR arrayMin(candidate_propensities) < 9e-4 OR "
                                        "propensity != candidate_propensities[indexOf(candidate_ads, ad_id)])")
        self.assertEqual(wrong, 0)

    def test_of_many_candidates_most_are_counted_and_all_can_be_named(self) -> None:
        site = decisions.Site(decisions.campaign("law", MANY // 2), decisions.campaign("arts", MANY // 2))
        Students(site).look(60)
        served = f"FROM marquee.decisions FINAL WHERE site_id = '{site.id}' AND ad_id != ''"
        wait_until(lambda: decisions.MARQUEE.count(f"SELECT count() {served}") >= 60, 20, "the decisions to land")
        self.assertEqual(decisions.MARQUEE.count(
            f"SELECT count() {served} AND (abs(arraySum(candidate_propensities) + others * others_propensity - 1) > 1e-5 OR others = 0 OR "
            f"length(candidate_ads) + others != {MANY} OR propensity != candidate_propensities[indexOf(candidate_ads, ad_id)])"), 0)
        named = f"FROM marquee.decision_candidates WHERE site_id = '{site.id}'"
        self.assertEqual(list(decisions.MARQUEE.rows(
            f"SELECT count() >= 60, min(ads), max(ads), min(chance) > 0, max(abs(total - 1)) < 1e-5 FROM (SELECT uniqExact(ad_id) AS ads, sum(propensity) AS "
            f"total, min(propensity) AS chance {named} AND ad_id != '' GROUP BY decision_id, placement)")), [["1", str(MANY), str(MANY), "1", "1"]])


if __name__ == "__main__":
    unittest.main()
