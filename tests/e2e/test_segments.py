"""Segments equal a recount in Python of random events, and so does every report of them."""

from __future__ import annotations

import collections
import csv
import io
import itertools
import json
import math
import os
import random
import time
import unittest
import urllib.parse
from typing import Any

from tests.support.funnels import report as walked
from tests.support.reports import text_time
from tests.support.segment_site import BEGIN, DAY, END, HOUR, SegmentSite, TYPES, counted, random_range
from tests.support.segments import in_rule, moment, users_with_key

SEED = int(os.environ.get("SEED", "1"))
SITE: SegmentSite


def setUpModule() -> None:
    global SITE
    SITE = SegmentSite(SEED)


def tearDownModule() -> None:
    SITE.close()


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
        segment = SITE.made("Random", {"kind": "rule", "rule": {"types": ["click"]}})
        sizes = []
        for case in range(55):
            rule = random_rule(draw)
            with self.subTest(case=case, seed=SEED, rule=rule):
                now = int(time.time() * 1000)
                segment = SITE.put(segment, {"kind": "rule", "rule": rule})
                expected = in_rule(rule, SITE.events, now)
                self.assertEqual(SITE.users_of(segment), SITE.keys_of(expected))
                self.assertEqual(segment["size"], len(expected))
                sizes.append(len(expected))
        everyone = len(users_with_key(SITE.events))
        self.assertGreater(sum(0 < size < everyone for size in sizes), 28, "most are of some and not of all")
        SITE.removed(segment)
        self.assertEqual(SITE.marquee.count(f"SELECT count() FROM marquee.segment_users WHERE version = {segment['version']}"), 0)

    def test_a_drop_off_has_the_users_that_the_report_tells(self) -> None:
        draw = random.Random(SEED + 2)
        segment = SITE.made("Left", {"kind": "list", "users": []})
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
                report = SITE.ask_funnel({**funnel, "key_limit": 10_000})["dropped"]
                segment = SITE.put(segment, {"kind": "drop_off", "funnel": funnel})
                self.assertEqual(SITE.users_of(segment), report["keys"])
                self.assertEqual(segment["size"], report["users"] - report["users_without_key"])
                some += segment["size"] > 0
        self.assertGreater(some, 12)
        SITE.removed(segment)

    def test_lists_have_each_user_once(self) -> None:
        segment = SITE.made("List", {"kind": "list", "users": ["00000000000000ff", "0000000000000001", "00000000000000FF"]})
        self.assertEqual(SITE.users_of(segment), ["0000000000000001", "00000000000000ff"])
        listed = SITE.marquee.api("/v1/segments?site=campus").json()["segments"]
        self.assertEqual([one["definition"] for one in listed if one["id"] == segment["id"]], [{"kind": "list"}])
        self.assertEqual(SITE.marquee.api(f"/v1/segments/{segment['id']}").json(), segment)
        SITE.removed(segment)

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
                answer = SITE.marquee.api("/v1/segments", "POST", {"site": "campus", "title": "x", "definition": definition})
                self.assertEqual((answer.status, answer.json()["error"].get("field"), named in answer.json()["error"]["message"]), (400, "definition", True), answer.body)
        for parameters, field in (({"filter": "segment=nowhere"}, "filter"), ({"by": "segment,colour"}, "by"), ({"by": "arm."}, "by")):
            answer = SITE.marquee.api("/v1/reports/ctr?" + urllib.parse.urlencode({"site": "campus", **parameters}))
            self.assertEqual((answer.status, answer.json()["error"]["field"]), (400, field))
        self.assertEqual(SITE.marquee.api("/v1/reports/paths?site=campus&by=segment").json()["error"]["field"], "by")


class Reports(unittest.TestCase):
    segments: dict[str, dict[str, Any]] = {}
    names: dict[str, set[str]] = {}

    @classmethod
    def setUpClass(cls) -> None:
        draw = random.Random(SEED + 3)
        everyone = sorted(users_with_key(SITE.events))
        for title, share in (("most", 0.8), ("some", 0.3), ("few", 0.05), ("none", 0.0)):
            cls.names[title] = {name for name in everyone if draw.random() < share}
            cls.segments[title] = SITE.made(title, SITE.list_of(cls.names[title]))

    @classmethod
    def tearDownClass(cls) -> None:
        for segment in cls.segments.values():
            SITE.removed(segment)

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
                report = SITE.ask("metrics", metrics="impressions,clicks,reach", by=",".join(by), limit=10_000, compare="previous" if compare else "none",
                             **{"from": text_time(begin), "to": text_time(end)}, **sample)
                for name, first, last in (("values", begin, end), *([("previous", begin - (end - begin), begin)] if compare else [])):
                    shift = begin - first
                    events = [event for event in SITE.events if not event["is_bot"] and first <= event["event_time"] < last]
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
                    got, expected = SITE.ask(kind, **asked, filter=by_segment), SITE.ask(kind, **asked, filter=by_name)
                    self.assertEqual(got, expected)
                    if not negated:
                        self.assertNotEqual(got, SITE.ask(kind, **asked))

    def test_the_stream_in_steps_says_the_same_at_last(self) -> None:
        for by in ("segment", "arm.layout"):
            streamed = SITE.marquee.api(f"/v1/reports/metrics/stream?site=campus&metrics=reach,ctr&by={by}").body.decode()
            self.assertEqual(json.loads(streamed.split("event: exact\ndata: ")[1].split("\n")[0]), SITE.ask("metrics", metrics="reach,ctr", by=by))

    def test_who_is_in_no_segment_can_be_asked_for(self) -> None:
        outside = set(users_with_key(SITE.events)) - set().union(*self.names.values())
        events = [event for event in SITE.events if not event["is_bot"] and (not event.get("user_id") or event["user_id"] in outside)]
        self.assertEqual([value["value"] for value in SITE.ask("metrics", metrics="impressions,clicks,reach", filter="segment=")["total"]["values"]], list(counted(events).values()))

    def test_the_ctr_of_a_segment_is_compared_with_that_of_everybody_else(self) -> None:
        report = SITE.ask("ctr", by="segment")
        row = next(row for row in report["rows"] if row["keys"] == [self.segments["some"]["id"]])
        n, m = row["impressions"], report["total"]["impressions"] - row["impressions"]
        a, b = row["clicks"], report["total"]["clicks"] - row["clicks"]
        pooled = (a + b) / (n + m)
        z = (a / n - b / m) / math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
        self.assertAlmostEqual(row["p_value"], math.erfc(abs(z) / math.sqrt(2)), places=9)

    def test_a_funnel_by_segment_is_the_funnel_of_its_users(self) -> None:
        definition: dict[str, Any] = {"steps": [{"types": ["page_view", "search"]}, {"types": ["hover"], "optional": True}, {"types": ["click"]}], "window_seconds": 86_400}
        for order in ("ordered", "any"):
            got = SITE.ask_funnel({**definition, "order": order, "by": "segment"})
            own = {one["id"]: title for title, one in self.segments.items()}
            rows = {row["key"]: [step["users"] for step in row["steps"]] for row in got["rows"]}
            expected = {}
            for key, title in [*own.items(), ("", "")]:
                events = [event for event in SITE.events if key in self.groups(event)]
                steps = walked({**definition, "order": order}, events, BEGIN, END)["steps"]
                if steps[0]["users"]:
                    expected[key] = [step["users"] for step in steps]
                self.assertTrue(title != "most" or key in expected)
            self.assertEqual(rows, expected)
            everybody = walked({**definition, "order": order}, SITE.events, BEGIN, END)["steps"]
            self.assertEqual([step["users"] for step in got["steps"]], [step["users"] for step in everybody])

    def test_sizes_and_overlaps(self) -> None:
        ids = {title: one["id"] for title, one in self.segments.items()}
        draw = random.Random(SEED + 5)
        for times in ({}, {"from": text_time(BEGIN + DAY), "to": text_time(BEGIN + 2 * DAY)}, {"from": text_time(BEGIN + draw.randrange(DAY) // 1000 * 1000)}):
            with self.subTest(times):
                begin = moment(times["from"]) if "from" in times else 0
                end = moment(times["to"]) if "to" in times else 1 << 62
                active = {event["user_id"] for event in SITE.events if event.get("user_id") and not event["is_bot"] and begin <= event["event_time"] < end}
                report = SITE.ask("segments", segments=",".join(ids.values()), **times)
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
        report = SITE.ask("segments")
        arguments = ("report", "segments", "--site", "campus")
        self.assertEqual(json.loads(SITE.marquee.run(*arguments, "--format", "json").stdout), report)
        rows = list(csv.DictReader(io.StringIO(SITE.marquee.run(*arguments, "--format", "csv").stdout)))
        self.assertEqual([(row["segment"], row["other"], int(row["users"])) for row in rows],
                         [(one["id"], "", one["users"]) for one in report["segments"]] + [(one["a"], one["b"], one["users"]) for one in report["overlaps"]])
        self.assertIn("most (", SITE.marquee.run(*arguments).stdout)
        for form, begin in (("png", b"\x89PNG"), ("parquet", b"PAR1")):
            self.assertEqual(SITE.marquee.api(f"/v1/reports/segments?site=campus&format={form}").body[:4], begin)
        saved = SITE.marquee.api("/v1/saved-reports", "POST", {"name": "Overlaps", "kind": "segments", "parameters": {"site": "campus"}}).json()
        self.assertEqual(SITE.marquee.api(f"/v1/saved-reports/{saved['id']}/answer").json(), report)
        SITE.marquee.api(f"/v1/saved-reports/{saved['id']}", "DELETE")


class CommandLine(unittest.TestCase):
    def test_segments_are_made_listed_refreshed_and_removed(self) -> None:
        arguments = ("segments", "add", "--title", "Left after the search", "--steps", "search,click", "--drop-off", "1", "--window", "86400", "--filter", "device=phone",
                     "--format", "json")
        segment = json.loads(SITE.marquee.run(*arguments).stdout)
        dropped = SITE.marquee.run("report", "funnel", "--site", "campus", "--steps", "search,click", "--drop-off", "1", "--window", "86400", "--filter", "device=phone",
                              "--keys", "10000", "--format", "csv").stdout
        self.assertEqual(SITE.users_of(segment), dropped.split()[1:])
        path = os.path.join(SITE.marquee.data_dir, "keys.csv")
        with open(path, "w") as file:
            file.write(dropped)
        listed = json.loads(SITE.marquee.run("segments", "add", "--title", "The same", "--users", path, "--format", "json").stdout)
        self.assertEqual(SITE.users_of(listed), SITE.users_of(segment))
        with open(path, "w") as file:
            json.dump({"kind": "rule", "rule": {"types": ["click"], "at_least": 2}}, file)
        rule = json.loads(SITE.marquee.run("segments", "add", "--title", "Clicked twice", "--definition", path, "--format", "json").stdout)
        self.assertEqual(SITE.users_of(rule), SITE.keys_of(in_rule(rule["definition"]["rule"], SITE.events, int(time.time() * 1000))))
        self.assertIn("Left after the search", SITE.marquee.run("segments", "list").stdout)
        self.assertGreater(json.loads(SITE.marquee.run("segments", "refresh", rule["id"], "--format", "json").stdout)["version"], rule["version"])
        for one in (segment, listed, rule):
            SITE.marquee.run("segments", "remove", one["id"])
        self.assertEqual(SITE.marquee.api("/v1/segments?site=campus").json()["segments"], [])
        self.assertIn("no segment", SITE.marquee.run("segments", "refresh", "nowhere", check=False).stderr)
        self.assertIn("--drop-off", SITE.marquee.run("segments", "add", "--title", "x", check=False).stderr)


if __name__ == "__main__":
    unittest.main()
