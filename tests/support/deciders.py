"""A site of its own whose ads are asked of any decider, and shown at any."""

from __future__ import annotations

import json
import random
import threading
import uuid
from collections.abc import Sequence
from typing import Any

from tests.support.marquee import Answer, Marquee, request, wait_until

FULL = {"consent": "full", "age": 21}
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"}
# An ad below it is no candidate, so who asks with it takes nothing.
NO_BID_IS_SO_HIGH = {"filters": {"floor_micros": 1_000_000_000_000}}


def campaign(identifier: str, ads: int = 1, **members: Any) -> dict[str, Any]:
    return {"id": identifier, "name": identifier, "status": "active", "pacing": "none", "bid_micros": 1_000_000,
            "ads": [{"id": f"{identifier}-{i}", "name": f"{identifier} {i}",
                     "creative": {"kind": "card", "landing_url": f"https://campus.example/{identifier}/{i}",
                                  "fields": {"title": f"{identifier} {i}"}}} for i in range(ads)], **members}


class AdSite:
    """`urls`: where ads are asked for."""

    def __init__(self, marquee: Marquee, urls: Sequence[str], *campaigns: dict[str, Any]) -> None:
        self.marquee, self.urls = marquee, list(urls)
        self.id = "s" + uuid.uuid4().hex[:12]
        self._send("POST", "/v1/sites", {"id": self.id, "name": self.id})
        self.key = self._send("POST", f"/v1/sites/{self.id}/keys", {}).json()["key"]
        for one in campaigns:
            self.put(one)
        # A decider takes over all that the catalog has at a moment: once it knows this slot, it knows the rest.
        self._send("PUT", f"/v1/slots/top?site={self.id}", {"id": "top", "name": "top"})
        for url in self.urls:
            self.wait_served(url)

    def wait_served(self, url: str) -> None:
        wait_until(lambda: self.ask(url, **NO_BID_IS_SO_HIGH).get("because") == "no_candidate", 30, "the campaigns to be served")

    def _send(self, method: str, path: str, body: Any) -> Answer:
        answer = self.marquee.api(path, method, body)
        assert answer.status in (200, 201), f"{method} {path}: {answer.status} {answer.body!r}"
        return answer

    def put(self, one: dict[str, Any]) -> None:
        self._send("PUT", f"/v1/campaigns/{one['id']}?site={self.id}", one)

    def ask(self, url: str, timeout: float = 30, **fields: Any) -> Any:
        """The one placement of a decision. OSError where nobody answers, or only that the key is not known yet."""
        body = {"placements": [{"slot_id": "top"}], **fields}
        answer = request(url + "/v1/decisions", "POST", json.dumps(body).encode(), {"Authorization": "Bearer " + self.key, **BROWSER}, timeout)
        if answer.status in (401, 403):
            return {"because": "unknown_key", "ad": None}
        assert answer.status == 200, answer.body
        whole = answer.json()
        return {**whole["placements"][0], "decision_id": whole["decision_id"]}

    @staticmethod
    def show(url: str, path: str) -> Answer:
        return request(url + path, "GET", None, BROWSER)

    def count(self, what: str) -> int:
        return self.marquee.count(f"SELECT count() FROM marquee.events WHERE site_id = '{self.id}' AND {what}")

    def decisions(self, what: str = "ad_id != ''") -> int:
        return self.marquee.count(f"SELECT count() FROM marquee.decisions FINAL WHERE site_id = '{self.id}' AND {what}")


class Crowd(threading.Thread):
    """Users who ask one decider after the other and look at what they get, at another, as fast as they can; until told to stop."""

    def __init__(self, site: AdSite, seed: int, users: int = 10_000, **fields: Any) -> None:
        super().__init__(daemon=True)
        self.site, self.users, self.fields, self._random = site, users, fields, random.Random(seed)
        self.served: list[tuple[str, str, str]] = []  # user, ad, decision
        self.shown: list[tuple[str, str, str]] = []
        self.empty: list[str] = []
        self.unanswered = 0
        self.slowest = 0.0
        self.failure = ""
        self._stops = threading.Event()

    def run(self) -> None:
        try:
            while not self._stops.is_set():
                self._one()
        except Exception as error:
            self.failure = repr(error)

    def _one(self) -> None:
        user = f"u{self._random.randrange(self.users)}"
        try:
            one = self.site.ask(self._random.choice(self.site.urls), user_id=user, **FULL, **self.fields)
        except OSError:
            self.unanswered += 1
            return
        if one["ad"] is None:
            self.empty.append(one["because"])
            return
        who = (user, one["ad"]["id"], one["decision_id"])
        self.served.append(who)
        try:
            if self.site.show(self._random.choice(self.site.urls), one["impression_url"]).status == 200:
                self.shown.append(who)
        except OSError:
            self.unanswered += 1

    def finish(self) -> None:
        self._stops.set()
        self.join(60)
        assert not self.is_alive() and not self.failure, self.failure
