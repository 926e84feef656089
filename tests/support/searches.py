"""The report of searches by its definition, walked session by session."""

from __future__ import annotations

import collections
from typing import Any


def counts() -> dict[str, Any]:
    return {"searches": 0, "who": set(), "without_results": 0, "without_click": 0}


def recount(all_events: list[dict[str, Any]], begin: int, end: int) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Of all terms, and by term, as the report tells them. A session's seqs tell the order of events of one millisecond."""
    total, terms = counts(), collections.defaultdict(counts)
    sessions = collections.defaultdict(list)
    for event in all_events:
        if not event["is_bot"] and begin <= event["event_time"] < end:
            sessions[event["session_id"]].append(event)
    for session, events in sessions.items():
        events.sort(key=lambda event: (event["event_time"], event["seq"]))
        for i, event in enumerate(events):
            if event["type"] != "search":
                continue
            is_clicked = False
            for after in events[i + 1:]:
                if after["type"] == "search":
                    break
                is_clicked = is_clicked or after["type"] in ("click", "course_click", "course_view")
            for one in (total, terms[event["search_query"].strip(" ").lower()]):
                one["searches"] += 1
                one["who"].add(event.get("user_id", session))
                one["without_results"] += event.get("results_count") == 0
                one["without_click"] += not is_clicked
    for one in (total, *terms.values()):
        one["users"] = len(one.pop("who"))
    return total, dict(terms)
