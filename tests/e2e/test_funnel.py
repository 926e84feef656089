"""Funnels equal a walk through random events by the definition, in every order; and windowFunnel where the two mean the same."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import time
import unittest
import urllib.parse
from typing import Any

from tests.support.funnels import assert_same
from tests.support.funnels import report as walked
from tests.support.marquee import Marquee
from tests.support.reports import import_events, text_time

SEED = int(os.environ.get("SEED", "1"))
CASES = int(os.environ.get("CASES", "220"))
HOUR = 3_600_000
BEGIN = int(time.time()) // 3600 * HOUR - 48 * HOUR
END = BEGIN + 4 * HOUR
EARLY = BEGIN - 100 * HOUR  # Of what is not random.
TYPES = ["page_view", "search", "impression", "click", "conversion"]

MARQUEE: Marquee
EVENTS: list[dict[str, Any]] = []
KEYS: dict[str, str] = {}


def random_user(draw: random.Random, number: int) -> list[dict[str, Any]]:
    """Of one kind, which props.kind of the events tells: with seq; without; without, and no type twice; with seq, and no two events at one time."""
    kind = draw.choice(["seq", "seq", "none", "once", "apart"])
    moment = BEGIN + draw.randrange(4 * HOUR - 300_000)
    types = draw.sample([*TYPES, "hover"], 5) if kind == "once" else [draw.choice(TYPES + ["hover"] * (draw.random() < 0.3)) for _ in range(draw.randrange(2, 9))]
    is_anonymous = draw.random() < 0.15
    is_bot = draw.random() < 0.05
    events = []
    for seq, event_type in enumerate(types):
        # Many at the same time, and many as far apart as a window is long.
        moment += draw.choice([1, 1, 1, 500, 1000] if kind == "apart" else [0, 0, 0, 1, 1, 500, 999, 1000, 1001, 59_000])
        event: dict[str, Any] = {"type": event_type, "event_time": moment, "device": draw.choice(["phone", "phone", "desktop"]),
                                 "college_id": f"c{number % 3}", "props": {"arm": draw.choice(["a", "b"]), "kind": kind, "name": f"u{number}"}, "is_bot": is_bot}
        if kind in ("seq", "apart"):
            event.update(session_id=f"f{number}", seq=seq + 1)
        else:
            event.update(external_id=f"x{number}-{seq}")
        if not is_anonymous:  # Without session, nobody knows whose the event is.
            event.update(user_id=f"u{number}", consent="full")
        events.append(event)
    return events


def setUpModule() -> None:
    global MARQUEE
    print(f"SEED={SEED}", flush=True)
    MARQUEE = Marquee()
    MARQUEE.start()
    draw = random.Random(SEED)
    for number in range(160):
        EVENTS.extend(random_user(draw, number))
    import_events(MARQUEE, draw.sample(EVENTS, len(EVENTS)))
    KEYS.update((f"user {name}", f"{int(key):016x}") for name, key in MARQUEE.rows(
        "SELECT DISTINCT toString(props.name), user_key FROM marquee.events WHERE site_id = 'campus' AND user_key != 0"))


def tearDownModule() -> None:
    MARQUEE.__exit__(None, None, None)


def ask(definition: dict[str, Any]) -> dict[str, Any]:
    answer = MARQUEE.api("/v1/reports/funnel", "POST", {"site": "campus", **definition})
    assert answer.status == 200, answer.body
    return dict(answer.json())


def random_match(draw: random.Random) -> dict[str, Any]:
    match: dict[str, Any] = {"types": draw.sample(TYPES, draw.choice([1, 1, 1, 2]))}
    if draw.random() < 0.25:
        match["filter"] = [draw.choice(["device=phone", "device!=phone", "props.arm=a", "college_id=c0,c2", "college_id!=c1"])]
    return match


def random_definition(draw: random.Random) -> dict[str, Any]:
    order = draw.choice(["ordered", "ordered", "strict", "any"])
    while True:
        steps = [random_match(draw) for _ in range(draw.randrange(2, 6))]
        if order != "any" or len({(*sorted(one["types"]), *one.get("filter", [])) for one in steps}) == len(steps):
            break
    for step in steps[1:-1]:
        step["optional"] = draw.random() < 0.3
    definition: dict[str, Any] = {"steps": steps, "order": order, "window_seconds": draw.choice([1, 1, 2, 60, 120, 3600])}
    required = [number + 1 for number, step in enumerate(steps) if not step.get("optional")]
    if order != "strict":
        for _ in range(draw.choice([0, 0, 1, 2])):
            exclusion = random_match(draw)
            if order == "ordered" and draw.random() < 0.7:
                exclusion["after_step"], exclusion["before_step"] = sorted(draw.sample(required, 2))
            definition.setdefault("exclude", []).append(exclusion)
    if draw.random() < 0.4:
        definition["by"] = draw.choice(["device", "college_id", "props.arm", "props.none"])
    if draw.random() < 0.3:
        definition["filter"] = draw.sample(["device=phone", "college_id!=c1", "props.arm=a,b", "props.kind=seq,none"], draw.choice([1, 2]))
    if draw.random() < 0.4:
        definition["dropped_after"] = draw.randrange(1, len(steps))
    return definition


class Definition(unittest.TestCase):
    def test_every_kind_of_funnel_equals_a_walk_through_each_users_events(self) -> None:
        draw = random.Random(SEED + 1)
        converted = 0
        for case in range(CASES):
            definition = random_definition(draw)
            begin = BEGIN + draw.randrange(0, 3600) * 1000 if draw.random() < 0.7 else BEGIN
            end = begin + draw.randrange(600, 3 * 3600) * 1000 if draw.random() < 0.7 else END
            compares = draw.random() < 0.3
            if compares:
                begin = (begin + end) // 2000 * 1000
            with self.subTest(case=case, seed=SEED, definition=definition, begin=begin, end=end):
                got = ask({**definition, "from": text_time(begin), "to": text_time(end), "compare": "previous" if compares else "none"})
                expected = walked(definition, EVENTS, begin, end)
                converted += expected["steps"][-1]["users"] > 0
                assert_same(self, got, expected)
                self.assertEqual({row["key"] for row in got["rows"]}, set(expected["rows"]))
                before = walked(definition, EVENTS, begin - (end - begin), begin) if compares else None
                for row in got["rows"]:
                    assert_same(self, row, expected["rows"][row["key"]])
                    if before is not None:
                        nobody = walked(definition, [], begin, end)
                        assert_same(self, row["previous"], before["rows"].get(row["key"], nobody))
                if before is not None:
                    assert_same(self, got["previous"], before)
                if "dropped" in expected:
                    users = expected["dropped"]
                    self.assertEqual((got["dropped"]["users"], got["dropped"]["users_without_key"]),
                                     (len(users), sum(user.startswith("session") for user in users)))
                    self.assertEqual(got["dropped"]["keys"], sorted(KEYS[user] for user in users if user.startswith("user")))
        self.assertGreater(converted, CASES // 3, "many funnels have somebody who came through")


def steps_of(*types: str) -> list[dict[str, Any]]:
    """"search?" is optional."""
    return [{"types": [one.removesuffix("?")], "optional": one.endswith("?")} for one in types]


VIEW, SEARCH, CLICK = "page_view", "search", "click"
# Why; one user's events as (type, ms), in the order of their seq; the definition; who reaches each step.
PARTICULARS: list[tuple[str, list[tuple[str, int]], dict[str, Any], list[int]]] = [
    ("the window's end belongs to it", [(VIEW, 0), (CLICK, 60_000)], {"steps": steps_of(VIEW, CLICK)}, [1, 1]),
    ("a millisecond later does not", [(VIEW, 0), (CLICK, 60_001)], {"steps": steps_of(VIEW, CLICK)}, [1, 0]),
    ("the window goes from the first step to the last", [(VIEW, 0), (SEARCH, 40_000), (CLICK, 80_000)], {"steps": steps_of(VIEW, SEARCH, CLICK)}, [1, 1, 0]),
    ("a later attempt counts too", [(VIEW, 0), (VIEW, 70_000), (CLICK, 80_000)], {"steps": steps_of(VIEW, CLICK)}, [1, 1]),
    ("seq decides between events of one time", [(VIEW, 0), (CLICK, 0)], {"steps": steps_of(VIEW, CLICK)}, [1, 1]),
    ("and so may turn them round", [(CLICK, 0), (VIEW, 0)], {"steps": steps_of(VIEW, CLICK)}, [1, 0]),
    ("one event stands for one step", [(VIEW, 0), (CLICK, 1)], {"steps": steps_of(VIEW, VIEW, CLICK)}, [1, 0, 0]),
    ("a repeated step needs two", [(VIEW, 0), (VIEW, 0), (CLICK, 1)], {"steps": steps_of(VIEW, VIEW, CLICK)}, [1, 1, 1]),
    ("strict: nothing between", [(VIEW, 0), ("hover", 1), (CLICK, 2)], {"order": "strict", "steps": steps_of(VIEW, CLICK)}, [1, 0]),
    ("strict: not even the step itself again", [(VIEW, 0), (SEARCH, 1), (SEARCH, 2), (CLICK, 3)],
     {"order": "strict", "steps": steps_of(VIEW, SEARCH, CLICK)}, [1, 1, 0]),
    ("strict: a repeated step", [(VIEW, 0), (VIEW, 1), (VIEW, 2), (CLICK, 3)], {"order": "strict", "steps": steps_of(VIEW, VIEW, CLICK)}, [1, 1, 1]),
    ("strict: what the filters leave out is not between", [(VIEW, 0), ("hover", 1), (CLICK, 2)],
     {"order": "strict", "steps": steps_of(VIEW, CLICK), "filter": ["props.type!=hover"]}, [1, 1]),
    ("strict: an optional step may be left out", [(VIEW, 0), (CLICK, 1)], {"order": "strict", "steps": steps_of(VIEW, "search?", CLICK)}, [1, 0, 1]),
    ("strict: or not", [(VIEW, 0), (SEARCH, 0), (CLICK, 1)], {"order": "strict", "steps": steps_of(VIEW, "search?", CLICK)}, [1, 1, 1]),
    ("an optional step needs only those before that are not", [(VIEW, 0), (CLICK, 1)],
     {"steps": steps_of(VIEW, "search?", "click?", "conversion")}, [1, 0, 1, 0]),
    ("an exclusion ends the attempt", [(VIEW, 0), ("hover", 1), (CLICK, 2)], {"steps": steps_of(VIEW, CLICK), "exclude": [{"types": ["hover"]}]}, [1, 0]),
    ("but not the one that begins after it", [(VIEW, 0), ("hover", 1), (VIEW, 1), (CLICK, 2)],
     {"steps": steps_of(VIEW, CLICK), "exclude": [{"types": ["hover"]}]}, [1, 1]),
    ("an exclusion holds only between its steps", [(VIEW, 0), (SEARCH, 1), ("hover", 1), (CLICK, 2)],
     {"steps": steps_of(VIEW, SEARCH, CLICK), "exclude": [{"types": ["hover"], "before_step": 2}]}, [1, 1, 1]),
    ("as here", [(VIEW, 0), (SEARCH, 1), ("hover", 1), (CLICK, 2)],
     {"steps": steps_of(VIEW, SEARCH, CLICK), "exclude": [{"types": ["hover"], "after_step": 2}]}, [1, 1, 0]),
    ("an excluded step may be the last event, but none in the middle", [(VIEW, 0), (SEARCH, 1), (CLICK, 2)],
     {"steps": steps_of(VIEW, SEARCH, CLICK), "exclude": [{"types": [SEARCH]}]}, [1, 1, 0]),
    ("any order: whichever came first", [(CLICK, 0), (SEARCH, 1), (VIEW, 2)], {"order": "any", "steps": steps_of(VIEW, SEARCH, CLICK)}, [1, 1, 1]),
    ("any order: within one window", [(CLICK, 0), (SEARCH, 30_000), (VIEW, 60_001)], {"order": "any", "steps": steps_of(VIEW, SEARCH, CLICK)}, [1, 1, 0]),
    ("any order: a step needs all before it", [(CLICK, 0), (VIEW, 1)], {"order": "any", "steps": steps_of(VIEW, SEARCH, CLICK)}, [1, 0, 0]),
    ("any order: but not the optional ones", [(CLICK, 0), (VIEW, 1)], {"order": "any", "steps": steps_of(VIEW, "search?", CLICK)}, [1, 0, 1]),
    ("any order: an exclusion ends the attempt", [(CLICK, 0), ("hover", 1), (VIEW, 2)],
     {"order": "any", "steps": steps_of(VIEW, CLICK), "exclude": [{"types": ["hover"]}]}, [1, 0]),
    ("thirty steps", [(TYPES[i % 5], i) for i in range(29)], {"steps": steps_of(*(TYPES[i % 5] for i in range(30)))}, [1] * 29 + [0]),
    ("thirty steps, strict", [(TYPES[i % 5], i) for i in range(30)], {"order": "strict", "steps": steps_of(*(TYPES[i % 5] for i in range(30)))}, [1] * 30),
]


class Particulars(unittest.TestCase):
    """What the definition says of single cases, and the walk with it."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.events = [
            {"type": kind, "event_time": EARLY + at, "session_id": f"p{number}", "seq": seq + 1, "user_id": f"p{number}", "consent": "full",
             "props": {"case": f"p{number}", "type": kind}}
            for number, (_, own, _, _) in enumerate(PARTICULARS) for seq, (kind, at) in enumerate(own)]
        import_events(MARQUEE, cls.events)

    def test_each(self) -> None:
        for number, (why, _, definition, expected) in enumerate(PARTICULARS):
            with self.subTest(why):
                whole = {"window_seconds": 60, "order": "ordered", **definition, "filter": [f"props.case=p{number}", *definition.get("filter", [])]}
                self.assertEqual([step["users"] for step in ask(whole)["steps"]], expected)
                if len(expected) < 30:
                    self.assertEqual([step["users"] for step in walked(whole, self.events, EARLY, BEGIN)["steps"]], expected, "by the walk")

    def test_thirty_steps_in_any_order_with_ten_exclusions(self) -> None:
        # The most that can be asked for: thirty different steps, of which five have events.
        steps = [{"types": [TYPES[number % 5]], "filter": [f"props.type={TYPES[number % 5]},{number}"]} for number in range(30)]
        exclude = [{"types": ["hover"], "filter": [f"props.type={number}"]} for number in range(10)]
        number = next(number for number, (why, *_) in enumerate(PARTICULARS) if why == "thirty steps, strict")
        report = ask({"steps": steps, "order": "any", "window_seconds": 60, "exclude": exclude, "filter": [f"props.case=p{number}"]})
        self.assertEqual([step["users"] for step in report["steps"]], [1] * 30)
        self.assertEqual((report["median_ms_total"], report["p90_ms_total"]), (4, 4))


class Requests(unittest.TestCase):
    def test_a_get_says_what_the_same_body_says(self) -> None:
        parameters = {"site": "campus", "steps": "page_view,search,click", "optional": "2", "exclude": "conversion,hover", "window_seconds": 120,
                      "order": "ordered", "by": "device", "filter": "college_id!=c1", "compare": "previous", "from": text_time(BEGIN + HOUR),
                      "to": text_time(END), "dropped_after": 1, "key_limit": 3, "limit": 1}
        got = MARQUEE.api("/v1/reports/funnel?" + urllib.parse.urlencode(parameters)).json()
        body = {**parameters, "steps": steps_of("page_view", "search?", "click"), "exclude": [{"types": ["conversion", "hover"]}], "filter": ["college_id!=c1"]}
        del body["optional"]
        self.assertEqual(got, ask(body))
        self.assertEqual((len(got["rows"]), got["is_cut"], len(got["dropped"]["keys"]), got["dropped"]["is_cut"]), (1, True, 3, True))
        self.assertEqual([(step["name"], step["is_optional"]) for step in got["steps"]], [("page_view", False), ("search", True), ("click", False)])

    def test_the_command_line_says_it_too(self) -> None:
        arguments = ("report", "funnel", "--site", "campus", "--step", "page_view,search;device=phone", "--step", "click", "--step", "conversion",
                     "--optional", "2", "--exclude", "hover@1-3;device!=phone", "--window", "120", "--by", "props.arm", "--filter", "college_id=c0,c1")
        got = json.loads(MARQUEE.run(*arguments, "--format", "json").stdout)
        body = {"steps": [{"types": ["page_view", "search"], "filter": ["device=phone"]}, {"types": ["click"], "optional": True}, {"types": ["conversion"]}],
                "exclude": [{"types": ["hover"], "filter": ["device!=phone"], "after_step": 1, "before_step": 3}], "window_seconds": 120, "by": "props.arm",
                "filter": ["college_id=c0,c1"]}
        self.assertEqual(got, ask(body))
        rows = list(csv.DictReader(io.StringIO(MARQUEE.run(*arguments, "--format", "csv").stdout)))
        self.assertEqual([(row["props.arm"], int(row["step"]), row["name"], row["is_optional"], int(row["users"])) for row in rows],
                         [(key, *name, step["users"]) for key, one in [("(all)", got), *((row["key"], row) for row in got["rows"])]
                          for name, step in zip(((1, "page_view, search", "false"), (2, "click", "true"), (3, "conversion", "false")), one["steps"], strict=True)])
        dropped = MARQUEE.run(*arguments, "--drop-off", "1", "--format", "csv").stdout.split()
        self.assertEqual(dropped, ["user_key", *ask({**body, "dropped_after": 1})["dropped"]["keys"]])
        self.assertIn("reached step 1, but not the next", MARQUEE.run(*arguments, "--drop-off", "1").stdout)
        for wrong, said in ((("--exclude", "hover@1"), "--exclude hover@1"), (("--optional", "4"), "--optional 4"), (("--order", "wild"), "order")):
            result = MARQUEE.run(*arguments, *wrong, check=False)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(said, result.stderr)

    def test_what_makes_no_sense_is_named(self) -> None:
        fine: dict[str, Any] = {"site": "campus", "steps": steps_of(VIEW, SEARCH, CLICK)}
        optional = {**fine, "steps": steps_of(VIEW, "search?", CLICK)}
        hover = {"types": ["hover"]}
        for body, field in (
                ({**fine, "steps": steps_of(VIEW)}, "steps"), ({**fine, "steps": steps_of(*[VIEW] * 31)}, "steps"), ({**fine, "steps": VIEW}, "steps"),
                ({**fine, "steps": [{"types": []}, hover]}, "steps"), ({**fine, "steps": [{"types": ["fly"]}, hover]}, "steps"),
                ({**fine, "steps": [{"types": [VIEW], "filter": ["colour=red"]}, hover]}, "steps"), ({**fine, "steps": [hover, {**hover, "wild": 1}]}, "steps"),
                ({**fine, "steps": steps_of("page_view?", CLICK)}, "optional"), ({**fine, "steps": steps_of(VIEW, "click?")}, "optional"),
                ({**fine, "order": "any", "steps": steps_of(VIEW, CLICK, VIEW)}, "steps"), ({**fine, "order": "wild"}, "order"),
                ({**fine, "exclude": [hover] * 11}, "exclude"), ({**fine, "exclude": [{"types": ["fly"]}]}, "exclude"),
                ({**fine, "order": "strict", "exclude": [hover]}, "exclude"), ({**fine, "exclude": [{**hover, "after_step": 3}]}, "exclude"),
                ({**fine, "exclude": [{**hover, "before_step": 4}]}, "exclude"), ({**optional, "exclude": [{**hover, "after_step": 2}]}, "exclude"),
                ({**fine, "order": "any", "exclude": [{**hover, "after_step": 2}]}, "exclude"), ({**fine, "window_seconds": 0}, "window_seconds"),
                ({**fine, "window_seconds": 2_592_001}, "window_seconds"), ({**fine, "window_seconds": "60"}, "window_seconds"), ({**fine, "by": "colour"}, "by"),
                ({**fine, "compare": "previous"}, "compare"), ({**fine, "compare": "later"}, "compare"), ({**fine, "dropped_after": 3}, "dropped_after"),
                ({**fine, "dropped_after": 0}, "dropped_after"), ({**fine, "limit": 0}, "limit"), ({**fine, "key_limit": 100_001}, "key_limit"),
                ({**fine, "filter": ["device"]}, "filter"), ({**fine, "site": "nowhere"}, "site"), ({**fine, "from": "yesterday"}, "from"), ({**fine, "colour": 1}, "colour")):
            with self.subTest(body):
                answer = MARQUEE.api("/v1/reports/funnel", "POST", body)
                self.assertEqual((answer.status, answer.json()["error"].get("field")), (400, field), answer.body)
        for query, field in (("steps=click", "steps"), ("steps=click,search&optional=x", "optional"), ("steps=click,search&optional=3", "optional"),
                             ("steps=click,search&window_seconds=x", "window_seconds"), ("steps=click,search&exclude=fly", "exclude")):
            with self.subTest(query):
                answer = MARQUEE.api(f"/v1/reports/funnel?site=campus&{query}")
                self.assertEqual((answer.status, answer.json()["error"].get("field")), (400, field), answer.body)


class WindowFunnel(unittest.TestCase):
    """ClickHouse's own function, over the same events.

    It means the same where nothing decides between events of one time but the steps themselves (events without seq): it sorts by time and step. Where
    there is a seq it goes by that here, and windowFunnel may turn two events round: it counts as many users or more. In its plain mode one event can stand
    for several steps; strict_once takes an event once, but may turn round any two of one time, so the two agree on users who have none. Its strict_order
    stops at the first event that does not fit, also of a later attempt, and lets a step come again: the two agree on users who have each type once.
    """

    def levels(self, steps: list[str], window: int, kind: str, mode: str = "") -> list[int]:
        conditions = ", ".join(f"event_type = '{step}'" for step in steps)
        strict = f", '{mode}'" if mode else ""
        counted = ", ".join(f"countIf(level >= {number + 1})" for number in range(len(steps)))
        row = next(iter(MARQUEE.rows(
            f"SELECT {counted} FROM (SELECT windowFunnel({window * 1000}{strict})(toUInt64(toUnixTimestamp64Milli(event_time)), {conditions}) AS level "
            f"FROM marquee.events WHERE site_id = 'campus' AND NOT is_bot AND toString(props.kind) = '{kind}' AND (user_key != 0 OR session_id != 0) "
            "GROUP BY if(user_key != 0, user_key, session_id))")))
        return [int(count) for count in row]

    def users(self, steps: list[str], window: int, kind: str, order: str) -> list[int]:
        report = ask({"steps": [{"types": [step]} for step in steps], "order": order, "window_seconds": window, "filter": [f"props.kind={kind}"]})
        return [step["users"] for step in report["steps"]]

    def test_ordered_is_the_same_for_events_without_seq_and_never_more_for_others(self) -> None:
        draw = random.Random(SEED + 2)
        fewer = 0
        for case in range(60):
            steps, window = draw.sample([*TYPES, "hover"], draw.randrange(2, 6)), draw.choice([1, 2, 60, 120])
            with self.subTest(case=case, seed=SEED, steps=steps, window=window):
                for kind in ("none", "once", "apart"):
                    self.assertEqual(self.users(steps, window, kind, "ordered"), self.levels(steps, window, kind))
                own, theirs = self.users(steps, window, "seq", "ordered"), self.levels(steps, window, "seq")
                self.assertTrue(all(a <= b for a, b in zip(own, theirs, strict=True)), (own, theirs))
                fewer += own != theirs
        self.assertGreater(fewer, 0, "some events of one time stand in another order than the steps")

    def test_repeated_steps_are_the_same_as_with_strict_once(self) -> None:
        draw = random.Random(SEED + 3)
        for case in range(40):
            steps, window = draw.choices(TYPES[:3], k=draw.randrange(2, 5)), draw.choice([1, 2, 60, 120])
            with self.subTest(case=case, seed=SEED, steps=steps, window=window):
                self.assertEqual(self.users(steps, window, "apart", "ordered"), self.levels(steps, window, "apart", "strict_once"))
                for kind in ("seq", "none"):
                    own, theirs = self.users(steps, window, kind, "ordered"), self.levels(steps, window, kind, "strict_once")
                    self.assertTrue(all(a <= b for a, b in zip(own, theirs, strict=True)), (own, theirs))

    def test_strict_is_the_same_for_users_who_have_each_type_once(self) -> None:
        draw = random.Random(SEED + 4)
        for case in range(60):
            steps, window = draw.sample([*TYPES, "hover"], draw.randrange(2, 5)), draw.choice([1, 2, 60, 120])
            with self.subTest(case=case, seed=SEED, steps=steps, window=window):
                self.assertEqual(self.users(steps, window, "once", "strict"), self.levels(steps, window, "once", "strict_order"))


if __name__ == "__main__":
    unittest.main()
