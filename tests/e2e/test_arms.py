"""Reports by the arm of an experiment equal a recount in Python of random events."""

from __future__ import annotations

import collections
import os
import random
import unittest
from typing import Any

from tests.support.funnels import report as walked
from tests.support.reports import text_time
from tests.support.segment_site import EXPERIMENTS, SegmentSite, counted, random_range
from tests.support.segments import arm_of, exposures

SEED = int(os.environ.get("SEED", "1"))
SITE: SegmentSite


def setUpModule() -> None:
    global SITE
    SITE = SegmentSite(SEED)


def tearDownModule() -> None:
    SITE.close()


class Arms(unittest.TestCase):
    def test_metrics_by_arm_count_what_each_user_did_from_the_exposure_on(self) -> None:
        draw = random.Random(SEED + 6)
        for case in range(24):
            experiment = draw.choice(list(EXPERIMENTS))
            begin, end = random_range(draw)
            other = draw.choice([[], ["device"]])
            compare = draw.random() < 0.4
            sample = {"sample": "1"} if draw.random() < 0.3 else {}
            with self.subTest(case=case, seed=SEED, experiment=experiment, begin=begin, end=end):
                report = SITE.ask("metrics", metrics="impressions,clicks,reach", by=",".join([f"arm.{experiment}", *other]), compare="previous" if compare else "none",
                             **{"from": text_time(begin), "to": text_time(end)}, **sample)
                exposed = exposures(experiment, SITE.events, end)
                events = [event for event in SITE.events if begin <= event["event_time"] < end and arm_of(event, exposed)]
                rows: dict[tuple[str, ...], list[dict[str, Any]]] = collections.defaultdict(list)
                for event in events:
                    rows[arm_of(event, exposed), *(event[one] for one in other)].append(event)
                self.assertEqual([value["value"] for value in report["total"]["values"]], list(counted(events).values()))
                self.assertEqual({tuple(row["keys"]): values for row in report["rows"] if any(values := [value["value"] for value in row["values"]])},
                                 {key: list(counted(own).values()) for key, own in rows.items() if any(counted(own).values())})
                if compare:
                    before = [event for event in SITE.events if begin - (end - begin) <= event["event_time"] < begin and arm_of(event, exposed)]
                    self.assertEqual([value["value"] for value in report["total"]["previous"]], list(counted(before).values()))
                sole = collections.Counter(next(iter(arms)) for _, arms in exposed.values() if len(arms) == 1)
                self.assertEqual(report["experiments"], [{"experiment": experiment, "arms": [{"arm": arm, "users": count} for arm, count in sorted(sole.items())],
                                                          "users_in_several_arms": sum(len(arms) > 1 for _, arms in exposed.values())}])

    def test_the_command_line_tells_who_is_left_out(self) -> None:
        report = SITE.ask("ctr", by="arm.layout")
        table = SITE.marquee.run("report", "ctr", "--site", "campus", "--by", "arm.layout").stdout
        self.assertIn(f"{report['experiments'][0]['users_in_several_arms']} exposed to several arms are left out", table)
        self.assertIn("arm.layout", table)

    def test_a_filter_by_arm_says_what_the_row_says(self) -> None:
        exposed = exposures("layout", SITE.events, 1 << 62)
        for values, negated in ((["wide"], False), (["wide"], True), ([""], True), (["control", "wide"], False), ([""], False)):
            with self.subTest(values=values, negated=negated):
                events = [event for event in SITE.events if not event["is_bot"] and (arm_of(event, exposed) in values) != negated]
                report = SITE.ask("metrics", metrics="impressions,clicks,reach", filter=f"arm.layout{'!' if negated else ''}={','.join(values)}")
                self.assertEqual([value["value"] for value in report["total"]["values"]], list(counted(events).values()))

    def test_the_ctr_by_arm_has_its_interval_and_the_others_as_its_rest(self) -> None:
        report = SITE.ask("ctr", by="arm.layout")
        self.assertEqual({row["keys"][0] for row in report["rows"]}, {"control", "wide"})
        one, other = report["rows"]
        self.assertEqual(report["total"]["impressions"], one["impressions"] + other["impressions"])
        self.assertEqual(one["p_value"], other["p_value"], "two arms differ from each other alike")
        for row in report["rows"]:
            self.assertTrue(row["low"] < row["ctr"] < row["high"])
        self.assertGreater(report["experiments"][0]["users_in_several_arms"], 0)

    def test_funnels_by_arm_equal_a_walk_from_the_exposure_on(self) -> None:
        draw = random.Random(SEED + 7)
        came = 0
        for case in range(30):
            experiment = draw.choice(list(EXPERIMENTS))
            dimension = f"arm.{experiment}"
            order = draw.choice(["ordered", "strict", "any"])
            definition: dict[str, Any] = {"steps": [{"types": [one]} for one in draw.sample(["page_view", "search", "impression", "hover", "click", "exposure"], draw.choice([2, 2, 3]))],
                                          "order": order, "window_seconds": draw.choice([1, 3600, 86_400, 3 * 86_400])}
            begin, end = random_range(draw)
            compares = draw.random() < 0.3
            with self.subTest(case=case, seed=SEED, definition=definition, experiment=experiment, begin=begin, end=end):
                got = SITE.ask_funnel({**definition, "by": dimension, "from": text_time(begin), "to": text_time(end), "compare": "previous" if compares else "none"})
                exposed = exposures(experiment, SITE.events, end)
                events = [{**event, dimension: arm} for event in SITE.events if (arm := arm_of(event, exposed))]
                expected = walked({**definition, "by": dimension}, events, begin, end)
                self.assertEqual([step["users"] for step in got["steps"]], [step["users"] for step in expected["steps"]])
                self.assertEqual({row["key"]: [(step["users"], step["median_ms_from_previous"]) for step in row["steps"]] for row in got["rows"]},
                                 {key: [(step["users"], step["median_ms_from_previous"]) for step in row["steps"]] for key, row in expected["rows"].items()})
                if compares:  # With the arms of who was exposed by then.
                    then = exposures(experiment, SITE.events, begin)
                    before = walked(definition, [{**event, dimension: arm} for event in SITE.events if (arm := arm_of(event, then))], begin - (end - begin), begin)
                    self.assertEqual([step["users"] for step in got["previous"]["steps"]], [step["users"] for step in before["steps"]])
                came += any(row["steps"][-1]["users"] for row in got["rows"])
        self.assertGreater(came, 12)


if __name__ == "__main__":
    unittest.main()
