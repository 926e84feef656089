"""Who is in a segment and in which arm of an experiment, by their definitions (libs/analytics: segments.h, user_dimensions.h), event by event."""

from __future__ import annotations

import datetime
from typing import Any

from tests.support.funnels import Event, passes, value_of

HOUR = 3_600_000


def moment(text: str) -> int:
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def span(condition: dict[str, Any], now: int) -> tuple[int, int]:
    """Of a condition's times: from, and to without it."""
    if "last" in condition:
        number, unit = int(condition["last"][:-1]), condition["last"][-1]
        length = {"m": 60_000, "h": HOUR, "d": 24 * HOUR}[unit]
        end = (now // length + 1) * length
        return end - number * length, end
    return moment(condition["from"]) if "from" in condition else 0, moment(condition["to"]) if "to" in condition else 1 << 62


def holds(rule: dict[str, Any], events: list[Event], now: int) -> bool:
    """Of a user with these events."""
    if "all" in rule:
        return all([holds(part, events, now) for part in rule["all"]])
    if "any" in rule:
        return any([holds(part, events, now) for part in rule["any"]])
    if "not" in rule:
        return not holds(rule["not"], events, now)
    begin, end = span(rule, now)
    count = sum(1 for event in events
                if begin <= event["event_time"] < end and (not rule.get("types") or event["type"] in rule["types"]) and passes(event, rule.get("filter", [])))
    return count < rule["fewer_than"] if "fewer_than" in rule else count >= rule.get("at_least", 1)


def users_with_key(events: list[Event]) -> dict[str, list[Event]]:
    """By name; bots are nobody."""
    users: dict[str, list[Event]] = {}
    for event in events:
        if event.get("user_id") and not event.get("is_bot"):
            users.setdefault(event["user_id"], []).append(event)
    return users


def in_rule(rule: dict[str, Any], events: list[Event], now: int) -> set[str]:
    return {user for user, own in users_with_key(events).items() if holds(rule, own, now)}


def exposures(experiment: str, events: list[Event], end: int) -> dict[str, tuple[int, set[str]]]:
    """Of each user who was exposed before `end`: when first, and to which arms."""
    result: dict[str, tuple[int, set[str]]] = {}
    for user, own in users_with_key(events).items():
        shown = [event for event in own if event["type"] == "exposure" and event["event_time"] < end
                 and value_of(event, "props.experiment") == experiment and value_of(event, "props.arm")]
        if shown:
            result[user] = min(event["event_time"] for event in shown), {value_of(event, "props.arm") for event in shown}
    return result


def arm_of(event: Event, exposed: dict[str, tuple[int, set[str]]]) -> str:
    """Empty where the event is in no comparison."""
    if event.get("is_bot") or event.get("user_id") not in exposed:
        return ""
    since, arms = exposed[event["user_id"]]
    return next(iter(arms)) if len(arms) == 1 and event["event_time"] >= since else ""
