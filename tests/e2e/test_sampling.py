"""Estimates from a share of the users: how often the exact value lies within the bounds that they give, and how they come in steps."""

from __future__ import annotations

import http.client
import json
import os
import pathlib
import random
import signal
import unittest
import urllib.parse
from typing import Any

from deploy import measures
from tests.support.marquee import Marquee, wait_until

MARQUEE: Marquee
SEED = int(os.environ.get("MARQUEE_SEED", "1"))
EVENTS = 300_000


def setUpModule() -> None:
    global MARQUEE
    MARQUEE = Marquee()
    # Which users a share of them has is chance, by the hash of their names: here always the same. Sixty requests that share their users err together,
    # so that now and then fewer of them hold than any limit would allow; libs/analytics/tests/sample_test.cpp shows it of a thousand sets of data.
    pathlib.Path(MARQUEE.data_dir, "secrets.json").write_text(json.dumps({"hash_key": "5eed" * 8}), encoding="utf-8")
    MARQUEE.start()
    path = os.path.join(MARQUEE.data_dir, "events.ndjson")
    MARQUEE.run("simulate", "--events", str(EVENTS), "--students", "6000", "--rate", "0.12", "--seed", "3", "--out", path, "--quiet", "--start",
                "2026-10-01T00:00:00Z")
    MARQUEE.run("import", "events", "--site", "campus", "--quiet", path)


def tearDownModule() -> None:
    MARQUEE.__exit__(None, None, None)


def report(**parameters: Any) -> dict[str, Any]:
    return report_of("metrics", **{"limit": 10_000, **parameters})


def report_of(kind: str, **parameters: Any) -> dict[str, Any]:
    answer = MARQUEE.api(f"/v1/reports/{kind}?" + urllib.parse.urlencode({"site": "campus", **parameters}))
    assert answer.status == 200, answer.body
    return dict(answer.json())


def stream(kind: str = "metrics", body: Any = None, **parameters: Any) -> http.client.HTTPResponse:
    address = urllib.parse.urlsplit(MARQUEE.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
    asked = parameters if body else {"site": "campus", **parameters}
    connection.request("POST" if body else "GET", f"/v1/reports/{kind}/stream?" + urllib.parse.urlencode(asked), json.dumps(body) if body else None,
                       headers={"Authorization": "Bearer " + MARQUEE.runtime["admin_token"], "Content-Type": "application/json"})
    return connection.getresponse()


def steps(answer: http.client.HTTPResponse) -> list[tuple[str, dict[str, Any]]]:
    assert answer.status == 200, answer.read()
    events = [dict(line.split(": ", 1) for line in event.splitlines()) for event in answer.read().decode().split("\n\n")
              if event and not event.startswith(":")]
    return [(event["event"], json.loads(event["data"])) for event in events]


class Found:
    """How many exact values lie within their bounds."""

    def __init__(self) -> None:
        self.inside = self.total = self.narrow = 0

    def add(self, bounds: list[float], guess: float, truth: float) -> None:
        low, high = bounds
        # A count is told rounded.
        assert low - 0.5 <= guess <= high + 0.5, (bounds, guess)
        self.inside += low <= truth <= high
        self.narrow += high - low < truth
        self.total += 1

    def expect(self, case: unittest.TestCase, least: int) -> None:
        print(f"\n{self.inside} of {self.total} exact values within the bounds, {self.narrow} of them narrower than the value")
        case.assertGreater(self.total, least)
        # 95 % are promised, which libs/analytics/tests/sample_test.cpp shows of random data; these requests share users, so that they err together.
        case.assertGreater(self.inside / self.total, 0.90)
        # Bounds that hold everything would be none.
        case.assertGreater(self.narrow / self.total, 0.9)


def without_bounds(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_bounds(one) for name, one in value.items() if name != "bounds"}
    return [without_bounds(one) for one in value] if isinstance(value, list) else value


class Sampling(unittest.TestCase):
    def test_of_a_share_of_the_people_the_store_reads_the_share(self) -> None:
        self.assertEqual(list(MARQUEE.rows("SELECT sorting_key FROM system.tables WHERE database = 'marquee' AND name = 'events'")),
                         [["site_id, user_key, if(user_key = 0, session_id, 0), event_time"]])
        # A granule's rows are read together, and here a day has one or two; of finer ones what is read is what is asked for, and their edges.
        MARQUEE.sql("CREATE TABLE marquee.fine AS marquee.events ENGINE = MergeTree ORDER BY (site_id, user_key, if(user_key = 0, session_id, 0), event_time) "
                    "SETTINGS index_granularity = 128")
        try:
            MARQUEE.sql("INSERT INTO marquee.fine SELECT * FROM marquee.events")
            MARQUEE.sql("OPTIMIZE TABLE marquee.fine FINAL")
            asked = f"site_id = 'campus' AND {measures.of_share('1 / 16')}"
            read = sum(int(row[3]) for row in MARQUEE.rows(f"EXPLAIN ESTIMATE SELECT count() FROM marquee.fine WHERE {asked}"))
            have = MARQUEE.count(f"SELECT count() FROM marquee.fine WHERE {asked}")
        finally:
            MARQUEE.sql("DROP TABLE marquee.fine")
        self.assertGreater(have, EVENTS // 32)
        self.assertLess(read, 1.2 * have)

    def test_the_exact_value_lies_within_the_bounds_nineteen_times_of_twenty(self) -> None:
        draw = random.Random(SEED)
        inside = outside = narrow = 0
        for _ in range(60):
            # Each metric's events are many; days of a week, so that each request looks at others.
            metrics = draw.sample(["impressions", "viewable_impressions", "hovers", "viewability", "reach", "frequency", "dwell", "visible_time", "ctr"], 3)
            by = draw.choice([[], ["device"], ["college_id"], ["campaign_id"], ["day", "device"], ["slot_id", "position"]])
            begin = draw.randrange(1, 25)
            asked: dict[str, Any] = {"metrics": ",".join(metrics), "by": ",".join(by), "from": f"2026-10-{begin:02}", "to": f"2026-10-{begin + 5:02}"}
            if draw.random() < 0.3:
                asked["filter"] = "year_of_study=1,2"
            exact = report(**asked)
            sampled = report(**asked, sample=draw.uniform(0.1, 0.5))
            self.assertEqual(sampled["source"], "events")
            known = {tuple(row["keys"]): row for row in exact["rows"]}
            rows = [(sampled["total"], exact["total"])] + [(row, known[tuple(row["keys"])]) for row in sampled["rows"]]
            for estimate, truth in rows:
                for name, guess, value in zip(metrics, estimate["values"], truth["values"], strict=True):
                    # Of few users and of rare events nothing is promised; see the document.
                    few = {"reach": 300, "impressions": 1500}.get(name, None)
                    if guess["value"] is None or (few is None and truth is not exact["total"]) or (few is not None and value["value"] < few):
                        continue
                    within = guess["low"] <= value["value"] <= guess["high"]
                    inside, outside = inside + within, outside + (not within)
                    narrow += guess["high"] - guess["low"] < value["value"]
        total = inside + outside
        print(f"\n{inside} of {total} exact values within the bounds, {narrow} of them narrower than the value")
        self.assertGreater(total, 150)
        # 95 % are promised; the requests share users, so that they err together.
        self.assertGreater(inside / total, 0.90)
        # Bounds that hold everything would be none.
        self.assertLess(inside / total, 0.995)
        self.assertGreater(narrow / total, 0.9)

    def test_a_sample_of_everything_is_exact(self) -> None:
        for asked in ({"metrics": "impressions,ctr,reach,spend", "by": "college_id,device", "compare": "previous", "from": "2026-10-08", "to": "2026-10-15"},
                      {"metrics": "ecpm,dwell", "by": "campaign_id", "min_impressions": 100, "limit": 7}, {"metrics": "frequency"}):
            exact, sampled = report(**asked), report(**asked, sample=1)
            self.assertEqual(sampled["sample"], 1)
            self.assertIsNone(exact["sample"])
            self.assertEqual((sampled["hidden_rows"], sampled["is_cut"]), (exact["hidden_rows"], exact["is_cut"]))
            self.assertEqual([row["keys"] for row in sampled["rows"]], [row["keys"] for row in exact["rows"]])
            for one, other in zip([sampled["total"], *sampled["rows"]], [exact["total"], *exact["rows"]], strict=True):
                for kind in ("values", "previous"):
                    for a, b in zip(one[kind] or [], other[kind] or [], strict=True):
                        if b["value"] is None:
                            self.assertIsNone(a["value"])
                            continue
                        self.assertAlmostEqual(a["value"], b["value"], delta=1e-9 * max(1, b["value"]))
                        self.assertAlmostEqual(a["high"] - a["low"], 0, delta=1e-9 * max(1, b["value"]))

    def test_the_stream_tells_the_estimate_and_then_the_exact_report(self) -> None:
        asked = {"metrics": "ctr,reach", "by": "device"}
        told = steps(stream(**asked, sample=0.2))
        self.assertEqual([name for name, _ in told], ["sample", "exact"])
        self.assertEqual(told[0][1], report(**asked, limit=1000, sample=0.2))
        self.assertEqual(told[1][1], report(**asked, limit=1000))
        # What is soon counted is not estimated first, and rollups never are.
        self.assertEqual([name for name, _ in steps(stream(**asked))], ["exact"])
        told = steps(stream(metrics="ctr", by="campaign_id"))
        self.assertEqual([(name, body["source"]) for name, body in told], [("exact", "campaign_totals")])

    def test_what_makes_no_sense_is_told(self) -> None:
        for asked, field in (({"metrics": "colour"}, "metrics"), ({"metrics": "ctr", "sample": 2}, "sample"), ({"metrics": "ctr", "sample": "x"}, "sample"),
                             ({"metrics": "ctr", "by": "colour", "sample": 0.5}, "by")):
            told = steps(stream(**asked))
            self.assertEqual([(name, body["error"]["field"]) for name, body in told], [("error", field)])
            answer = MARQUEE.api("/v1/reports/metrics?" + urllib.parse.urlencode({"site": "campus", **asked}))
            self.assertEqual((answer.status, answer.json()["error"]["field"]), (400, field))

    def test_heatmaps_lie_within_the_bounds_nineteen_times_of_twenty(self) -> None:
        draw = random.Random(SEED)
        found = Found()
        for _ in range(30):
            begin = draw.randrange(1, 12)
            asked: dict[str, Any] = {"from": f"2026-10-{begin:02}", "to": f"2026-10-{begin + 18:02}"}
            if draw.random() < 0.5:
                asked.update(filter=draw.choice(["device=phone", "year_of_study=1,2", "layout=wide"]))
            exact, sampled = report_of("heatmap", **asked), report_of("heatmap", **asked, sample=draw.uniform(0.1, 0.5))
            self.assertEqual((sampled["source"], exact["sample"]), ("events", None))
            known = {(cell["slot"], cell["x"], cell["y"]): cell for cell in exact["cells"]}
            for cell in sampled["cells"]:
                truth = known[cell["slot"], cell["x"], cell["y"]]
                # Of few events nothing is promised.
                for name in ("impressions", "viewable_impressions", "viewability"):
                    if truth["impressions"] >= 1000:
                        found.add(cell["bounds"][name], cell[name], truth[name])
        found.expect(self, 300)

    def test_a_grid_is_estimated_cell_by_cell(self) -> None:
        asked = {"mode": "page", "page": "home"}
        exact, sampled = report_of("heatmap", **asked), report_of("heatmap", **asked, sample=0.5)
        known = {(cell["x"], cell["y"]): cell for cell in exact["cells"]}
        self.assertLessEqual({(cell["x"], cell["y"]) for cell in sampled["cells"]}, set(known))
        for name in ("hovers", "clicks"):
            guess, truth = (sum(cell[name] for cell in body["cells"]) for body in (sampled, exact))
            self.assertAlmostEqual(guess / truth, 1, delta=0.25)
        within = [cell["bounds"]["hovers"][0] <= known[cell["x"], cell["y"]]["hovers"] <= cell["bounds"]["hovers"][1] for cell in sampled["cells"]]
        self.assertGreater(sum(within) / len(within), 0.8)

    def test_funnels_lie_within_the_bounds_nineteen_times_of_twenty(self) -> None:
        draw = random.Random(SEED)
        found, times = Found(), Found()
        for _ in range(30):
            begin = draw.randrange(1, 25)
            asked: dict[str, Any] = {"steps": draw.choice(["search,impression,click", "page_view,course_view,course_click", "impression,hover,click"]),
                                     "order": draw.choice(["ordered", "any"]), "by": draw.choice(["", "device"]), "from": f"2026-10-{begin:02}",
                                     "to": f"2026-10-{begin + 5:02}"}
            exact, sampled = report_of("funnel", **asked), report_of("funnel", **asked, sample=draw.uniform(0.2, 0.5))
            known = {row["key"]: row for row in exact["rows"]}
            for guess, truth in [(sampled, exact)] + [(row, known[row["key"]]) for row in sampled["rows"]]:
                for step, exactly in zip(guess["steps"], truth["steps"], strict=True):
                    if exactly["users"] < 200:
                        continue
                    for name in ("users", "from_previous", "from_first"):
                        if exactly[name] is not None and step["bounds"][name] != [1, 1]:
                            found.add(step["bounds"][name], step[name], exactly[name])
                    if step["bounds"]["median_ms_from_previous"] is not None:
                        times.add(step["bounds"]["median_ms_from_previous"], step["median_ms_from_previous"], exactly["median_ms_from_previous"])
        found.expect(self, 100)
        self.assertGreater(times.inside / times.total, 0.85)

    def test_searches_paths_and_retention_lie_within_the_bounds_nineteen_times_of_twenty(self) -> None:
        draw = random.Random(SEED)
        terms, places, cohorts = Found(), Found(), Found()
        for _ in range(20):
            begin = draw.randrange(1, 12)
            asked: dict[str, Any] = {"from": f"2026-10-{begin:02}", "to": f"2026-10-{begin + 18:02}"}
            share = draw.uniform(0.2, 0.5)
            exact, sampled = report_of("searches", **asked), report_of("searches", **asked, sample=share)
            known = {term["term"]: term for term in exact["terms"]}
            for guess, truth in [(sampled["total"], exact["total"])] + [(term, known[term["term"]]) for term in sampled["terms"]]:
                for name in ("searches", "users", "without_click"):
                    if truth[name] >= 100:
                        terms.add(guess["bounds"][name], guess[name], truth[name])
            if draw.random() < 0.5:
                asked["start"] = draw.choice(["home", "search"])
            exact, sampled = report_of("paths", **asked), report_of("paths", **asked, sample=share)
            places.add(sampled["bounds"], sampled["sessions"], exact["sessions"])
            at = {(node["step"], node["place"]): node for node in exact["nodes"]}
            for node in sampled["nodes"]:
                truth = at.get((node["step"], node["place"]), {})
                # The others of a sample need not be the others of all.
                for name in ("sessions", "ended"):
                    if node["place"] is not None and truth.get(name, 0) >= 200:
                        places.add(node["bounds"][name], node[name], truth[name])
            asked = {"from": "2026-10-05", "to": "2026-10-26", "interval": "week", "back": draw.choice(["", "click"])}
            exact, sampled = report_of("retention", **asked), report_of("retention", **asked, sample=share)
            for guess, truth in zip(sampled["cohorts"], exact["cohorts"], strict=True):
                for bounds, value, exactly in zip([guess["bounds"]["users"], *guess["bounds"]["back"]], [guess["users"], *guess["back"]],
                                                  [truth["users"], *truth["back"]], strict=True):
                    if exactly >= 200:
                        cohorts.add(bounds, value, exactly)
        terms.expect(self, 100)
        places.expect(self, 100)
        cohorts.expect(self, 50)

    def test_everything_as_a_sample_is_exact(self) -> None:
        for kind, asked in (("searches", {"limit": 7}), ("searches", {"min_searches": 50, "filter": "device=phone"}), ("paths", {"steps": 4, "places": 3}),
                            ("paths", {"start": "home", "by": "slot_id", "events": "impression,click"}),
                            ("retention", {"from": "2026-10-05", "to": "2026-10-26", "interval": "week"}),
                            ("retention", {"from": "2026-10-01", "to": "2026-10-15", "start": "search", "back": "click,course_click"}),
                            ("heatmap", {}), ("heatmap", {"mode": "cells", "slot": "home-top"}), ("heatmap", {"mode": "page", "page": "home"}),
                            ("funnel", {"steps": "search,impression,click", "by": "college_id", "limit": 5}),
                            ("funnel", {"steps": "impression,hover,click", "optional": 2, "order": "strict", "by": "device"}),
                            ("funnel", {"steps": "impression,click", "exclude": "search", "by": "day", "compare": "previous", "from": "2026-10-08", "to": "2026-10-15"})):
            with self.subTest(kind, **asked):
                exact, sampled = report_of(kind, **asked), report_of(kind, **asked, sample=1)
                self.assertEqual((exact.pop("sample"), sampled.pop("sample")), (None, 1))
                self.assertEqual(without_bounds(sampled), exact if kind == "retention" else {**exact, "source": "events"})

    def test_streams_of_other_reports(self) -> None:
        steps_asked = {"steps": "search,impression,click"}
        for kind, asked in (("searches", {"limit": "5"}), ("paths", {"start": "home"}), ("retention", {"from": "2026-10-05", "to": "2026-10-26", "back": "click"}),
                            ("heatmap", {"mode": "page", "page": "home"}), ("funnel", steps_asked)):
            told = steps(stream(kind, **asked, sample=0.2))
            self.assertEqual([name for name, _ in told], ["sample", "exact"])
            self.assertEqual([told[0][1], told[1][1]], [report_of(kind, **asked, sample=0.2), report_of(kind, **asked)])
            self.assertEqual([name for name, _ in steps(stream(kind, **asked))], ["exact"])
        self.assertEqual([body["source"] for _, body in steps(stream("heatmap"))], ["ad_days"])
        definition = {"site": "campus", "steps": [{"types": [name]} for name in ("search", "impression", "click")]}
        told = steps(stream("funnel", definition, sample=0.2))
        self.assertEqual([told[0][1], told[1][1]], [report_of("funnel", **steps_asked, sample=0.2), report_of("funnel", **steps_asked)])
        for kind, asked, field in (("heatmap", {"mode": "cells"}, "slot"), ("heatmap", {"sample": 0}, "sample"), ("funnel", {"steps": "click"}, "steps"),
                                   ("funnel", {**steps_asked, "sample": 2}, "sample")):
            self.assertEqual([(name, body["error"]["field"]) for name, body in steps(stream(kind, **asked))], [("error", field)])

    def test_who_leaves_makes_room_for_others(self) -> None:
        self.assertTrue(MARQUEE.signal_store(signal.SIGSTOP))
        try:
            waiting = [stream(metrics="reach", by="device") for _ in range(16)]
            refused = stream(metrics="reach")
            self.assertEqual((refused.status, refused.headers["Retry-After"] is not None), (503, True))
            for answer in waiting:
                answer.close()
        finally:
            MARQUEE.signal_store(signal.SIGCONT)

        # Those who left end one after the other: whoever is let in is the one who is answered.
        def asked() -> list[tuple[str, dict[str, Any]]] | None:
            answer = stream(metrics="reach")
            return steps(answer) if answer.status == 200 else None

        self.assertEqual([name for name, _ in wait_until(asked, 30, "room", 0.1) or []], ["exact"])


if __name__ == "__main__":
    unittest.main()
