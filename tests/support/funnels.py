"""Funnels by their definition (libs/analytics/include/marquee/analytics/funnel.h), walked event by event.

Every attempt is made, one event after another: slow, and nothing like the store's way of counting them.
"""

from __future__ import annotations

import collections
import itertools
import math
import unittest
from collections.abc import Iterator
from typing import Any, NamedTuple

Event = dict[str, Any]


class Reached(NamedTuple):
    """An attempt for a step: the places, among the user's events, of its last, of the step's, of the one of the step before, and of its first."""

    last: int
    own: int
    previous: int
    first: int


def value_of(event: Event, dimension: str) -> str:
    if dimension.startswith("props."):
        return str(event.get("props", {}).get(dimension[6:], ""))
    return str(event.get(dimension, ""))


def passes(event: Event, filters: list[str]) -> bool:
    """Filters whose values need no escaping."""
    for text in filters:
        name, values = text.split("=", 1)
        if (value_of(event, name.removesuffix("!")) in values.split(",")) == name.endswith("!"):
            return False
    return True


def matches(event: Event, match: dict[str, Any]) -> bool:
    return event["type"] in match["types"] and passes(event, match.get("filter", []))


class Walk:
    """One user's events against a definition as POST /v1/reports/funnel takes it."""

    def __init__(self, definition: dict[str, Any], events: list[Event], by: str | None, key: str | None) -> None:
        """`key`: only attempts whose event of step 1 has this value; None: all."""
        self.steps = definition["steps"]
        self.exclusions = [(one, one.get("after_step", 1) - 1, one.get("before_step", len(self.steps)) - 1)
                           for one in definition.get("exclude", [])]
        self.window = definition["window_seconds"] * 1000
        self.order = definition["order"]
        conditions = [*self.steps, *definition.get("exclude", [])]
        matched = [(event, [matches(event, one) for one in conditions]) for event in events]
        # At one time and seq: those that match nothing, and then by the last step that they match; and those of step 1 by value.
        matched.sort(key=lambda one: (one[0]["event_time"], one[0].get("seq", 0), one[1][::-1], value_of(one[0], by) if by and one[1][0] else ""))
        self.times = [event["event_time"] for event, _ in matched]
        self.hits = [hits for _, hits in matched]
        if key is not None and by is not None:
            for event, hits in matched:
                hits[0] = hits[0] and value_of(event, by) == key

    def reached(self) -> list[Reached | None]:
        attempts = self.attempts_in_any_order if self.order == "any" else self.attempts
        best: list[Reached | None] = [None] * len(self.steps)
        for step, attempt in attempts():
            earlier = best[step]
            if earlier is None or attempt.last < earlier.last:
                best[step] = attempt
            elif attempt.last == earlier.last:
                best[step] = Reached(*(max(pair) for pair in zip(earlier, attempt, strict=True)))
        return best

    def took(self, reached: Reached) -> int:
        """From the previous step."""
        return int(abs(self.times[reached.own] - self.times[reached.previous]))

    def whole(self, reached: Reached) -> int:
        return int(self.times[reached.last] - self.times[reached.first])

    # -- ordered and strict ------------------------------------------------------------------------------------------
    def attempts(self) -> Iterator[tuple[int, Reached]]:
        for begin, hits in enumerate(self.hits):
            if hits[0]:
                yield from self.continued({0: begin})

    def continued(self, chain: dict[int, int]) -> Iterator[tuple[int, Reached]]:
        """The attempt that has these events for these steps, and every one that goes on from it."""
        step, place = max(chain.items())
        required = [one for one in chain if one != step and not self.steps[one].get("optional")]
        yield step, Reached(place, place, chain[max(required)] if required else place, chain[0])
        for then in range(step + 1, len(self.steps)):
            behind = range(place + 1, len(self.hits))
            for at in behind[:1] if self.order == "strict" else behind:
                if self.hits[at][then] and self.times[at] - self.times[chain[0]] <= self.window and not self.is_excluded(chain, then, at):
                    yield from self.continued({**chain, then: at})
            if not self.steps[then].get("optional"):
                break

    def is_excluded(self, chain: dict[int, int], then: int, at: int) -> bool:
        return any(after in chain and then <= before and any(self.hits[between][len(self.steps) + number] for between in range(chain[after] + 1, at))
                   for number, (_, after, before) in enumerate(self.exclusions))

    # -- any order ---------------------------------------------------------------------------------------------------
    def attempts_in_any_order(self) -> Iterator[tuple[int, Reached]]:
        places = [[place for place, hits in enumerate(self.hits) if hits[step]] for step in range(len(self.steps))]
        for step in range(len(self.steps)):
            needed = [one for one in range(step) if not self.steps[one].get("optional")] + [step]
            best: list[tuple[int, ...]] = []
            for events in itertools.product(*(places[one] for one in needed)):
                first, last = min(events), max(events)
                if best and last > max(best[0]) or self.times[last] - self.times[first] > self.window:
                    continue
                if any(hit for between in range(first + 1, last) for hit in self.hits[between][len(self.steps):]):
                    continue
                if best and last < max(best[0]):
                    best = []
                best.append(events)
            if best:
                latest = [max(places) for places in zip(*best, strict=True)]
                yield step, Reached(max(latest), latest[-1], latest[-2] if len(latest) > 1 else latest[-1], min(latest))


def quantile(values: list[int], level: float) -> float | None:
    if not values:
        return None
    values = sorted(values)
    place = level * (len(values) - 1)
    low = math.floor(place)
    return values[low] + (values[min(low + 1, len(values) - 1)] - values[low]) * (place - low)


def counts(definition: dict[str, Any], walks: list[Walk]) -> dict[str, Any]:
    """As the report tells them."""
    steps: list[dict[str, Any]] = []
    all_reached = [(walk, walk.reached()) for walk in walks]
    previous = 0
    for number, step in enumerate(definition["steps"]):
        took = [walk.took(attempt) for walk, reached in all_reached if (attempt := reached[number])]
        first = steps[0]["users"] if steps else len(took)
        steps.append({"users": len(took), "from_previous": len(took) / previous if number and previous else 0.0 if number else None,
                      "from_first": len(took) / first if first else 0.0, "median_ms_from_previous": quantile(took, 0.5) if number else None,
                      "p90_ms_from_previous": quantile(took, 0.9) if number else None})
        if not step.get("optional"):
            previous = len(took)
    whole = [walk.whole(attempt) for walk, reached in all_reached if (attempt := reached[-1])]
    return {"steps": steps, "median_ms_total": quantile(whole, 0.5), "p90_ms_total": quantile(whole, 0.9)}


def users_of(events: list[Event]) -> dict[str, list[Event]]:
    """By name, or by session; who has neither is nobody."""
    users = collections.defaultdict(list)
    for event in events:
        if event.get("user_id") or event.get("session_id"):
            users[f"user {event['user_id']}" if event.get("user_id") else f"session {event['session_id']}"].append(event)
    return users


def report(definition: dict[str, Any], events: list[Event], begin: int, end: int) -> dict[str, Any]:
    """Of the period: the whole, the rows by key, and the users that dropped out."""
    by = definition.get("by")
    within = [event for event in events if begin <= event["event_time"] < end and not event.get("is_bot") and passes(event, definition.get("filter", []))]
    users = users_of(within)
    walks = {user: Walk(definition, own, by, None) for user, own in users.items()}
    result = counts(definition, list(walks.values()))
    keys = {value_of(event, by) for event in within if matches(event, definition["steps"][0])} if by else set()
    result["rows"] = {key: counts(definition, [Walk(definition, own, by, key) for own in users.values()]) for key in keys}
    if (after := definition.get("dropped_after")) is not None:
        then = next(number for number in range(after, len(definition["steps"])) if not definition["steps"][number].get("optional"))
        result["dropped"] = {user for user, walk in walks.items() if (reached := walk.reached())[after - 1] and not reached[then]}
    return result


def assert_same(test: unittest.TestCase, got: dict[str, Any], expected: dict[str, Any]) -> None:
    """Whether a report, or a row of one, says what walking found."""
    for one, wanted in [*zip(got["steps"], expected["steps"], strict=True), (got, expected)]:
        for name in set(wanted) - {"steps", "rows", "dropped"}:
            if wanted[name] is None or isinstance(wanted[name], int):
                test.assertEqual(one[name], wanted[name], name)
            else:
                test.assertAlmostEqual(one[name], wanted[name], delta=1e-6, msg=name)
