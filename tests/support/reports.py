"""Random events of a test, and what its recounts need."""

from __future__ import annotations

import datetime
import json
import os
from typing import Any

from tests.support.marquee import Marquee


def import_events(marquee: Marquee, events: list[dict[str, Any]], site: str = "campus") -> None:
    """When it returns, the events are counted in reports."""
    path = os.path.join(marquee.data_dir, "events.ndjson")
    with open(path, "w") as file:
        file.writelines(json.dumps(event) + "\n" for event in events)
    summary = json.loads(marquee.run("import", "events", "--site", site, "--json", path).stdout)
    assert summary["accepted"] == len(events), summary


def text_time(ms: int) -> str:
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def layout(event: dict[str, Any]) -> str:
    """The dimension, by its definition."""
    width = event.get("viewport", {}).get("width", 0)
    return "" if width == 0 else "narrow" if width < 600 else "medium" if width < 1024 else "wide"
