"""Marquee as a policy, over HTTP: its campaigns by the API, decisions, and the addresses of what it served, at the times of the environment."""

from __future__ import annotations

import datetime
import json
import socket
import time
import urllib.parse
from collections.abc import Iterable
from typing import Any

from bench.loop.baselines import Baseline
from bench.loop.world import CLICK_WINDOW_MS, VISITS_AT_ONCE, Impression, World
from tests.support.marquee import Marquee, wait_until

SITE = "campus"  # Whose first key is a server's: it may say what time it is.
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
ENVIRONMENT = {"MARQUEE_DECISIONS_CLICK_WINDOW": f"{CLICK_WINDOW_MS // 1000}s", "MARQUEE_DECISIONS_PUBLISH_EVERY": "10ms",
               "MARQUEE_LOGGING_LEVEL": "warn"}
IDLE_S = 30  # Marquee closes connections that are silent for 75 s.
NOT_OF_A_REQUEST = ("visit", "eligible")


class Connections:
    """Keep-alive connections that carry a request each at the same time, from one thread."""

    def __init__(self, url: str, count: int) -> None:
        self.parts = urllib.parse.urlsplit(url)
        self.host = f"{self.parts.hostname}:{self.parts.port}"
        self.files: list[tuple[socket.socket, Any]] = []
        self.used = 0.0
        self.open(count)

    def open(self, count: int) -> None:
        for _ in range(count):
            one = socket.create_connection((self.parts.hostname, self.parts.port), timeout=60)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.files.append((one, one.makefile("rb")))

    def close(self) -> None:
        for one, file in self.files:
            file.close()
            one.close()
        self.files = []

    def send(self, requests: list[bytes]) -> list[tuple[int, bytes]]:
        """Status and body of each, in order."""
        if time.monotonic() - self.used > IDLE_S:
            count = len(self.files)
            self.close()
            self.open(count)
        answers = []
        for begin in range(0, len(requests), len(self.files)):
            some = requests[begin:begin + len(self.files)]
            for (connection, _), request in zip(self.files, some):
                connection.sendall(request)
            answers += [self.read(file) for (_, file), _ in zip(self.files, some)]
        self.used = time.monotonic()
        return answers

    @staticmethod
    def read(file: Any) -> tuple[int, bytes]:
        status = int(file.readline().split(b" ", 2)[1])
        length = 0
        while (line := file.readline()) not in (b"\r\n", b""):
            name, value = line.split(b":", 1)
            if name.lower() == b"content-length":
                length = int(value)
        return status, file.read(length)


class Served(Baseline):
    def __init__(self, world: World, marquee: Marquee) -> None:
        super().__init__(world, 0)
        self.marquee = marquee
        self.connections = Connections(marquee.url, VISITS_AT_ONCE)
        self.headers = (f" HTTP/1.1\r\nHost: {self.connections.host}\r\nUser-Agent: {BROWSER}\r\n"
                        f"Authorization: Bearer {marquee.runtime['write_keys'][SITE]}\r\n").encode()
        self.numbers = {ad.id: ad.number for ad in world.ads}
        self.placements = [{"slot_id": f"slot-{slot}"} for slot in range(world.slots)]

    def close(self) -> None:
        self.connections.close()

    def put_campaigns(self) -> None:
        campaigns: dict[str, dict[str, Any]] = {}
        for ad in self.world.ads:
            one = campaigns.setdefault(ad.campaign, {
                "id": ad.campaign, "name": ad.campaign, "status": "active", "pacing": "none", "category": ad.category,
                "advertiser": ad.advertiser, "from": moment(ad.from_ms), "to": moment(ad.to_ms), "ads": []})
            one["ads"].append({"id": ad.id, "name": ad.id, "creative": {"kind": "card", "landing_url": "https://campus.example/" + ad.id}})
        things = [(f"/v1/campaigns/{name}", one) for name, one in campaigns.items()]
        # The engine takes over all that the catalog has at a moment: once it knows the last slot, it knows the rest.
        things += [(f"/v1/slots/{one['slot_id']}", {"id": one["slot_id"], "name": one["slot_id"]}) for one in self.placements]
        for path, thing in things:
            answer = self.marquee.api(f"{path}?site={SITE}", "PUT", thing)
            if answer.status not in (200, 201):
                raise RuntimeError(f"{path}: {answer.status} {answer.body!r}")

        def is_known() -> bool:
            _, body = self.connections.send([self.post({"placements": self.placements[-1:], "time": 0})])[0]
            return b'"no_candidate"' in body

        wait_until(is_known, 30, "the campaigns to be served")

    def post(self, body: dict[str, Any]) -> bytes:
        text = json.dumps(body).encode()
        return b"POST /v1/decisions" + self.headers + b"Content-Length: %d\r\n\r\n" % len(text) + text

    def count(self, addresses: Iterable[tuple[str, int]], expected: int) -> None:
        for status, body in self.connections.send([f"GET {url}?time={at}".encode() + self.headers + b"\r\n" for url, at in addresses]):
            if status != expected:
                raise RuntimeError(f"an address was answered with {status}: {body!r}")

    def has_learned(self) -> bool:
        return bool(self.marquee.api("/v1/models").json()["unread_records"] == 0)

    def choose(self, visits: list[dict[str, Any]]) -> list[list[Impression]]:
        # In the world a new version serves a second after what it is learned from. A second of the clock is hours of the environment
        # here, so the clock waits: how fresh the model is must not hang on how busy the machine is.
        wait_until(self.has_learned, 120, "what came of earlier visits to be learned")
        requests = [self.post({"placements": self.placements, **{name: value for name, value in visit.items() if name not in NOT_OF_A_REQUEST}})
                    for visit in visits]
        slates = []
        for visit, (status, body) in zip(visits, self.connections.send(requests)):
            if status != 200:
                raise RuntimeError(f"a decision was answered with {status}: {body!r}")
            places = json.loads(body)["placements"]
            if any(place["ad"] is None for place in places):
                raise RuntimeError(f"a placement has no ad: {body!r}")
            slates.append([Impression(visit, slot, self.numbers[place["ad"]["id"]], place) for slot, place in enumerate(places)])
        self.count([(one.handle["impression_url"], one.visit["time"]) for slate in slates for one in slate], 200)
        return slates

    def clicked(self, impressions: list[Impression]) -> None:
        self.count([(one.handle["click_url"], one.click_at or 0) for one in impressions], 302)


def moment(ms: int) -> str:
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.UTC).isoformat(timespec="milliseconds")


