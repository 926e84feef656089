"""An environment of `marquee simulate --environment`, and the loop that lets a policy serve in it."""

from __future__ import annotations

import heapq
import itertools
import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.support.marquee import BINARY

DAY_MS = 86_400_000
VISITS_AT_ONCE = 64
WITHIN_MS = 300_000  # Visits that are decided before what came of them is known.
CLICK_WINDOW_MS = 900_000  # How long an impression waits for its click before a policy learns it.
BUCKETS_A_DAY = 12


@dataclass
class Ad:
    number: int
    id: str
    campaign: str
    category: str
    advertiser: str
    from_ms: int
    to_ms: int


class World:
    """One policy's own run: its views tire the students. All runs of a seed have the same visits and the same luck."""

    def __init__(self, environment: str, seed: int, visits: int | None = None) -> None:
        more = [] if visits is None else ["--visits", str(visits)]
        self._process = subprocess.Popen([BINARY, "simulate", "--environment", environment, "--seed", str(seed), *more], text=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        head = self._answer()
        self.slots: int = head["slots"]
        self.visits: int = head["visits"]
        self.ads = [Ad(number, **ad) for number, ad in enumerate(head["ads"])]

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()  # Closes its stdin, at which it ends.

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("marquee simulate --environment ended")
        return json.loads(line)

    def _ask(self, **what: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def next(self, within_ms: int = WITHIN_MS) -> list[dict[str, Any]]:
        """The next visits; none at the end of the week."""
        return list(self._ask(next=VISITS_AT_ONCE, within_ms=within_ms)["visits"])

    def show(self, visits: Sequence[dict[str, Any]], slates: Sequence[Sequence[int]]) -> list[dict[str, Any]]:
        return list(self._ask(show=[[visit["visit"], list(slate)] for visit, slate in zip(visits, slates)])["shown"])

    def best(self, visits: Sequence[dict[str, Any]], by_visible: bool = False) -> list[list[int]]:
        return list(self._ask(**{"visible" if by_visible else "best": [visit["visit"] for visit in visits]})["ads"])


@dataclass
class Impression:
    """An ad in a slot. `handle` is the policy's own."""

    visit: dict[str, Any]
    slot: int
    ad: int
    handle: Any = None
    click_at: int | None = None


class Policy(Protocol):
    def choose(self, visits: list[dict[str, Any]]) -> list[list[Impression]]:
        """A slate for each visit, shown at the visit's time."""

    def clicked(self, impressions: list[Impression]) -> None:
        """These were clicked, at `click_at`."""

    def learn(self, impression: Impression, is_clicked: bool) -> None:
        """Its window has ended."""


@dataclass
class Bucket:
    """Some hours of a run."""

    shown: int = 0
    clicks: int = 0
    chance: float = 0  # Of clicks, truly: what clicks are drawn from.
    best: float = 0  # What the best ads would have had, to students who saw what this policy has shown before.


@dataclass
class Run:
    environment: str
    seed: int
    policy: str
    buckets: list[Bucket] = field(default_factory=list)

    def total(self, last_days: float | None = None) -> Bucket:
        some = self.buckets if last_days is None else self.buckets[-round(last_days * BUCKETS_A_DAY):]
        return Bucket(sum(b.shown for b in some), sum(b.clicks for b in some), sum(b.chance for b in some), sum(b.best for b in some))

    def rate(self, last_days: float | None = None) -> float:
        """The mean true chance of a click: the CTR without the luck of the draw."""
        total = self.total(last_days)
        return total.chance / max(total.shown, 1)


def play(world: World, policy: Policy, run: Run, within_ms: int = WITHIN_MS) -> Run:
    """Lets `policy` serve a week. It hears of clicks when they come, and of what was not clicked when the window has ended."""
    order = itertools.count()
    clicks: list[tuple[int, int, Impression]] = []  # By time, those to come.
    waiting: list[tuple[int, int, Impression]] = []
    start = None
    while visits := world.next(within_ms):
        now = visits[0]["time"]
        start = now - now % DAY_MS if start is None else start
        due = [heapq.heappop(clicks)[2] for _ in range(sum(at <= now for at, _, _ in clicks))]
        policy.clicked(due)
        while waiting and waiting[0][0] <= now:
            one = heapq.heappop(waiting)[2]
            policy.learn(one, one.click_at is not None and one.click_at <= one.visit["time"] + CLICK_WINDOW_MS)
        slates = policy.choose(visits)
        for slate, visit, shown in zip(slates, visits, world.show(visits, [[one.ad for one in slate] for slate in slates])):
            at = (visit["time"] - start) * BUCKETS_A_DAY // DAY_MS
            while len(run.buckets) <= at:
                run.buckets.append(Bucket())
            bucket = run.buckets[at]
            bucket.best += shown["best"]
            for one, (chance, click_ms) in zip(slate, shown["ads"]):
                bucket.shown += 1
                bucket.chance += chance
                heapq.heappush(waiting, (visit["time"] + CLICK_WINDOW_MS, next(order), one))
                if click_ms is None:
                    continue
                bucket.clicks += 1
                one.click_at = visit["time"] + click_ms
                heapq.heappush(clicks, (one.click_at, next(order), one))
    return run
