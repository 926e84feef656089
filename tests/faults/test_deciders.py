"""Two deciders over Kafka: what one serves the other counts, and budgets and caps hold for both together.

    python3 -m unittest -v tests.faults.test_deciders
"""

from __future__ import annotations

import collections
import unittest

from tests.support.deciders import FULL, AdSite, Crowd, campaign
from tests.support.kafka import Cluster, KafkaMarquee
from tests.support.marquee import request, wait_until

CLUSTER: Cluster
MARQUEE: KafkaMarquee
# How far a budget or a cap may be exceeded is told in docs/decisions.md.
DECIDERS = 2


def setUpModule() -> None:
    global CLUSTER, MARQUEE
    CLUSTER = Cluster().__enter__()
    MARQUEE = KafkaMarquee(CLUSTER, collectors=0, loaders=2, deciders=DECIDERS).__enter__()


def tearDownModule() -> None:
    MARQUEE.__exit__(None, None, None)
    CLUSTER.__exit__()


def urls() -> list[str]:
    return [one.url for one in MARQUEE.deciders]


def metric(url: str, name: str) -> float:
    lines = request(url + "/metrics").body.decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.split(" ")[0] == name)


def counted(url: str, kind: str) -> float:
    return metric(url, 'marquee_served_events_total{outcome="counted",type="' + kind + '"}')


class Deciders(unittest.TestCase):
    def test_what_one_decides_another_counts_and_all_of_it_lands_once(self) -> None:
        first, second = urls()
        for url in (first, second):
            wait_until(lambda url=url: metric(url, "marquee_deciders") == DECIDERS, 30, "them to hear of each other")
        site = AdSite(MARQUEE, [first, second], campaign("law"))
        one = site.ask(first, user_id="u1", **FULL)
        before = counted(first, "click")
        self.assertEqual(site.show(second, one["impression_url"]).status, 200)

        def is_clicked() -> bool:  # The first must have heard of the impression.
            self.assertEqual(site.show(first, one["click_url"]).headers["location"], "https://campus.example/law/0")
            return counted(first, "click") > before

        wait_until(is_clicked, 20, "the click to count")
        for url in (first, second):
            self.assertEqual(site.show(url, one["impression_url"]).status, 200)
            self.assertEqual(site.show(url, one["click_url"]).status, 302)
        wait_until(lambda: site.count("event_type = 'click'"), 30, "the click to land")
        wait_until(lambda: site.decisions(f"decision_id = '{one['decision_id']}'"), 30, "the decision to land")
        self.assertEqual((site.count("event_type = 'impression'"), site.count("event_type = 'click'")), (1, 1))
        self.assertEqual(request(first + "/v1/reports/ctr").status, 404)

    def test_a_budget_and_caps_hold_for_both_together(self) -> None:
        budget, cap = 400, 3
        site = AdSite(MARQUEE, urls(), campaign("law", 2, budget={"total": {"impressions": budget}},
                                                caps=[{"scope": "campaign", "count": cap, "window": "1h"}]))
        crowds = [Crowd(site, seed, users=200) for seed in range(4)]
        for crowd in crowds:
            crowd.start()
        wait_until(lambda: sum(len(crowd.empty) for crowd in crowds) > 200 and sum(len(crowd.served) for crowd in crowds) >= budget,
                   120, "the budget to be spent")
        for crowd in crowds:
            crowd.finish()
        shown = [one for crowd in crowds for one in crowd.shown]
        self.assertEqual(sum(crowd.unanswered for crowd in crowds), 0)
        # Half of what was left ten seconds before the last of it went.
        self.assertLessEqual(len(shown), budget + budget * (DECIDERS - 1) // DECIDERS)
        print(f"{len(shown)} impressions of a budget of {budget}")
        of_user = collections.Counter(user for user, _, _ in shown)
        self.assertLessEqual(max(of_user.values()), cap * DECIDERS)
        wait_until(lambda: site.count("event_type = 'impression'") == len(shown), 60, "the impressions to land")
        wait_until(lambda: site.decisions() == len(shown), 60, "the decisions to land")
        # By now each has heard of all that the other served.
        for url in urls():
            self.assertEqual([site.ask(url, user_id=f"v{i}", **FULL)["ad"] for i in range(20)], [None] * 20)

    def test_one_that_is_killed_comes_back_and_remembers_caps(self) -> None:
        site = AdSite(MARQUEE, urls(), campaign("law", caps=[{"scope": "campaign", "count": 2, "window": "1h"}]))
        first, second = MARQUEE.deciders
        users = [f"u{i}" for i in range(20)]
        for user in users:
            for _ in range(2):
                one = site.ask(first.url, user_id=user, **FULL)
                self.assertEqual(site.show(second.url, one["impression_url"]).status, 200)
        unseen = site.ask(first.url, user_id="v", **FULL), site.ask(first.url, user_id="v", **FULL)
        self.assertTrue(all(one["ad"] for one in unseen))
        first.kill()
        wait_until(lambda: metric(second.url, "marquee_deciders") == 1, 60, "the other to be alone")
        self.assertEqual([site.ask(second.url, user_id=user, **FULL)["ad"] for user in [*users, "v"]], [None] * 21)
        first.start()
        site.wait_served(first.url)
        self.assertEqual([site.ask(first.url, user_id=user, **FULL)["ad"] for user in [*users, "v"]], [None] * 21)
        self.assertTrue(site.ask(first.url, user_id="w", **FULL)["ad"])
        self.assertEqual(first.stop(), 0)
        wait_until(lambda: metric(second.url, "marquee_deciders") == 1, 30, "the other to be alone")
        first.start()


if __name__ == "__main__":
    unittest.main()
