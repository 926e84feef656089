"""A Marquee with random events of users in segments and in arms of experiments, and what its tests ask of it."""

from __future__ import annotations

import collections
import random
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any

from tests.support.marquee import Marquee
from tests.support.reports import import_events

HOUR = 3_600_000
DAY = 24 * HOUR
BEGIN = (int(time.time() * 1000) // DAY - 5) * DAY
END = BEGIN + 4 * DAY
TYPES = ["page_view", "search", "impression", "impression", "viewable_impression", "hover", "click", "conversion"]
# The second is of no arm that anybody could mistake for SQL.
EXPERIMENTS = {"layout": ["control", "wide"], "o'brien\\`x {a:b}": ["a", "b", "it's"]}


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


def random_range(draw: random.Random) -> tuple[int, int]:
    """Often of whole days, of which other columns are read."""
    grain = draw.choice([1000, 1000, DAY])
    begin = BEGIN + draw.randrange(2 * DAY) // grain * grain
    return begin, begin + max(draw.randrange(HOUR, 3 * DAY) // grain, 1) * grain


def counted(events: list[dict[str, Any]]) -> dict[str, float]:
    kinds = collections.Counter(event["type"] for event in events if event.get("campaign_id"))
    return {"impressions": kinds["impression"], "clicks": kinds["click"],
            "reach": len({event["user_id"] for event in events if event["type"] == "impression" and event.get("user_id") and event.get("campaign_id")})}


class SegmentSite:
    """The site campus of a Marquee of its own, from the beginning until `close`."""

    def __init__(self, seed: int) -> None:
        print(f"SEED={seed}", flush=True)
        self.events: list[dict[str, Any]] = []
        self.keys: dict[str, str] = {}  # By name.
        self.marquee = Marquee({"MARQUEE_SEGMENTS_REFRESH": "1s"})
        self.marquee.start()
        draw = random.Random(seed)
        for number in range(250):
            self.events.extend(random_user(draw, number))
        import_events(self.marquee, draw.sample(self.events, len(self.events)))
        self.learn_keys()

    def close(self) -> None:
        self.marquee.__exit__(None, None, None)

    def learn_keys(self) -> None:
        self.keys.update((name, f"{int(key):016x}") for name, key in self.marquee.rows(
            "SELECT DISTINCT toString(props.name), user_key FROM marquee.events WHERE site_id = 'campus' AND user_key != 0"))

    def ask(self, report: str, **parameters: Any) -> dict[str, Any]:
        answer = self.marquee.api(f"/v1/reports/{report}?" + urllib.parse.urlencode({"site": "campus", **parameters}, doseq=True))
        assert answer.status == 200, answer.body
        return dict(answer.json())

    def ask_funnel(self, definition: dict[str, Any]) -> dict[str, Any]:
        answer = self.marquee.api("/v1/reports/funnel", "POST", {"site": "campus", **definition})
        assert answer.status == 200, answer.body
        return dict(answer.json())

    def made(self, title: str, definition: dict[str, Any]) -> dict[str, Any]:
        answer = self.marquee.api("/v1/segments", "POST", {"site": "campus", "title": title, "definition": definition})
        assert answer.status == 201, answer.body
        return dict(answer.json())

    def put(self, segment: dict[str, Any], definition: dict[str, Any]) -> dict[str, Any]:
        answer = self.marquee.api(f"/v1/segments/{segment['id']}", "PUT", {"site": "campus", "title": segment["title"], "definition": definition})
        assert answer.status == 200, answer.body
        return dict(answer.json())

    def removed(self, segment: dict[str, Any]) -> None:
        assert self.marquee.api(f"/v1/segments/{segment['id']}", "DELETE").status == 204

    def users_of(self, segment: dict[str, Any]) -> list[str]:
        """Keys, as they stand in the store."""
        return [f"{int(key):016x}" for (key,) in self.marquee.rows(
            f"SELECT user_key FROM marquee.segment_users WHERE segment_id = '{segment['id']}' AND version = {segment['version']} ORDER BY user_key")]

    def keys_of(self, names: set[str]) -> list[str]:
        return sorted(self.keys[name] for name in names)

    def list_of(self, names: set[str]) -> dict[str, Any]:
        return {"kind": "list", "users": self.keys_of(names)}
