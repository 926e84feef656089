"""Heatmaps equal a recount in Python of random events, from whatever source they are answered."""

from __future__ import annotations

import collections
import os
import random
import time
import unittest
import urllib.parse
from typing import Any

from tests.support.marquee import Marquee
from tests.support.reports import import_events, layout, text_time

SEED = int(os.environ.get("SEED", "1"))
DAY = 86_400_000
BEGIN = (int(time.time()) // 86_400 - 5) * DAY
DAYS = 3
TYPES = ("impression", "viewable_impression", "hover", "click")

MARQUEE: Marquee
EVENTS: list[dict[str, Any]] = []


def random_event(draw: random.Random, number: int) -> dict[str, Any]:
    event: dict[str, Any] = {"type": draw.choice(TYPES + ("page_view",)), "session_id": f"h{number // 50}", "seq": number % 50 + 1,
                             "event_time": BEGIN + draw.randrange(DAYS * DAY), "position": draw.randrange(3), "is_bot": draw.random() < 0.05,
                             "page_id": draw.choice(["home", "course"]), "device": draw.choice(["phone", "desktop"])}
    if draw.random() < 0.8:
        event["slot_id"] = draw.choice(["top", "side"])
    for x, y in (("x", "y"), ("page_x", "page_y")):
        if draw.random() < 0.7:
            event[x], event[y] = (draw.choice([0, 99, 100, 5_000, 9_999, 10_000]) for _ in range(2))
    if draw.random() < 0.7:
        event["viewport"] = {"width": draw.choice([360, 800, 1600]), "height": 700}
    return event


def setUpModule() -> None:
    global MARQUEE
    MARQUEE = Marquee()
    MARQUEE.start()
    draw = random.Random(SEED)
    EVENTS.extend(random_event(draw, number) for number in range(4000))
    import_events(MARQUEE, EVENTS)


def tearDownModule() -> None:
    MARQUEE.__exit__(None, None, None)


def place(event: dict[str, Any], mode: str) -> tuple[str, int, int] | None:
    """Where the event belongs in the picture, if it does."""
    slot = event.get("slot_id", "")
    if mode == "positions":
        return (slot, event["position"], 0) if slot else None
    x, y = ("page_x", "page_y") if mode == "page" else ("x", "y")
    if x not in event or (mode == "cells" and not slot):
        return None
    return ("" if mode == "page" else slot, min(event[x] // 100, 99), min(event[y] // 100, 99))


class Heatmaps(unittest.TestCase):
    def test_each_kind_with_random_filters_and_ranges(self) -> None:
        draw = random.Random(SEED + 1)
        sources: collections.Counter[tuple[str, str]] = collections.Counter()
        for case in range(80):
            mode = draw.choice(["positions", "cells", "page"])
            grain = draw.choice([DAY, DAY, 1000])
            begin = BEGIN + draw.randrange(DAYS * DAY // grain) * grain
            end = begin + draw.randrange(1, (BEGIN + DAYS * DAY - begin) // grain + 1) * grain
            slot = draw.choice(["top", "side"]) if mode == "cells" else draw.choice(["", "", "top"])
            page = draw.choice(["home", "course"]) if mode == "page" else draw.choice(["", "", "home"])
            device, wide = draw.choice(["", "phone"]), draw.choice(["", "", "wide"])
            filters = [f"device={device}"] * bool(device) + [f"layout={wide}"] * bool(wide)
            parameters = {"mode": mode, "slot": slot, "page": page, "from": text_time(begin), "to": text_time(end), "filter": filters}
            with self.subTest(case=case, **parameters):
                report = MARQUEE.api("/v1/reports/heatmap?" + urllib.parse.urlencode({"site": "campus", **parameters}, doseq=True)).json()
                sources[mode, report["source"]] += 1
                expected: dict[tuple[str, int, int], collections.Counter[str]] = collections.defaultdict(collections.Counter)
                for event in EVENTS:
                    where = place(event, mode)
                    if (where and not event["is_bot"] and event["type"] in TYPES and begin <= event["event_time"] < end
                            and slot in ("", event.get("slot_id")) and page in ("", event["page_id"]) and device in ("", event["device"])
                            and wide in ("", layout(event))):
                        expected[where][event["type"]] += 1
                got = {(c["slot"], c["x"], c["y"]): (c["impressions"], c["viewable_impressions"], c["hovers"], c["clicks"]) for c in report["cells"]}
                self.assertEqual(got, {key: tuple(value[t] for t in TYPES) for key, value in expected.items()})
                for cell in report["cells"]:
                    self.assertAlmostEqual(cell["viewability"], cell["viewable_impressions"] / cell["impressions"] if cell["impressions"] else 0)
        self.assertEqual(set(sources), {("positions", "ad_days"), ("positions", "heatmap_cells"), ("positions", "events"), ("cells", "heatmap_cells"), ("cells", "events"),
                                        ("page", "events")})

    def test_what_is_missing_is_named(self) -> None:
        for query, field in (("mode=cells", "slot"), ("mode=page", "page"), ("filter=colour=red", "filter")):
            answer = MARQUEE.api(f"/v1/reports/heatmap?site=campus&{query}")
            self.assertEqual((answer.status, answer.json()["error"]["field"]), (400, field))


if __name__ == "__main__":
    unittest.main()
