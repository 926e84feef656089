"""What users did: searches, paths and retention equal a recount in Python of random events."""

from __future__ import annotations

import collections
import datetime
import os
import random
import unittest
import urllib.parse
from typing import Any

from tests.support.marquee import Marquee
from tests.support.reports import import_events, text_time
from tests.support.searches import recount

SEED = int(os.environ.get("SEED", "1"))
DAY = 86_400_000
# A Monday, some weeks ago.
BEGIN = (int(datetime.datetime.now(datetime.UTC).timestamp() * 1000) // DAY // 7 * 7 - 24) * DAY
DAYS = 14
TYPES = ("page_view", "search", "click", "course_click", "course_view", "impression", "hover")

MARQUEE: Marquee
EVENTS: list[dict[str, Any]] = []


def random_session(draw: random.Random, session: int) -> list[dict[str, Any]]:
    user = {"user_id": f"u{draw.randrange(60)}", "consent": "full"} if draw.random() < 0.8 else {}
    moment = BEGIN + draw.randrange(DAYS * DAY - 200_000)
    is_bot = draw.random() < 0.05
    events = []
    for seq in range(1, draw.randrange(2, 15)):
        moment += draw.choice([0, 0, 10, 5000])  # Many at the same time: seq decides.
        event: dict[str, Any] = {"type": draw.choice(TYPES), "session_id": f"b{session}", "seq": seq, "event_time": moment, "is_bot": is_bot,
                                 "device": draw.choice(["phone", "desktop"]), "page_id": draw.choice(["home", "fees", "o'brien\\x", ""]), **user}
        if event["type"] == "search":
            event["search_query"] = draw.choice(["Law", " law ", "fees", "Ünï", "b'tech\\", ""])
            if draw.random() < 0.8:
                event["results_count"] = draw.choice([0, 3])
        events.append(event)
    return events


def setUpModule() -> None:
    global MARQUEE
    assert datetime.datetime.fromtimestamp(BEGIN / 1000, datetime.UTC).weekday() == 0, "a Monday"
    MARQUEE = Marquee()
    MARQUEE.start()
    draw = random.Random(SEED)
    for session in range(600):
        EVENTS.extend(random_session(draw, session))
    import_events(MARQUEE, draw.sample(EVENTS, len(EVENTS)))


def tearDownModule() -> None:
    MARQUEE.__exit__(None, None, None)


def ask(report: str, **parameters: Any) -> dict[str, Any]:
    answer = MARQUEE.api(f"/v1/reports/{report}?" + urllib.parse.urlencode({"site": "campus", **parameters}, doseq=True))
    assert answer.status == 200, answer.body
    return dict(answer.json())


class Searches(unittest.TestCase):
    def test_terms_equal_a_walk_through_each_session(self) -> None:
        for begin, end in ((BEGIN, BEGIN + DAYS * DAY), (BEGIN + 3 * DAY + 12_345, BEGIN + 9 * DAY)):
            report = ask("searches", **{"from": text_time(begin), "to": text_time(end)})
            total, terms = recount(EVENTS, begin // 1000 * 1000, end)
            self.assertEqual(report["total"], total)
            self.assertEqual({one.pop("term"): one for one in report["terms"]}, terms)
            self.assertGreater(len(terms), 3)

    def test_most_searched_come_first_and_the_limit_cuts(self) -> None:
        report = ask("searches", limit=2)
        everything = ask("searches")
        self.assertTrue(report["is_cut"])
        self.assertFalse(everything["is_cut"])
        self.assertEqual(report["terms"], everything["terms"][:2])
        self.assertEqual([one["searches"] for one in everything["terms"]], sorted((one["searches"] for one in everything["terms"]), reverse=True))
        most = everything["terms"][0]["searches"]
        self.assertEqual([one["term"] for one in ask("searches", min_searches=most)["terms"]],
                         [one["term"] for one in everything["terms"] if one["searches"] >= most])


class Paths(unittest.TestCase):
    def recount(self, begin: int, end: int, by: str, types: list[str], start: str | None, steps: int, places: int, device: str | None) -> dict[str, Any]:
        sessions = collections.defaultdict(list)
        for event in EVENTS:
            if not event["is_bot"] and begin <= event["event_time"] < end and (not types or event["type"] in types) and device in (None, event["device"]):
                sessions[event["session_id"]].append(event)
        ways = []
        for events in sessions.values():
            events.sort(key=lambda event: (event["event_time"], event["seq"]))
            way: list[str] = []
            for event in events:
                if not way or way[-1] != event[by]:
                    way.append(event[by])
            if start is None or start in way:
                ways.append(way if start is None else way[way.index(start):])
        at = [collections.Counter(way[i] for way in ways if len(way) > i) for i in range(steps)]
        # Of two that are visited alike, the first by name.
        kept = [[place for place, _ in sorted(one.items(), key=lambda item: (-item[1], item[0].encode()))[:places]] for one in at]

        def node(i: int, place: str) -> tuple[int, str | None]:
            return i + 1, place if place in kept[i] else None

        nodes: collections.Counter[tuple[int, str | None]] = collections.Counter()
        ended: collections.Counter[tuple[int, str | None]] = collections.Counter()
        links: collections.Counter[tuple[tuple[int, str | None], tuple[int, str | None]]] = collections.Counter()
        for way in ways:
            for i, place in enumerate(way[:steps]):
                nodes[node(i, place)] += 1
                if i + 1 < steps and i + 1 < len(way):
                    links[node(i, place), node(i + 1, way[i + 1])] += 1
                elif i + 1 < steps:
                    ended[node(i, place)] += 1
        return {"sessions": len(ways), "nodes": dict(nodes), "ended": +ended, "links": dict(links)}

    def test_ways_equal_a_walk_through_each_session(self) -> None:
        draw = random.Random(SEED + 3)
        for case in range(60):
            begin = BEGIN + draw.randrange(DAYS * DAY // 2) // 1000 * 1000
            end = begin + draw.randrange(DAY, DAYS * DAY) // 1000 * 1000
            by = draw.choice(["page_id", "page_id", "device"])
            types = draw.choice([[], ["page_view"], ["page_view", "search", "click"]])
            start = draw.choice([None, None, "home", "o'brien\\x", "phone", "nowhere"])
            steps, places, device = draw.randrange(2, 9), draw.choice([1, 2, 3, 100]), draw.choice([None, None, "phone"])
            parameters = {"from": text_time(begin), "to": text_time(end), "by": by, "events": ",".join(types), "steps": steps, "places": places,
                          **({} if start is None else {"start": start}), "filter": [f"device={device}"] if device else []}
            with self.subTest(case=case, **parameters):
                report = ask("paths", **parameters)
                names = [(one["step"], one["place"]) for one in report["nodes"]]
                self.assertEqual(len(names), len(set(names)))
                got = {"sessions": report["sessions"], "nodes": {(one["step"], one["place"]): one["sessions"] for one in report["nodes"]},
                       "ended": collections.Counter({(one["step"], one["place"]): one["ended"] for one in report["nodes"] if one["ended"]}),
                       "links": {(names[one["from"]], names[one["to"]]): one["sessions"] for one in report["links"]}}
                self.assertEqual(got, self.recount(begin, end, by, types, start, steps, places, device))

    def test_what_makes_no_sense_is_named(self) -> None:
        for query, field in (("by=colour", "by"), ("events=fly", "events"), ("steps=1", "steps"), ("steps=21", "steps"), ("places=0", "places"), ("filter=x=y", "filter")):
            with self.subTest(query):
                answer = MARQUEE.api(f"/v1/reports/paths?site=campus&{query}")
                self.assertEqual((answer.status, answer.json()["error"].get("field")), (400, field), answer.body)


class Retention(unittest.TestCase):
    def recount(self, begin: int, end: int, length: int, start: list[str], back: list[str], device: str | None) -> list[dict[str, Any]]:
        users = collections.defaultdict(list)
        for event in EVENTS:
            if not event["is_bot"] and event.get("user_id") and begin <= event["event_time"] < end and device in (None, event["device"]):
                users[event["user_id"]].append(event)
        cohorts: dict[int, list[set[int]]] = collections.defaultdict(list)
        for events in users.values():
            first = min(((event["event_time"] - begin) // length for event in events if not start or event["type"] in start), default=None)
            if first is not None:
                cohorts[first].append({(event["event_time"] - begin) // length - first for event in events if not back or event["type"] in back})
        return [{"time": text_time(begin + first * length).replace("Z", ".000Z"), "users": len(members),
                 "back": [sum(k in one for one in members) for k in range((end - begin) // length - first)]}
                for first, members in sorted(cohorts.items())]

    def test_cohorts_equal_a_recount(self) -> None:
        draw = random.Random(SEED + 7)
        sources = set()
        for case in range(40):
            interval = draw.choice(["day", "day", "week"])
            length = DAY * (1 if interval == "day" else 7)
            begin = BEGIN + draw.randrange(DAYS * DAY // length) * length
            end = begin + draw.randrange(1, (BEGIN + DAYS * DAY - begin) // length + 1) * length
            start, back = (draw.sample(TYPES, draw.choice([0, 0, 1, 2])) for _ in range(2))
            device = draw.choice([None, None, "phone"])
            parameters = {"from": text_time(begin), "to": text_time(end), "interval": interval, "start": ",".join(start), "back": ",".join(back),
                          "filter": [f"device={device}"] if device else []}
            with self.subTest(case=case, **parameters):
                report = ask("retention", **parameters)
                sources.add(report["source"])
                self.assertEqual(report["cohorts"], self.recount(begin, end, length, start, back, device))
        self.assertEqual(sources, {"user_days", "events"})

    def test_what_makes_no_sense_is_named(self) -> None:
        week = "from=2026-01-05T00:00:00Z&to=2026-01-19T00:00:00Z"
        for query, field in (("to=2026-01-19T00:00:00Z", "from"), ("from=2026-01-05T00:00:00Z", "to"), (week + "&interval=month", "interval"),
                             ("from=2026-01-06T00:00:00Z&to=2026-01-19T00:00:00Z&interval=week", "from"), ("from=2026-01-05T01:00:00Z&to=2026-01-19T00:00:00Z", "from"),
                             (week + "&start=fly", "start"), (week + "&back=fly", "back"), (week + "&filter=colour=red", "filter"),
                             ("from=2016-01-05T00:00:00Z&to=2026-01-19T00:00:00Z", "to")):
            with self.subTest(query):
                answer = MARQUEE.api(f"/v1/reports/retention?site=campus&{query}")
                self.assertEqual((answer.status, answer.json()["error"].get("field")), (400, field), answer.body)


if __name__ == "__main__":
    unittest.main()
