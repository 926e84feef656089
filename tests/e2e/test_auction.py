"""Ads that are auctioned: the second price stands in the decision, is carried by the token, and is what events and reports say that was spent."""

from __future__ import annotations

import collections
import math
import unittest

from tests.e2e import test_decisions as decisions
from tests.support.marquee import Marquee, wait_until

BIDS = {"rich": 3_000_000, "middle": 2_000_000, "poor": 1_000_000}  # For a thousand impressions.
FLOOR = 500_000
ASKED = 120


def setUpModule() -> None:
    decisions.MARQUEE = Marquee({"MARQUEE_DECISIONS_AUCTION": "second_price"})
    decisions.MARQUEE.start()


def tearDownModule() -> None:
    decisions.MARQUEE.__exit__(None, None, None)


class Auction(unittest.TestCase):
    def test_the_next_below_sets_the_price_that_is_logged_spent_and_reported(self) -> None:
        promised = decisions.campaign("sold", tier="guaranteed", bid_micros=9_000_000, targeting={"field": "page", "in": ["exam"]})
        site = decisions.Site(*[decisions.campaign(name, 2, bid_micros=bid) for name, bid in BIDS.items()], promised)
        shown: dict[str, int] = collections.Counter()
        decided: dict[str, str] = {}
        for _ in range(ASKED):
            answer = site.ask(["top"], filters={"floor_micros": FLOOR})
            one = answer["placements"][0]
            self.assertEqual(decisions.get(one["impression_url"]).status, 200)
            shown[one["ad"]["campaign_id"]] += 1
            decided[answer["decision_id"]] = one["ad"]["campaign_id"]
        sold = site.ask(["top"], page_id="exam")["placements"][0]
        decisions.get(sold["impression_url"])
        self.assertEqual(sold["ad"]["campaign_id"], "sold")
        self.assertRegex(answer["policy"], "^learned-ecpm-[0-9]+$")
        self.assertGreater(shown["rich"], shown["poor"])

        wait_until(lambda: site.count("event_type = 'impression'") == ASKED + 1, 20, "impressions")
        price = {"rich": BIDS["middle"], "middle": BIDS["poor"], "poor": FLOOR, "sold": 9_000_000}
        spent = {name: float(value) for name, value in decisions.MARQUEE.rows(
            f"SELECT campaign_id, sum(value) FROM marquee.events WHERE site_id = '{site.id}' AND event_type = 'impression' GROUP BY campaign_id")}
        self.assertEqual(set(spent), {*shown, "sold"})
        for name, value in spent.items():
            self.assertAlmostEqual(value, price[name] * shown.get(name, 1) / 1e9, 9, name)
        rows = f"FROM marquee.decisions FINAL WHERE site_id = '{site.id}' AND ad_id != ''"
        wait_until(lambda: set(decided) <= {row[0] for row in decisions.MARQUEE.rows(f"SELECT decision_id {rows}")}, 20, "decisions")
        for decision, campaign, paid, own, below in decisions.MARQUEE.rows(
                "SELECT decision_id, campaign_id, price_micros, candidate_values[indexOf(candidate_ads, ad_id)] AS own, arrayMax(arrayConcat([0], "
                "arrayMap((ad, value) -> if(startsWith(ad, concat(campaign_id, '-')) OR value > own, 0, value), candidate_ads, candidate_values))) "
                f"{rows} AND campaign_id != 'sold'"):
            if decision not in decided:
                continue  # Asked before the test began.
            # What the log has is enough to find the price again.
            self.assertEqual(int(paid), max(FLOOR, math.ceil(BIDS[campaign] * float(below) / float(own))))
            self.assertEqual(int(paid), price[campaign])


if __name__ == "__main__":
    unittest.main()
