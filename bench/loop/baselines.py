"""Policies that Marquee is compared with, but for Vowpal Wabbit's (vowpal.py)."""

from __future__ import annotations

import collections
import random
from collections.abc import Callable
from typing import Any

from bench.loop.world import Impression, World

# A rate is shrunk to 2 %, which an ad that is new then has: it is tried.
PRIOR_CLICKS, PRIOR_SHOWN = 1, 50


class Rates:
    """CTR so far."""

    def __init__(self) -> None:
        self.shown: collections.Counter[Any] = collections.Counter()
        self.clicks: collections.Counter[Any] = collections.Counter()

    def add(self, key: Any, is_clicked: bool) -> None:
        self.shown[key] += 1
        self.clicks[key] += is_clicked

    def of(self, key: Any) -> float:
        return (self.clicks[key] + PRIOR_CLICKS) / (self.shown[key] + PRIOR_SHOWN)


class Baseline:
    """What they share: a slate a visit, nothing to be told of clicks before their window ends."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)

    def slate(self, visit: dict[str, Any]) -> list[int]:
        raise NotImplementedError

    def choose(self, visits: list[dict[str, Any]]) -> list[list[Impression]]:
        return self.impressions(visits, [self.slate(visit) for visit in visits])

    @staticmethod
    def impressions(visits: list[dict[str, Any]], slates: list[list[int]]) -> list[list[Impression]]:
        return [[Impression(visit, slot, ad) for slot, ad in enumerate(slate)] for visit, slate in zip(visits, slates)]

    def clicked(self, impressions: list[Impression]) -> None:
        pass

    def learn(self, impression: Impression, is_clicked: bool) -> None:
        pass

    def top(self, visit: dict[str, Any], worth: Callable[[int], Any]) -> list[int]:
        """The best by `worth`, ties in any order."""
        return sorted(visit["eligible"], key=lambda ad: (worth(ad), self.random.random()), reverse=True)[:self.world.slots]


class Uniform(Baseline):
    def slate(self, visit: dict[str, Any]) -> list[int]:
        return self.random.sample(visit["eligible"], self.world.slots)


class Watched(Uniform):
    """Remembers what came of its ads, by which best fixed ones are known."""

    def __init__(self, world: World, seed: int) -> None:
        super().__init__(world, seed)
        self.rates = Rates()

    def learn(self, impression: Impression, is_clicked: bool) -> None:
        self.rates.add(impression.ad, is_clicked)


class Oracle(Baseline):
    """The best by true chance."""

    by_visible = False

    def choose(self, visits: list[dict[str, Any]]) -> list[list[Impression]]:
        return self.impressions(visits, self.world.best(visits, self.by_visible))


class VisibleOracle(Oracle):
    """The best that features which a decider sees can tell: what is hidden of students, and their views, are not reckoned with."""

    by_visible = True


class Popularity(Baseline):
    """The ads with the highest CTR so far, one of twenty slates drawn."""

    share_drawn = 0.05

    def __init__(self, world: World, seed: int) -> None:
        super().__init__(world, seed)
        self.rates = Rates()

    def slate(self, visit: dict[str, Any]) -> list[int]:
        if self.random.random() < self.share_drawn:
            return self.random.sample(visit["eligible"], self.world.slots)
        return self.top(visit, self.worth_at(visit))

    def worth_at(self, visit: dict[str, Any]) -> Callable[[int], Any]:
        """By which ads stand at a visit."""
        return self.rates.of

    def learn(self, impression: Impression, is_clicked: bool) -> None:
        self.rates.add(impression.ad, is_clicked)


class SegmentRules(Popularity):
    """Rules as people write them: first ads of the page's category, then of those that the program has clicked most so far."""

    def worth_at(self, visit: dict[str, Any]) -> Callable[[int], Any]:
        page, program, ads = visit.get("course_category"), visit.get("program"), self.world.ads
        return lambda ad: (ads[ad].category == page, self.rates.of((program, ads[ad].category)), self.rates.of(ad))

    def learn(self, impression: Impression, is_clicked: bool) -> None:
        super().learn(impression, is_clicked)
        self.rates.add((impression.visit.get("program"), self.world.ads[impression.ad].category), is_clicked)


class BestFixed(Baseline):
    """The ads that are best for all together, known beforehand from a week of the uniform policy's clicks."""

    def __init__(self, world: World, seed: int, before: Rates) -> None:
        super().__init__(world, seed)
        self.worth = {ad: before.clicks[ad] / shown for ad, shown in before.shown.items()}

    def slate(self, visit: dict[str, Any]) -> list[int]:
        return self.top(visit, lambda ad: self.worth.get(ad, 0))
