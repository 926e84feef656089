"""Segments and arms of experiments equal a recount in Python of random events, in every report; a refresh shows whole or not at all."""

from __future__ import annotations

import collections
import csv
import io
import itertools
import json
import math
import os
import random
import threading
import time
import unittest
import urllib.parse
from collections.abc import Iterator
from typing import Any

from tests.support.funnels import report as walked
from tests.support.marquee import Answer, Marquee, request, wait_until
from tests.support.reports import import_events, text_time
from tests.support.segments import arm_of, exposures, in_rule, moment, users_with_key

SEED = int(os.environ.get("SEED", "1"))
HOUR = 3_600_000
DAY = 24 * HOUR
BEGIN = (int(time.time() * 1000) // DAY - 5) * DAY
END = BEGIN + 4 * DAY
TYPES = ["page_view", "search", "impression", "impression", "viewable_impression", "hover", "click", "conversion"]
# The second is of no arm that anybody could mistake for SQL.
EXPERIMENTS = {"layout": ["control", "wide"], "o'brien\\`x {a:b}": ["a", "b", "it's"]}

MARQUEE: Marquee
EVENTS: list[dict[str, Any]] = []
KEYS: dict[str, str] = {}


def random_user(draw: random.Random, number: int) -> Iterator[dict[str, Any]]:
    name = f"u{number}"
    is_bot, is_anonymous = draw.random() < 0.05, draw.random() < 0.1
    about = {"device": draw.choice(["phone", "desktop"]), "college_id": f"c{number % 3}"}
    # Most are exposed to one arm, some to several, some to none; some again and again.
    arms = {experiment: draw.sample(names, draw.choice([0, 1, 1, 1, 2])) for experiment, names in EXPERIMENTS.items()}
    moments = sorted(BEGIN + draw.randrange(4 * DAY) // 1000 * 1000 for _ in range(draw.randrange(3, 25)))
    if draw.random() < 0.5:  # Many of one time, exposures among them.
        moments[1:] = [draw.choice([moments[0], moments[0] + 1000, moment]) for moment in moments[1:]]
    for seq, moment in enumerate(moments):
        event: dict[str, Any] = {"type": draw.choice(TYPES), "event_time": moment, "session_id": f"s{number}", "seq": seq + 1, "is_bot": is_bot, **about,
                                 "page_id": draw.choice(["home", "fees"]), "page_x": draw.randrange(10_000), "page_y": draw.randrange(10_000), "props": {"name": name}}
        if not is_anonymous:
            event.update(user_id=name, consent="full")
        if event["type"] not in ("page_view", "search"):
            event.update(campaign_id=draw.choice(["law", "art"]), ad_id="a", slot_id=draw.choice(["top", "side"]), position=draw.randrange(2))
        if event["type"] == "search":
            event["search_query"] = draw.choice(["law", "fees"])
        if draw.random() < 0.2:
            experiment = draw.choice(list(EXPERIMENTS))
            if arms[experiment]:
                event.update(type="exposure")
                event["props"].update(experiment=experiment, arm=draw.choice([*arms[experiment], *([""] * (draw.random() < 0.1))]))
        yield event


def setUpModule() -> None:
    global MARQUEE
    print(f"SEED={SEED}", flush=True)
    MARQUEE = Marquee({"MARQUEE_SEGMENTS_REFRESH": "1s"})
    MARQUEE.start()
    draw = random.Random(SEED)
    for number in range(250):
        EVENTS.extend(random_user(draw, number))
    import_events(MARQUEE, draw.sample(EVENTS, len(EVENTS)))
    learn_keys()


def tearDownModule() -> None:
    MARQUEE.__exit__(None, None, None)


def learn_keys() -> None:
    KEYS.update((name, f"{int(key):016x}") for name, key in MARQUEE.rows(
        "SELECT DISTINCT toString(props.name), user_key FROM marquee.events WHERE site_id = 'campus' AND user_key != 0"))


def ask(report: str, **parameters: Any) -> dict[str, Any]:
    answer = MARQUEE.api(f"/v1/reports/{report}?" + urllib.parse.urlencode({"site": "campus", **parameters}, doseq=True))
    assert answer.status == 200, answer.body
    return dict(answer.json())


def ask_funnel(definition: dict[str, Any]) -> dict[str, Any]:
    answer = MARQUEE.api("/v1/reports/funnel", "POST", {"site": "campus", **definition})
    assert answer.status == 200, answer.body
    return dict(answer.json())


def made(title: str, definition: dict[str, Any]) -> dict[str, Any]:
    answer = MARQUEE.api("/v1/segments", "POST", {"site": "campus", "title": title, "definition": definition})
    assert answer.status == 201, answer.body
    return dict(answer.json())


def put(segment: dict[str, Any], definition: dict[str, Any]) -> dict[str, Any]:
    answer = MARQUEE.api(f"/v1/segments/{segment['id']}", "PUT", {"site": "campus", "title": segment["title"], "definition": definition})
    assert answer.status == 200, answer.body
    return dict(answer.json())


def removed(segment: dict[str, Any]) -> None:
    assert MARQUEE.api(f"/v1/segments/{segment['id']}", "DELETE").status == 204


def users_of(segment: dict[str, Any]) -> list[str]:
    """Keys, as they stand in the store."""
    return [f"{int(key):016x}" for (key,) in MARQUEE.rows(
        f"SELECT user_key FROM marquee.segment_users WHERE segment_id = '{segment['id']}' AND version = {segment['version']} ORDER BY user_key")]


def keys_of(names: set[str]) -> list[str]:
    return sorted(KEYS[name] for name in names)


def list_of(names: set[str]) -> dict[str, Any]:
    return {"kind": "list", "users": keys_of(names)}


def random_condition(draw: random.Random) -> dict[str, Any]:
    condition: dict[str, Any] = {"types": draw.sample([*set(TYPES), "exposure"], draw.choice([0, 1, 1, 2]))}
    if draw.random() < 0.4:
        condition["filter"] = draw.sample(["device=phone", "college_id!=c1", "campaign_id=law", "props.arm=control,a", "page_id=home", "slot_id="], draw.choice([1, 2]))
    if draw.random() < 0.8:
        condition[draw.choice(["at_least", "at_least", "fewer_than"])] = draw.choice([1, 1, 2, 3, 6])
    times = draw.random()
    if times < 0.3:
        condition["last"] = draw.choice(["3d", "4d", "72h", "30d"])
    elif times < 0.7:
        begin = BEGIN + draw.randrange(4 * DAY // 1000) * 1000
        condition["from"] = text_time(begin)
        if times < 0.5:
            condition["to"] = text_time(begin + draw.randrange(HOUR, 3 * DAY) // 1000 * 1000)
    return condition


def random_rule(draw: random.Random, depth: int = 0) -> dict[str, Any]:
    if depth == 3 or draw.random() < 0.4:
        return random_condition(draw)
    kind = draw.choice(["all", "any", "not"])
    return {kind: random_rule(draw, depth + 1) if kind == "not" else [random_rule(draw, depth + 1) for _ in range(draw.randrange(1, 4))]}


class Membership(unittest.TestCase):
    def test_rules_have_the_users_of_whom_they_hold(self) -> None:
        draw = random.Random(SEED + 1)
        segment = made("Random", {"kind": "rule", "rule": {"types": ["click"]}})
        sizes = []
        for case in range(55):
            rule = random_rule(draw)
            with self.subTest(case=case, seed=SEED, rule=rule):
                now = int(time.time() * 1000)
                segment = put(segment, {"kind": "rule", "rule": rule})
                expected = in_rule(rule, EVENTS, now)
                self.assertEqual(users_of(segment), keys_of(expected))
                self.assertEqual(segment["size"], len(expected))
                sizes.append(len(expected))
        everyone = len(users_with_key(EVENTS))
        self.assertGreater(sum(0 < size < everyone for size in sizes), 28, "most are of some and not of all")
        removed(segment)
        self.assertEqual(MARQUEE.count(f"SELECT count() FROM marquee.segment_users WHERE version = {segment['version']}"), 0)

    def test_a_drop_off_has_the_users_that_the_report_tells(self) -> None:
        draw = random.Random(SEED + 2)
        segment = made("Left", {"kind": "list", "users": []})
        some = 0
        for case in range(20):
            funnel: dict[str, Any] = {"steps": [{"types": draw.sample(list(set(TYPES)), draw.choice([1, 1, 2]))} for _ in range(draw.randrange(2, 5))],
                                      "order": draw.choice(["ordered", "ordered", "strict"]), "window_seconds": draw.choice([60, 3600, 86_400 * 3])}
            funnel["dropped_after"] = draw.randrange(1, len(funnel["steps"]))
            if draw.random() < 0.4:
                funnel["filter"] = [draw.choice(["device=phone", "college_id!=c1", "arm.layout=wide"])]
            if draw.random() < 0.5:
                funnel["last"] = "4d"
            with self.subTest(case=case, seed=SEED, funnel=funnel):
                report = ask_funnel({**funnel, "key_limit": 10_000})["dropped"]
                segment = put(segment, {"kind": "drop_off", "funnel": funnel})
                self.assertEqual(users_of(segment), report["keys"])
                self.assertEqual(segment["size"], report["users"] - report["users_without_key"])
                some += segment["size"] > 0
        self.assertGreater(some, 12)
        removed(segment)

    def test_lists_have_each_user_once(self) -> None:
        segment = made("List", {"kind": "list", "users": ["00000000000000ff", "0000000000000001", "00000000000000FF"]})
        self.assertEqual(users_of(segment), ["0000000000000001", "00000000000000ff"])
        listed = MARQUEE.api("/v1/segments?site=campus").json()["segments"]
        self.assertEqual([one["definition"] for one in listed if one["id"] == segment["id"]], [{"kind": "list"}])
        self.assertEqual(MARQUEE.api(f"/v1/segments/{segment['id']}").json(), segment)
        removed(segment)

    def test_what_makes_no_sense_is_named(self) -> None:
        deep: dict[str, Any] = {"types": ["click"]}
        for _ in range(11):
            deep = {"not": deep}
        steps = [{"types": ["search"]}, {"types": ["click"]}]
        for definition, named in (
                ({"kind": "guess"}, "kind"), ({"kind": "rule"}, "rule: missing"), ({"kind": "rule", "rule": {"types": ["fly"]}}, "fly"), ({"kind": "rule", "rule": {"all": []}}, "all"),
                ({"kind": "rule", "rule": {"types": ["click"], "at_least": 0}}, "at least 1"), ({"kind": "rule", "rule": {"at_least": 1, "fewer_than": 2}}, "at_least"),
                ({"kind": "rule", "rule": {"filter": ["colour=red"]}}, "colour"), ({"kind": "rule", "rule": {"last": "7y"}}, "last"), ({"kind": "rule", "rule": {"colour": 1}}, "colour"),
                ({"kind": "rule", "rule": {"filter": ["segment=nowhere"]}}, "nowhere"), ({"kind": "rule", "rule": deep}, "levels"), ({"kind": "rule", "rule": 7}, "object"),
                ({"kind": "rule", "rule": {"any": [{}] * 51}}, "conditions"), ({"kind": "rule", "rule": {}, "users": []}, "users"),
                ({"kind": "drop_off", "funnel": {"steps": steps}}, "dropped_after"), ({"kind": "drop_off", "funnel": {"steps": steps, "dropped_after": 2}}, "dropped_after"),
                ({"kind": "drop_off", "funnel": {"steps": steps, "dropped_after": 1, "site": "moodle"}}, "site"), ({"kind": "list", "users": ["x"]}, "16 hexadecimal"),
                ({"kind": "list", "users": ["0" * 16]}, "nobody"), ([], "object")):
            with self.subTest(definition):
                answer = MARQUEE.api("/v1/segments", "POST", {"site": "campus", "title": "x", "definition": definition})
                self.assertEqual((answer.status, answer.json()["error"].get("field"), named in answer.json()["error"]["message"]), (400, "definition", True), answer.body)
        for parameters, field in (({"filter": "segment=nowhere"}, "filter"), ({"by": "segment,colour"}, "by"), ({"by": "arm."}, "by")):
            answer = MARQUEE.api("/v1/reports/ctr?" + urllib.parse.urlencode({"site": "campus", **parameters}))
            self.assertEqual((answer.status, answer.json()["error"]["field"]), (400, field))
        self.assertEqual(MARQUEE.api("/v1/reports/paths?site=campus&by=segment").json()["error"]["field"], "by")


def random_range(draw: random.Random) -> tuple[int, int]:
    """Often of whole days, of which other columns are read."""
    grain = draw.choice([1000, 1000, DAY])
    begin = BEGIN + draw.randrange(2 * DAY) // grain * grain
    return begin, begin + max(draw.randrange(HOUR, 3 * DAY) // grain, 1) * grain


def counted(events: list[dict[str, Any]]) -> dict[str, float]:
    kinds = collections.Counter(event["type"] for event in events if event.get("campaign_id"))
    return {"impressions": kinds["impression"], "clicks": kinds["click"],
            "reach": len({event["user_id"] for event in events if event["type"] == "impression" and event.get("user_id") and event.get("campaign_id")})}


class Reports(unittest.TestCase):
    segments: dict[str, dict[str, Any]] = {}
    names: dict[str, set[str]] = {}

    @classmethod
    def setUpClass(cls) -> None:
        draw = random.Random(SEED + 3)
        everyone = sorted(users_with_key(EVENTS))
        for title, share in (("most", 0.8), ("some", 0.3), ("few", 0.05), ("none", 0.0)):
            cls.names[title] = {name for name in everyone if draw.random() < share}
            cls.segments[title] = made(title, list_of(cls.names[title]))

    @classmethod
    def tearDownClass(cls) -> None:
        for segment in cls.segments.values():
            removed(segment)

    def groups(self, event: dict[str, Any]) -> list[str]:
        """The segments that the event counts in."""
        return [self.segments[title]["id"] for title, names in self.names.items() if event.get("user_id") in names] or [""]

    def test_an_event_counts_in_each_segment_of_its_user_and_once_in_the_total(self) -> None:
        draw = random.Random(SEED + 4)
        for case in range(20):
            by = draw.choice([["segment"], ["segment", "device"], ["college_id", "segment", "day"]])
            begin, end = random_range(draw)
            sample = {"sample": "1"} if draw.random() < 0.3 else {}
            compare = draw.random() < 0.5
            with self.subTest(case=case, seed=SEED, by=by, begin=begin, end=end, sample=sample):
                report = ask("metrics", metrics="impressions,clicks,reach", by=",".join(by), limit=10_000, compare="previous" if compare else "none",
                             **{"from": text_time(begin), "to": text_time(end)}, **sample)
                for name, first, last in (("values", begin, end), *([("previous", begin - (end - begin), begin)] if compare else [])):
                    shift = begin - first
                    events = [event for event in EVENTS if not event["is_bot"] and first <= event["event_time"] < last]
                    rows: dict[tuple[str, ...], list[dict[str, Any]]] = collections.defaultdict(list)
                    for event in events:
                        keys = [self.groups(event) if one == "segment" else [text_time(event["event_time"] + shift)[:10]] if one == "day" else [event[one]] for one in by]
                        for key in itertools.product(*keys):
                            rows[key].append(event)
                    self.assertEqual([value["value"] for value in report["total"][name]], list(counted(events).values()))
                    expected = {key: list(counted(own).values()) for key, own in rows.items()}
                    got = {tuple(row["keys"]): [value["value"] for value in row[name]] for row in report["rows"]}
                    self.assertEqual({key: values for key, values in got.items() if any(values)}, {key: values for key, values in expected.items() if any(values)})

    def test_every_report_takes_a_segment_as_the_names_of_its_users(self) -> None:
        """A filter by segment says what a filter by a thing that only its users have says."""
        titles = ("most", "few")
        for title, negated in itertools.product(titles, ("", "!")):
            names = self.names[title]
            by_segment = f"segment{negated}={self.segments[title]['id']}"
            by_name = f"props.name{negated}={','.join(sorted(names))}"
            for kind, asked in (("ctr", {"by": "college_id"}), ("metrics", {"metrics": "reach,clicks", "by": "device"}), ("metrics", {"metrics": "ctr", "sample": "0.7"}),
                                ("heatmap", {}), ("heatmap", {"mode": "page", "page": "home"}), ("paths", {}), ("searches", {}), ("campaigns", {}),
                                ("retention", {"from": text_time(BEGIN), "to": text_time(END)}), ("funnel", {"steps": "search,click", "window_seconds": 100_000})):
                with self.subTest(title=title, negated=negated, kind=kind):
                    got, expected = ask(kind, **asked, filter=by_segment), ask(kind, **asked, filter=by_name)
                    self.assertEqual(got, expected)
                    if not negated:
                        self.assertNotEqual(got, ask(kind, **asked))

    def test_the_stream_in_steps_says_the_same_at_last(self) -> None:
        for by in ("segment", "arm.layout"):
            streamed = MARQUEE.api(f"/v1/reports/metrics/stream?site=campus&metrics=reach,ctr&by={by}").body.decode()
            self.assertEqual(json.loads(streamed.split("event: exact\ndata: ")[1].split("\n")[0]), ask("metrics", metrics="reach,ctr", by=by))

    def test_who_is_in_no_segment_can_be_asked_for(self) -> None:
        outside = set(users_with_key(EVENTS)) - set().union(*self.names.values())
        events = [event for event in EVENTS if not event["is_bot"] and (not event.get("user_id") or event["user_id"] in outside)]
        self.assertEqual([value["value"] for value in ask("metrics", metrics="impressions,clicks,reach", filter="segment=")["total"]["values"]], list(counted(events).values()))

    def test_the_ctr_of_a_segment_is_compared_with_that_of_everybody_else(self) -> None:
        report = ask("ctr", by="segment")
        row = next(row for row in report["rows"] if row["keys"] == [self.segments["some"]["id"]])
        n, m = row["impressions"], report["total"]["impressions"] - row["impressions"]
        a, b = row["clicks"], report["total"]["clicks"] - row["clicks"]
        pooled = (a + b) / (n + m)
        z = (a / n - b / m) / math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
        self.assertAlmostEqual(row["p_value"], math.erfc(abs(z) / math.sqrt(2)), places=9)

    def test_a_funnel_by_segment_is_the_funnel_of_its_users(self) -> None:
        definition: dict[str, Any] = {"steps": [{"types": ["page_view", "search"]}, {"types": ["hover"], "optional": True}, {"types": ["click"]}], "window_seconds": 86_400}
        for order in ("ordered", "any"):
            got = ask_funnel({**definition, "order": order, "by": "segment"})
            own = {one["id"]: title for title, one in self.segments.items()}
            rows = {row["key"]: [step["users"] for step in row["steps"]] for row in got["rows"]}
            expected = {}
            for key, title in [*own.items(), ("", "")]:
                events = [event for event in EVENTS if key in self.groups(event)]
                steps = walked({**definition, "order": order}, events, BEGIN, END)["steps"]
                if steps[0]["users"]:
                    expected[key] = [step["users"] for step in steps]
                self.assertTrue(title != "most" or key in expected)
            self.assertEqual(rows, expected)
            everybody = walked({**definition, "order": order}, EVENTS, BEGIN, END)["steps"]
            self.assertEqual([step["users"] for step in got["steps"]], [step["users"] for step in everybody])

    def test_sizes_and_overlaps(self) -> None:
        ids = {title: one["id"] for title, one in self.segments.items()}
        draw = random.Random(SEED + 5)
        for times in ({}, {"from": text_time(BEGIN + DAY), "to": text_time(BEGIN + 2 * DAY)}, {"from": text_time(BEGIN + draw.randrange(DAY) // 1000 * 1000)}):
            with self.subTest(times):
                begin = moment(times["from"]) if "from" in times else 0
                end = moment(times["to"]) if "to" in times else 1 << 62
                active = {event["user_id"] for event in EVENTS if event.get("user_id") and not event["is_bot"] and begin <= event["event_time"] < end}
                report = ask("segments", segments=",".join(ids.values()), **times)
                self.assertEqual(report["source"], "user_days" if "to" in times or not times else "events")
                self.assertEqual(report["site_users"], len(active))
                self.assertEqual(report["segments"], [{"id": ids[title], "title": title, "size": len(names), "users": len(names & active), "share": len(names & active) / len(active)}
                                                      for title, names in self.names.items()])
                expected = []
                for (a, of_a), (b, of_b) in itertools.combinations(self.names.items(), 2):
                    both, one = len(of_a & of_b & active), len((of_a | of_b) & active)
                    expected.append({"a": ids[a], "b": ids[b], "users": both, "share_of_a": both / (len(of_a & active) or 1), "share_of_b": both / (len(of_b & active) or 1),
                                     "jaccard": both / (one or 1)})
                self.assertEqual(report["overlaps"], expected)
        self.assertGreater(expected[0]["users"], 0)

    def test_sizes_and_overlaps_on_the_command_line_as_files_and_saved(self) -> None:
        report = ask("segments")
        arguments = ("report", "segments", "--site", "campus")
        self.assertEqual(json.loads(MARQUEE.run(*arguments, "--format", "json").stdout), report)
        rows = list(csv.DictReader(io.StringIO(MARQUEE.run(*arguments, "--format", "csv").stdout)))
        self.assertEqual([(row["segment"], row["other"], int(row["users"])) for row in rows],
                         [(one["id"], "", one["users"]) for one in report["segments"]] + [(one["a"], one["b"], one["users"]) for one in report["overlaps"]])
        self.assertIn("most (", MARQUEE.run(*arguments).stdout)
        for form, begin in (("png", b"\x89PNG"), ("parquet", b"PAR1")):
            self.assertEqual(MARQUEE.api(f"/v1/reports/segments?site=campus&format={form}").body[:4], begin)
        saved = MARQUEE.api("/v1/saved-reports", "POST", {"name": "Overlaps", "kind": "segments", "parameters": {"site": "campus"}}).json()
        self.assertEqual(MARQUEE.api(f"/v1/saved-reports/{saved['id']}/answer").json(), report)
        MARQUEE.api(f"/v1/saved-reports/{saved['id']}", "DELETE")


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
                report = ask("metrics", metrics="impressions,clicks,reach", by=",".join([f"arm.{experiment}", *other]), compare="previous" if compare else "none",
                             **{"from": text_time(begin), "to": text_time(end)}, **sample)
                exposed = exposures(experiment, EVENTS, end)
                events = [event for event in EVENTS if begin <= event["event_time"] < end and arm_of(event, exposed)]
                rows: dict[tuple[str, ...], list[dict[str, Any]]] = collections.defaultdict(list)
                for event in events:
                    rows[arm_of(event, exposed), *(event[one] for one in other)].append(event)
                self.assertEqual([value["value"] for value in report["total"]["values"]], list(counted(events).values()))
                self.assertEqual({tuple(row["keys"]): values for row in report["rows"] if any(values := [value["value"] for value in row["values"]])},
                                 {key: list(counted(own).values()) for key, own in rows.items() if any(counted(own).values())})
                if compare:
                    before = [event for event in EVENTS if begin - (end - begin) <= event["event_time"] < begin and arm_of(event, exposed)]
                    self.assertEqual([value["value"] for value in report["total"]["previous"]], list(counted(before).values()))
                sole = collections.Counter(next(iter(arms)) for _, arms in exposed.values() if len(arms) == 1)
                self.assertEqual(report["experiments"], [{"experiment": experiment, "arms": [{"arm": arm, "users": count} for arm, count in sorted(sole.items())],
                                                          "users_in_several_arms": sum(len(arms) > 1 for _, arms in exposed.values())}])

    def test_the_command_line_tells_who_is_left_out(self) -> None:
        report = ask("ctr", by="arm.layout")
        table = MARQUEE.run("report", "ctr", "--site", "campus", "--by", "arm.layout").stdout
        self.assertIn(f"{report['experiments'][0]['users_in_several_arms']} exposed to several arms are left out", table)
        self.assertIn("arm.layout", table)

    def test_a_filter_by_arm_says_what_the_row_says(self) -> None:
        exposed = exposures("layout", EVENTS, 1 << 62)
        for values, negated in ((["wide"], False), (["wide"], True), ([""], True), (["control", "wide"], False), ([""], False)):
            with self.subTest(values=values, negated=negated):
                events = [event for event in EVENTS if not event["is_bot"] and (arm_of(event, exposed) in values) != negated]
                report = ask("metrics", metrics="impressions,clicks,reach", filter=f"arm.layout{'!' if negated else ''}={','.join(values)}")
                self.assertEqual([value["value"] for value in report["total"]["values"]], list(counted(events).values()))

    def test_the_ctr_by_arm_has_its_interval_and_the_others_as_its_rest(self) -> None:
        report = ask("ctr", by="arm.layout")
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
                got = ask_funnel({**definition, "by": dimension, "from": text_time(begin), "to": text_time(end), "compare": "previous" if compares else "none"})
                exposed = exposures(experiment, EVENTS, end)
                events = [{**event, dimension: arm} for event in EVENTS if (arm := arm_of(event, exposed))]
                expected = walked({**definition, "by": dimension}, events, begin, end)
                self.assertEqual([step["users"] for step in got["steps"]], [step["users"] for step in expected["steps"]])
                self.assertEqual({row["key"]: [(step["users"], step["median_ms_from_previous"]) for step in row["steps"]] for row in got["rows"]},
                                 {key: [(step["users"], step["median_ms_from_previous"]) for step in row["steps"]] for key, row in expected["rows"].items()})
                if compares:  # With the arms of who was exposed by then.
                    then = exposures(experiment, EVENTS, begin)
                    before = walked(definition, [{**event, dimension: arm} for event in EVENTS if (arm := arm_of(event, then))], begin - (end - begin), begin)
                    self.assertEqual([step["users"] for step in got["previous"]["steps"]], [step["users"] for step in before["steps"]])
                came += any(row["steps"][-1]["users"] for row in got["rows"])
        self.assertGreater(came, 12)


class Refreshes(unittest.TestCase):
    def test_an_answer_is_known_until_the_segment_has_other_users(self) -> None:
        names = sorted(users_with_key(EVENTS))
        segment = made("Known", list_of(set(names[:50])))
        query = f"/v1/reports/metrics?site=campus&metrics=reach&filter=segment%3D{segment['id']}&to={text_time(END)}"

        def asked() -> tuple[float, int]:
            """The reach, and how many rows the store read for it."""
            before = MARQUEE.count("SELECT value FROM system.events WHERE event = 'SelectedRows'")
            value = MARQUEE.api(query).json()["total"]["values"][0]["value"]
            return value, MARQUEE.count("SELECT value FROM system.events WHERE event = 'SelectedRows'") - before

        MARQUEE.sql("OPTIMIZE TABLE marquee.events FINAL")
        wait_until(lambda: MARQUEE.count("SELECT count() FROM system.merges WHERE table = 'events'") == 0, 30, "merges")
        first, rows_of_first = asked()
        again, rows_of_again = asked()
        self.assertEqual(first, again)
        self.assertGreater(rows_of_first, len(EVENTS) // 2)
        self.assertLess(rows_of_again, len(EVENTS) // 2)
        put(segment, list_of(set(names[:20])))
        other, _ = asked()
        expected = {event["user_id"] for event in EVENTS if event["type"] == "impression" and event.get("user_id") in names[:20] and not event["is_bot"]}
        self.assertEqual(other, len(expected))
        self.assertNotEqual(other, first)
        removed(segment)

    def test_what_lands_is_found_by_itself(self) -> None:
        rule = {"kind": "rule", "rule": {"types": ["course_click"], "last": "7d"}}
        segment = made("By itself", rule)
        self.assertEqual(segment["size"], 0)
        event = {"type": "course_click", "session_id": "late", "seq": 1, "event_time": int(time.time() * 1000), "user_id": "late", "consent": "full", "is_bot": False,
                 "device": "phone", "college_id": "c0", "props": {"name": "late"}}
        import_events(MARQUEE, [event])
        EVENTS.append(event)
        learn_keys()
        path = f"/v1/segments/{segment['id']}"
        refreshed = wait_until(lambda: (one := MARQUEE.api(path).json())["size"] == 1 and one, 15, "the refresh")
        self.assertGreater(refreshed["version"], segment["version"])
        self.assertEqual(users_of(refreshed), keys_of({"late"}))
        self.assertGreater(MARQUEE.api(path + "/refresh", "POST").json()["version"], refreshed["version"])
        removed(segment)

    def test_readers_see_the_users_before_or_after_and_none_in_between(self) -> None:
        names = sorted(users_with_key(EVENTS))
        sets = [set(names[:120]), set(names[100:])]
        shown = {event["user_id"] for event in EVENTS if event["type"] == "impression" and event.get("user_id") and not event["is_bot"]}
        allowed = {float(len(one & shown)) for one in sets}
        self.assertEqual(len(allowed), 2)
        definitions = [{"kind": "rule", "rule": {"types": [], "filter": [f"props.name={','.join(sorted(one))}"]}} for one in sets]
        segment = made("Flips", definitions[0])
        query = f"/v1/reports/metrics?site=campus&metrics=reach&filter=segment%3D{segment['id']}"
        seen: collections.Counter[float] = collections.Counter()
        wrong: list[Answer] = []
        stopped = threading.Event()

        def read() -> None:
            while not stopped.is_set():
                answer = MARQUEE.api(query)
                if answer.status != 200:
                    wrong.append(answer)
                    return
                seen[answer.json()["total"]["values"][0]["value"]] += 1

        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for turn in range(30):
            put(segment, definitions[(turn + 1) % 2])
            if turn % 5 == 0:
                MARQUEE.api(f"/v1/segments/{segment['id']}/refresh", "POST")
        stopped.set()
        for reader in readers:
            reader.join()
        self.assertFalse(wrong, wrong[:1] and wrong[0].body)
        self.assertEqual(set(seen), allowed, seen)
        removed(segment)


def store_answers() -> bool:
    try:
        return MARQUEE.sql("SELECT 1") == "1\n"
    except (OSError, AssertionError):
        return False


class Killed(unittest.TestCase):
    def test_a_refresh_that_is_killed_leaves_the_users_of_one_definition_whole(self) -> None:
        draw = random.Random(SEED + 8)
        names = sorted(users_with_key(EVENTS))
        sets = [set(names[:120]), set(names[100:])]
        definitions = [{"kind": "rule", "rule": {"types": [], "filter": [f"props.name={','.join(sorted(one))}"]}} for one in sets]
        segment = made("Killed", definitions[0])
        for round_number in range(3):
            stopped = threading.Event()

            def flip(stopped: threading.Event = stopped) -> None:
                for turn in itertools.count():
                    body = json.dumps({"site": "campus", "title": "Killed", "definition": definitions[turn % 2]}).encode()
                    try:
                        request(f"{MARQUEE.url}/v1/segments/{segment['id']}", "PUT", body, {"Authorization": "Bearer " + MARQUEE.runtime["admin_token"]}, timeout=5)
                    except OSError:
                        return
                    if stopped.is_set():
                        return

            flipping = threading.Thread(target=flip)
            flipping.start()
            time.sleep(0.1 + draw.random() * 0.4)
            if round_number == 1:
                MARQUEE.signal_store(9)  # The store alone: it comes back by itself.
                stopped.set()
                flipping.join()
                wait_until(store_answers, 30, "the store")
                MARQUEE.wait_ready()
            else:
                MARQUEE.kill()
                flipping.join()
                MARQUEE.start()
            kept = MARQUEE.api(f"/v1/segments/{segment['id']}").json()
            expected = sets[definitions.index(kept["definition"])]
            self.assertEqual(users_of(kept), keys_of(expected))
            self.assertEqual(kept["size"], len(expected))
            shown = {event["user_id"] for event in EVENTS if event["type"] == "impression" and event.get("user_id") in expected and not event["is_bot"]}
            self.assertEqual(ask("metrics", metrics="reach", filter=f"segment={segment['id']}")["total"]["values"][0]["value"], len(shown))
        again = MARQUEE.api(f"/v1/segments/{segment['id']}/refresh", "POST").json()
        self.assertGreater(again["version"], kept["version"])
        self.assertEqual(users_of(again), keys_of(expected))
        removed(segment)


class CommandLine(unittest.TestCase):
    def test_segments_are_made_listed_refreshed_and_removed(self) -> None:
        arguments = ("segments", "add", "--title", "Left after the search", "--steps", "search,click", "--drop-off", "1", "--window", "86400", "--filter", "device=phone",
                     "--format", "json")
        segment = json.loads(MARQUEE.run(*arguments).stdout)
        dropped = MARQUEE.run("report", "funnel", "--site", "campus", "--steps", "search,click", "--drop-off", "1", "--window", "86400", "--filter", "device=phone",
                              "--keys", "10000", "--format", "csv").stdout
        self.assertEqual(users_of(segment), dropped.split()[1:])
        path = os.path.join(MARQUEE.data_dir, "keys.csv")
        with open(path, "w") as file:
            file.write(dropped)
        listed = json.loads(MARQUEE.run("segments", "add", "--title", "The same", "--users", path, "--format", "json").stdout)
        self.assertEqual(users_of(listed), users_of(segment))
        with open(path, "w") as file:
            json.dump({"kind": "rule", "rule": {"types": ["click"], "at_least": 2}}, file)
        rule = json.loads(MARQUEE.run("segments", "add", "--title", "Clicked twice", "--definition", path, "--format", "json").stdout)
        self.assertEqual(users_of(rule), keys_of(in_rule(rule["definition"]["rule"], EVENTS, int(time.time() * 1000))))
        self.assertIn("Left after the search", MARQUEE.run("segments", "list").stdout)
        self.assertGreater(json.loads(MARQUEE.run("segments", "refresh", rule["id"], "--format", "json").stdout)["version"], rule["version"])
        for one in (segment, listed, rule):
            MARQUEE.run("segments", "remove", one["id"])
        self.assertEqual(MARQUEE.api("/v1/segments?site=campus").json()["segments"], [])
        self.assertIn("no segment", MARQUEE.run("segments", "refresh", "nowhere", check=False).stderr)
        self.assertIn("--drop-off", MARQUEE.run("segments", "add", "--title", "x", check=False).stderr)


if __name__ == "__main__":
    unittest.main()
