"""Funnels and search terms from journeys equal those from the events and a walk through random events, whatever happens to a day's events or to the
store while journeys are made."""

from __future__ import annotations

import os
import random
import signal
import time
import unittest
import urllib.parse
from typing import Any

from tests.support.funnels import assert_same
from tests.support.funnels import report as walked
from tests.support.marquee import Marquee, wait_until
from tests.support.reports import import_events, text_time
from tests.support.searches import recount

SEED = int(os.environ.get("SEED", "1"))
CASES = int(os.environ.get("CASES", "150"))
KILLS = int(os.environ.get("KILLS", "6"))
DAY = 86_400_000
MINUTE = 60_000
TODAY = int(time.time() * 1000) // DAY * DAY
FIRST = TODAY - 5 * DAY
TYPES = ["page_view", "search", "impression", "click", "conversion"]
# Passed by every event: what has a filter is asked of the events.
EVERY_EVENT = "device=phone,desktop"

MARQUEE: Marquee
EVENTS: list[dict[str, Any]] = []


def random_person(draw: random.Random, number: int, day: int | None = None) -> list[dict[str, Any]]:
    """With key or without, one session or several, with seq or without; at any time of the days, but mostly around midnight."""
    kind = draw.choice(["seq", "seq", "none"])
    begin = FIRST + draw.randrange(5) * DAY if day is None else day
    moment = begin + (draw.randrange(DAY) if draw.random() < 0.3 or day is not None else DAY - draw.choice([1, 1000, 2000, 30 * MINUTE, 59 * MINUTE]))
    is_anonymous = kind == "seq" and draw.random() < 0.3
    is_bot = draw.random() < 0.05
    events: list[dict[str, Any]] = []
    for seq in range(1, draw.randrange(3, 12)):
        moment += draw.choice([0, 0, 0, 1, 500, 999, 1000, 1001, 59_000, 31 * MINUTE, DAY if draw.random() < 0.2 else 1])
        if moment >= (TODAY + DAY if day is None else day + DAY):
            break
        # Who has no session searches in none.
        types = [*TYPES, "course_view", "hover"] if kind == "seq" else ["page_view", "impression", "click", "conversion", "hover"]
        event: dict[str, Any] = {"type": draw.choice(types), "event_time": moment, "device": draw.choice(["phone", "desktop"]),
                                 "is_bot": is_bot, "props": {"name": f"u{number}"}}
        if kind == "seq":
            event.update(session_id=f"s{number}", seq=seq)
        else:
            event.update(external_id=f"x{number}-{seq}", session_id="", seq=0)
        if event["type"] == "search":
            event.update(search_query=draw.choice(["Law", " law ", "fees", "\u00dcn\u00ef"]), results_count=draw.choice([0, 3]))
        if not is_anonymous:
            event.update(user_id=f"u{number}", consent="full")
        events.append(event)
    return events


def add(events: list[dict[str, Any]]) -> None:
    EVENTS.extend(events)
    import_events(MARQUEE, [{name: value for name, value in event.items() if (name, value) not in (("session_id", ""), ("seq", 0))} for event in events])


def days_over() -> set[int]:
    """With events."""
    return {event["event_time"] // DAY * DAY for event in EVENTS if event["event_time"] < TODAY}


def is_kept(day: int) -> bool:
    """Whether a report of this day alone is answered from journeys."""
    search_and_click = [{"types": ["search"]}, {"types": ["click"]}]
    return bool(ask_funnel({"steps": search_and_click, "from": text_time(day), "to": text_time(day + DAY)})["source"] == "journeys")


def wait_for_journeys() -> None:
    wait_until(lambda: all(is_kept(day) for day in days_over()), 60, "the journeys of every day that is over")


def ask_funnel(definition: dict[str, Any]) -> dict[str, Any]:
    answer = MARQUEE.api("/v1/reports/funnel", "POST", {"site": "campus", **definition})
    assert answer.status == 200, answer.body
    return dict(answer.json())


def ask_searches(begin: int, end: int, *more: tuple[str, str]) -> dict[str, Any]:
    answer = MARQUEE.api("/v1/reports/searches?" + urllib.parse.urlencode([("site", "campus"), ("from", text_time(begin)), ("to", text_time(end)), *more]))
    assert answer.status == 200, answer.body
    return dict(answer.json())


def random_definition(draw: random.Random) -> dict[str, Any]:
    order = draw.choice(["ordered", "ordered", "strict", "any"])

    def match() -> dict[str, Any]:
        return {"types": draw.sample(TYPES, draw.choice([1, 1, 1, 2]))}

    while True:
        steps = [match() for _ in range(draw.randrange(2, 5))]
        if order != "any" or len({tuple(sorted(one["types"])) for one in steps}) == len(steps):
            break
    for step in steps[1:-1]:
        step["optional"] = draw.random() < 0.3
    definition: dict[str, Any] = {"steps": steps, "order": order, "window_seconds": draw.choice([1, 2, 60, 3600, 7200, 86_399, 86_400, 2 * 86_400])}
    required = [number + 1 for number, step in enumerate(steps) if not step.get("optional")]
    if order != "strict":
        for _ in range(draw.choice([0, 0, 1, 2])):
            exclusion = match()
            if order == "ordered" and draw.random() < 0.7:
                exclusion["after_step"], exclusion["before_step"] = sorted(draw.sample(required, 2))
            definition.setdefault("exclude", []).append(exclusion)
    if draw.random() < 0.4:
        definition["dropped_after"] = draw.randrange(1, len(steps))
    return definition


def random_scope(draw: random.Random) -> tuple[int, int]:
    """Whole days, or some that begin or end within one; today's too."""
    begin = FIRST + draw.randrange(2) * DAY
    end = TODAY + draw.choice([-DAY, 0, 0, DAY])
    if draw.random() < 0.5:
        begin += draw.choice([1000, 12 * 3_600_000, DAY - 1000, DAY - 30 * MINUTE])
    if draw.random() < 0.5:
        end -= draw.choice([1000, 30 * MINUTE, 12 * 3_600_000])
    return begin, end


def setUpModule() -> None:
    global MARQUEE
    print(f"SEED={SEED}", flush=True)
    MARQUEE = Marquee({"MARQUEE_JOURNEYS_REFRESH": "1s"})
    MARQUEE.start()
    draw = random.Random(SEED)
    add([event for number in range(220) for event in random_person(draw, number)])
    # Another site's events are in the same days.
    MARQUEE.sql("INSERT INTO marquee.events SELECT * REPLACE ('other' AS site_id) FROM marquee.events WHERE seq % 2 = 0")
    wait_for_journeys()


def tearDownModule() -> None:
    MARQUEE.__exit__(None, None, None)


class Journeys(unittest.TestCase):
    def funnels_are_right(self, draw: random.Random, cases: int) -> set[str]:
        """The sources that answered."""
        sources = set()
        for case in range(cases):
            definition = random_definition(draw)
            begin, end = random_scope(draw)
            span = {"from": text_time(begin), "to": text_time(end)}
            with self.subTest(case=case, seed=SEED, definition=definition, begin=begin, end=end):
                got = ask_funnel({**definition, **span})
                sources.add(got["source"])
                assert_same(self, got, walked(definition, EVENTS, begin, end))
                from_events = ask_funnel({**definition, **span, "filter": [EVERY_EVENT]})
                self.assertEqual(from_events.pop("source"), "events")
                del got["source"]
                self.assertEqual(got, from_events)
        return sources

    def searches_are_right(self, draw: random.Random, cases: int) -> set[str]:
        sources = set()
        for case in range(cases):
            begin, end = random_scope(draw)
            with self.subTest(case=case, seed=SEED, begin=begin, end=end):
                got = ask_searches(begin, end)
                sources.add(got.pop("source"))
                from_events = ask_searches(begin, end, ("filter", EVERY_EVENT))
                self.assertEqual(from_events.pop("source"), "events")
                self.assertEqual(got, from_events)
                self.assertEqual((got["total"], {one.pop("term"): one for one in got["terms"]}), recount(EVENTS, begin, end))
        return sources

    def test_1_every_kind_of_funnel_equals_a_walk_and_the_events(self) -> None:
        self.assertEqual(self.funnels_are_right(random.Random(SEED + 1), CASES), {"journeys"})

    def test_2_search_terms_equal_a_walk_and_the_events(self) -> None:
        self.assertEqual(self.searches_are_right(random.Random(SEED + 2), 30), {"journeys"})

    def test_3_what_lands_late_is_counted_at_once_and_its_day_is_made_again(self) -> None:
        draw = random.Random(SEED + 3)
        day = FIRST + 2 * DAY
        self.assertTrue(is_kept(day))
        for number in range(300, 304):
            add([event for each in range(5) for event in random_person(draw, number * 10 + each, day)])
            self.funnels_are_right(draw, 4)
            self.searches_are_right(draw, 2)
        add([{"type": kind, "event_time": day + at, "device": "phone", "is_bot": False, "props": {"name": "late"}, "session_id": "late", "seq": seq}
             for seq, (kind, at) in enumerate([("conversion", DAY - 2), ("click", DAY - 1)], 1)])
        self.assertFalse(is_kept(day))
        self.assertTrue(is_kept(day + DAY))
        wait_for_journeys()
        self.assertEqual(self.funnels_are_right(draw, 15), {"journeys"})

    def test_4_erased_events_are_in_no_answer_and_their_journeys_go(self) -> None:
        draw = random.Random(SEED + 4)
        name = next(event["props"]["name"] for event in EVENTS if "user_id" in event and event["event_time"] < TODAY and not event["is_bot"])
        days = {event["event_time"] // DAY * DAY for event in EVENTS if event["props"]["name"] == name and event["event_time"] < TODAY}
        self.assertTrue(all(is_kept(day) for day in days))
        for statement in ("DELETE FROM marquee.events WHERE toString(props.name) = '{}' AND seq % 2 = 1", "ALTER TABLE marquee.events DELETE WHERE toString(props.name) = '{}'"):
            MARQUEE.sql(statement.format(name) + " SETTINGS mutations_sync = 2, lightweight_deletes_sync = 2")
            EVENTS[:] = [event for event in EVENTS if event["props"]["name"] != name or ("seq % 2" in statement and event["seq"] % 2 == 0)]
            self.assertFalse(any(is_kept(day) for day in days))
            self.funnels_are_right(draw, 5)
            self.searches_are_right(draw, 3)
            wait_for_journeys()
            self.assertEqual(self.funnels_are_right(draw, 10), {"journeys"})
            self.searches_are_right(draw, 3)

    def test_5_merges_leave_journeys_as_they_are(self) -> None:
        made = MARQUEE.sql("SELECT day, build FROM marquee.journey_days FINAL ORDER BY day")
        MARQUEE.sql("OPTIMIZE TABLE marquee.events FINAL")
        self.assertTrue(all(is_kept(day) for day in days_over()))
        self.assertEqual(MARQUEE.sql("SELECT day, build FROM marquee.journey_days FINAL ORDER BY day"), made)

    def test_6_a_store_that_is_killed_while_journeys_are_made_answers_right(self) -> None:
        draw = random.Random(SEED + 6)
        for kill in range(KILLS):
            for day in sorted(days_over()):
                add(random_person(draw, 10_000 + kill * 100 + day // DAY % 100, day))
            builds = MARQUEE.count("SELECT max(build) FROM marquee.journey_days")
            # From before the first of them is made until after the last.
            wait_until(lambda: MARQUEE.count("SELECT count() FROM system.processes WHERE query_id LIKE 'marquee-journeys-%'") > 0
                       or MARQUEE.count("SELECT max(build) FROM marquee.journey_days") > builds, 30, "a build", interval=0.001)
            time.sleep(draw.random() * 0.3)
            MARQUEE.signal_store(signal.SIGKILL)
            MARQUEE.wait_ready()
            wait_until(lambda: MARQUEE.probe("/readyz") and self.answers(), 60, "the store")
            self.funnels_are_right(draw, 3)
            self.searches_are_right(draw, 2)
        wait_for_journeys()
        self.assertEqual(self.funnels_are_right(draw, 20), {"journeys"})
        self.assertEqual(self.searches_are_right(draw, 10), {"journeys"})

    @staticmethod
    def answers() -> bool:
        try:
            return MARQUEE.sql("SELECT 1") == "1\n"
        except (OSError, AssertionError):
            return False

    def test_7_a_moment_that_journeys_cannot_tell_is_read_from_the_events(self) -> None:
        day = FIRST + DAY
        add([{"type": draw_type, "event_time": day + 3_600_000, "device": "phone", "is_bot": False, "props": {"name": "crowd"}, "session_id": "crowd", "seq": seq}
             for seq, draw_type in enumerate(["page_view", "click"] * 20, 1)])
        self.funnels_are_right(random.Random(SEED + 7), 10)
        # It is tried and refused, again and again only where the events change.
        wait_until(lambda: "more than 32" in MARQUEE.log_tail(200) or "too many events at one time" in MARQUEE.log_tail(200), 30, "the refusal")
        self.assertFalse(is_kept(day))
        self.funnels_are_right(random.Random(SEED + 8), 10)


if __name__ == "__main__":
    unittest.main()
