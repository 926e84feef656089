"""Metrics by dimensions equal a recount in Python of random events, from whatever source they are answered."""

from __future__ import annotations

import collections
import datetime
import itertools
import math
import os
import random
import time
import unittest
import urllib.parse
from collections.abc import Callable, Iterable
from typing import Any

from tests.support.marquee import Marquee, request, wait_until
from tests.support.reports import import_events, layout, text_time

SEED = int(os.environ.get("SEED", "1"))
HOUR = 3_600_000
# Whole hours of some days ago, so that every rollup's grid is met.
DAY = 24 * HOUR
BEGIN = int(time.time()) // 86_400 * DAY - 5 * DAY
HOURS = 96
AD_TYPES = ("impression", "viewable_impression", "hover", "click", "conversion")

MARQUEE: Marquee
EVENTS: list[dict[str, Any]] = []


def random_event(draw: random.Random, number: int) -> dict[str, Any]:
    kind = draw.choices(AD_TYPES + ("page_view", "search"), (50, 20, 6, 10, 4, 5, 5))[0]
    event: dict[str, Any] = {"type": kind, "session_id": f"s{number // 50}", "seq": number % 50 + 1, "event_time": BEGIN + draw.randrange(HOURS * HOUR)}
    if draw.random() < 0.9:
        event["user_id"] = f"u{draw.randrange(40)}"
        event["consent"] = "full"
    for name, values in (("campaign_id", ["law", "a,b", "c\\d", "e'f", ""]), ("ad_id", ["hero", "tile", ""]), ("slot_id", ["top", "side", ""]),
                         ("college_id", ["iit", "nid", "Ω-college", ""]), ("program", ["btech", "ba"]), ("device", ["phone", "desktop"])):
        if (value := draw.choice(values)):
            event[name] = value
    event["position"] = draw.randrange(3)
    if draw.random() < 0.8:
        event["viewport"] = {"width": draw.choice([360, 599, 600, 1023, 1024, 2560]), "height": 800}
    if draw.random() < 0.6:
        event["value"] = draw.randrange(100_000) / 10_000
    if kind == "hover":
        event["dwell_ms"] = draw.randrange(5000)
    if kind in ("impression", "viewable_impression"):
        event["visible_ms"] = draw.randrange(9000)
    if draw.random() < 0.5:
        event["props"] = {"colour": draw.choice(["red", "blue"]), "level": draw.randrange(3), "odd`key": draw.choice(["x", "y"]), "deep": {"er": "z"}}
    if draw.random() < 0.05:
        event["is_bot"] = True
    return event


def setUpModule() -> None:
    global MARQUEE
    MARQUEE = Marquee()
    MARQUEE.start()
    draw = random.Random(SEED)
    EVENTS.extend(random_event(draw, number) for number in range(6000))
    import_events(MARQUEE, EVENTS)


def tearDownModule() -> None:
    MARQUEE.__exit__(None, None, None)


def value_of(event: dict[str, Any], dimension: str, shift: int = 0) -> str:
    moment = event["event_time"] + shift
    if dimension in ("day", "hour", "minute", "hour_of_day"):
        form = {"day": "%Y-%m-%d", "hour": "%Y-%m-%dT%H:00:00Z", "minute": "%Y-%m-%dT%H:%M:00Z", "hour_of_day": "%H"}[dimension]
        return datetime.datetime.fromtimestamp(moment / 1000, datetime.UTC).strftime(form)
    if dimension == "policy":
        return ""
    if dimension == "layout":
        return layout(event)
    if dimension.startswith("props."):
        value: Any = event.get("props", {})
        for part in dimension[6:].split("."):
            value = value.get(part, "") if isinstance(value, dict) else ""
        return str(value)
    return str(event.get(dimension, ""))


def is_counted(event: dict[str, Any]) -> bool:
    return event["type"] in AD_TYPES and not event.get("is_bot") and any(event.get(name) for name in ("campaign_id", "ad_id", "slot_id"))


def metric(name: str, events: list[dict[str, Any]]) -> float | None:
    """The definition, written anew."""
    kinds = collections.Counter(event["type"] for event in events)
    shown = [event for event in events if event["type"] == "impression"]
    users = [event["user_id"] for event in shown if event.get("user_id")]

    def total(field: str, *types: str) -> float:
        return math.fsum(event.get(field, 0) for event in events if not types or event["type"] in types)

    def share(part: float, whole: float) -> float | None:
        return part / whole if whole else None

    simple = {"impressions": "impression", "viewable_impressions": "viewable_impression", "hovers": "hover", "clicks": "click", "conversions": "conversion"}
    if name in simple:
        return kinds[simple[name]]
    others: dict[str, Callable[[], float | None]] = {
        "ctr": lambda: share(kinds["click"], kinds["impression"]),
        "viewable_ctr": lambda: share(kinds["click"], kinds["viewable_impression"]),
        "viewability": lambda: share(kinds["viewable_impression"], kinds["impression"]),
        "conversion_rate": lambda: share(kinds["conversion"], kinds["click"]),
        "spend": lambda: total("value", "impression", "click"),
        "revenue": lambda: total("value", "conversion"),
        "ecpm": lambda: share(total("value", "impression", "click") * 1000, kinds["impression"]),
        "dwell": lambda: share(total("dwell_ms"), kinds["hover"]),
        "visible_time": lambda: share(total("visible_ms"), kinds["impression"]),
        "reach": lambda: len(set(users)),
        "frequency": lambda: share(len(users), len(set(users))),
    }
    return others[name]()


class Metrics(unittest.TestCase):
    def ask(self, **parameters: Any) -> dict[str, Any]:
        answer = MARQUEE.api("/v1/reports/metrics?" + urllib.parse.urlencode({"site": "campus", "limit": 10_000, **parameters}, doseq=True))
        self.assertEqual(answer.status, 200, answer.body)
        return dict(answer.json())

    def same(self, got: list[dict[str, Any]], expected: Iterable[float | None], what: object) -> None:
        for one, wanted in zip(got, expected, strict=True):
            if wanted is None:
                self.assertIsNone(one["value"], what)
            else:
                self.assertAlmostEqual(one["value"], wanted, delta=1e-9 * max(1, abs(wanted)), msg=str(what))

    def names(self, kind: str) -> list[str]:
        return [one["name"] for one in MARQUEE.api("/v1/reports/model").json()[kind]]

    def test_every_metric_by_random_dimensions_filters_and_ranges(self) -> None:
        draw = random.Random(SEED + 1)
        metrics = self.names("metrics")
        dimensions = [name for name in self.names("dimensions") if name not in ("consent", "os", "browser", "city", "year_of_study", "page_id",
                                                                                "referrer_host", "course_id", "segment")]  # test_segments.py
        dimensions += ["props.colour", "props.level", "props.odd`key", "props.deep.er", "props.none"]
        sources: collections.Counter[str] = collections.Counter()
        for case in range(160):
            chosen = draw.sample(metrics if draw.random() < 0.5 else metrics[:8], draw.randrange(1, 5))
            pool = draw.choice([dimensions, dimensions, ["campaign_id", "slot_id", "position", "hour", "day", "college_id"], ["campaign_id", "hour_of_day", "day"],
                                ["ad_id", "slot_id", "position"], ["college_id", "ad_id", "day"], ["college_id", "program", "device"]])
            by = draw.sample(pool, draw.randrange(0, min(len(pool), 3) + 1))
            grain = draw.choice([DAY, DAY, HOUR, 60_000, 1000])
            begin = BEGIN + draw.randrange(0, HOURS * HOUR // 2) // grain * grain
            end = begin + max(draw.randrange(HOUR, HOURS * HOUR // 2) // grain, 1) * grain
            compares = draw.random() < 0.4
            filters: list[tuple[str, list[str], bool]] = []
            for _ in range(draw.choice([0, 0, 1, 2])):
                name = draw.choice(pool)
                values = list({value_of(event, name) for event in draw.sample(EVENTS, 3)})
                filters.append((name, values, draw.random() < 0.3))
            parameters: dict[str, Any] = {
                "metrics": ",".join(chosen), "by": ",".join(by), "from": text_time(begin), "to": text_time(end),
                "compare": "previous" if compares else "none",
                "filter": [f"{name}{'!' if negated else ''}=" + ",".join(v.replace("\\", "\\\\").replace(",", "\\,") for v in values)
                           for name, values, negated in filters]}
            with self.subTest(case=case, **parameters):
                report = self.ask(**parameters)
                sources[report["source"]] += 1
                self.check(report, chosen, by, begin, end, compares, filters)
        self.assertEqual(set(sources), {"campaign_totals", "ad_days", "cohort_days", "college_days", "campaign_hour", "campaign_minute", "events"},
                         f"each source answered some: {sources}")

    def check(self, report: dict[str, Any], chosen: list[str], by: list[str], begin: int, end: int, compares: bool,
              filters: list[tuple[str, list[str], bool]]) -> None:
        now: dict[tuple[str, ...], list[dict[str, Any]]] = collections.defaultdict(list)
        before: dict[tuple[str, ...], list[dict[str, Any]]] = collections.defaultdict(list)
        length = end - begin
        for event in EVENTS:
            if not is_counted(event) or any((value_of(event, name) in values) == negated for name, values, negated in filters):
                continue
            if begin <= event["event_time"] < end:
                now[tuple(value_of(event, name) for name in by)].append(event)
            elif compares and begin - length <= event["event_time"] < begin:
                before[tuple(value_of(event, name, length) for name in by)].append(event)
        self.same(report["total"]["values"], (metric(m, list(itertools.chain(*now.values()))) for m in chosen), "total")
        if compares:
            self.same(report["total"]["previous"], (metric(m, list(itertools.chain(*before.values()))) for m in chosen), "previous total")
        if not by:
            self.assertEqual(report["rows"], [])
            return
        got = {tuple(row["keys"]): row for row in report["rows"]}
        self.assertEqual(len(got), len(report["rows"]))
        for key in set(now) | set(before):
            values = [metric(m, now[key]) for m in chosen]
            earlier = [metric(m, before[key]) for m in chosen]
            if key not in got:  # A row in which nothing was counted is left out.
                self.assertFalse(any(values) or (compares and any(earlier)), key)
                continue
            self.same(got[key]["values"], values, key)
            if compares:
                self.same(got[key]["previous"], earlier, key)
            else:
                self.assertIsNone(got[key]["previous"])
        self.assertLessEqual(set(got), set(now) | set(before))

    def test_rows_with_few_impressions_are_hidden_but_counted(self) -> None:
        everything = self.ask(metrics="impressions", by="campaign_id,college_id,hour")
        enough = [row for row in everything["rows"] if row["values"][0]["value"] >= 5]
        self.assertTrue(0 < len(enough) < len(everything["rows"]))
        report = self.ask(metrics="impressions", by="campaign_id,college_id,hour", min_impressions=5)
        self.assertEqual([row["keys"] for row in report["rows"]], [row["keys"] for row in enough])
        self.assertEqual(report["hidden_rows"], len(everything["rows"]) - len(enough))
        self.assertEqual(report["total"], everything["total"])

    def test_the_first_metric_orders_the_rows_and_the_limit_cuts_them(self) -> None:
        report = self.ask(metrics="ctr,impressions", by="campaign_id,hour", limit=7)
        self.assertTrue(report["is_cut"])
        self.assertEqual(len(report["rows"]), 7)
        everything = [row["values"][0]["value"] for row in self.ask(metrics="ctr,impressions", by="campaign_id,hour")["rows"]]
        known = [value for value in everything if value is not None]
        self.assertEqual([row["values"][0]["value"] for row in report["rows"]], sorted(known, reverse=True)[:7])
        self.assertFalse(self.ask(metrics="ctr", by="campaign_id")["is_cut"])

    def test_what_makes_no_sense_is_named(self) -> None:
        for query, field in (("metrics=colour", "metrics"), ("metrics=", "metrics"), ("metrics=ctr&by=colour", "by"), ("metrics=ctr&by=day,hour,ad_id,slot_id", "by"),
                             ("metrics=ctr&filter=colour=red", "filter"), ("metrics=ctr&filter=device", "filter"), ("metrics=ctr&compare=previous", "compare"),
                             ("metrics=ctr&compare=later", "compare"), ("metrics=ctr&limit=0", "limit")):
            with self.subTest(query):
                answer = MARQUEE.api(f"/v1/reports/metrics?site=campus&{query}")
                self.assertEqual(answer.status, 400, answer.body)
                self.assertEqual(answer.json()["error"]["field"], field)

    def test_an_answer_is_known_until_its_data_change(self) -> None:
        query = urllib.parse.urlencode({"site": "campus", "metrics": "impressions,reach", "by": "device", "from": text_time(BEGIN), "to": text_time(BEGIN + 3 * DAY)})

        def ask(*headers: tuple[str, str]) -> tuple[dict[str, Any], int]:
            """The report, and how many rows the store read for it."""
            before = MARQUEE.count("SELECT value FROM system.events WHERE event = 'SelectedRows'")
            answer = request(f"{MARQUEE.url}/v1/reports/metrics?{query}", headers={"Authorization": "Bearer " + MARQUEE.runtime["admin_token"], **dict(headers)})
            self.assertEqual(answer.status, 200, answer.body)
            return answer.json(), MARQUEE.count("SELECT value FROM system.events WHERE event = 'SelectedRows'") - before

        def land(when: int) -> None:
            event = {"type": "impression", "session_id": f"known{len(EVENTS)}", "seq": 1, "event_time": when, "campaign_id": "law", "ad_id": "hero", "slot_id": "top",
                     "position": 0, "device": "phone", "user_id": "u1", "consent": "full"}
            import_events(MARQUEE, [event])
            EVENTS.append(event)

        # Merges make other parts of the same data; none is to come between.
        MARQUEE.sql("OPTIMIZE TABLE marquee.events FINAL")
        wait_until(lambda: MARQUEE.count("SELECT count() FROM system.merges WHERE table = 'events'") == 0, 30, "merges")
        first, rows_of_first = ask()
        self.assertGreater(rows_of_first, 2500)
        again, rows_of_again = ask()
        self.assertEqual(again, first)
        self.assertLess(rows_of_again, 1500)
        fresh, rows_of_fresh = ask(("Cache-Control", "no-cache"))
        self.assertEqual(fresh, first)
        self.assertGreater(rows_of_fresh, 2500)
        land(BEGIN + 3 * DAY + HOUR)
        other, rows_of_other = ask()
        self.assertEqual(other, first)
        self.assertLess(rows_of_other, 1500)
        land(BEGIN + HOUR)
        changed, _ = ask()
        self.assertEqual(changed["total"]["values"][0]["value"], first["total"]["values"][0]["value"] + 1)

    def test_the_ctr_report_says_what_differs_from_the_rest_and_from_the_period_before(self) -> None:
        middle, end = text_time(BEGIN + HOURS * HOUR // 2), text_time(BEGIN + HOURS * HOUR)
        query = urllib.parse.urlencode({"site": "campus", "by": "college_id", "from": middle, "to": end, "compare": "previous", "filter": "device=phone"})
        report = MARQUEE.api(f"/v1/reports/ctr?{query}").json()
        counted = [event for event in EVENTS if is_counted(event) and event.get("device") == "phone"]
        rates = []
        for row in report["rows"]:
            own = [event for event in counted if event.get("college_id", "") == row["keys"][0]]
            now = [event for event in own if event["event_time"] >= BEGIN + HOURS * HOUR // 2]
            before = [event for event in own if event["event_time"] < BEGIN + HOURS * HOUR // 2]
            self.assertEqual((row["impressions"], row["clicks"]), (metric("impressions", now), metric("clicks", now)))
            self.assertEqual((row["previous"]["impressions"], row["previous"]["clicks"]), (metric("impressions", before), metric("clicks", before)))
            n, m = row["impressions"], report["total"]["impressions"] - row["impressions"]
            a, b = row["clicks"], report["total"]["clicks"] - row["clicks"]
            pooled = (a + b) / (n + m)
            z = (a / n - b / m) / math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
            self.assertAlmostEqual(row["p_value"], math.erfc(abs(z) / math.sqrt(2)), places=9)
            rates.append(row["p_value"])
        self.assertEqual(len(rates), 4)
        for i, row in enumerate(sorted(report["rows"], key=lambda one: one["p_value"])):
            expected = min(sorted(rates)[j] * 4 / (j + 1) for j in range(i, 4))
            self.assertAlmostEqual(row["false_discovery_rate"], min(1, expected), places=12)


if __name__ == "__main__":
    unittest.main()
