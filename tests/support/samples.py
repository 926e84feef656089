"""The data that dashboards are tested on: both samples of data/, and five days of simulated students on the site campus, with a crawler."""

from __future__ import annotations

import json
import pathlib
import tempfile

from tests.support.marquee import ROOT, Marquee, wait_until

CAMPUS_DAYS = ("2026-01-12", "2026-01-13", "2026-01-14", "2026-01-15", "2026-01-16")


def _crawler() -> str:
    """What a bot did. No report counts it; a question that forgets to leave bots out shows a campaign, a college, a slot, a term of its own."""
    lines = []
    for number in range(400):
        kind = ("impression", "viewable_impression", "hover", "click", "conversion", "search", "course_view", "course_click")[number % 8]
        lines.append(json.dumps({
            "type": kind, "session_id": f"crawler-{number // 8}", "seq": number % 8 + 1, "user_id": "crawler", "consent": "full", "is_bot": True,
            "event_time": f"{CAMPUS_DAYS[2]}T10:{number // 8:02}:{number % 8:02}Z", "campaign_id": "crawled", "ad_id": "crawled", "slot_id": "crawled",
            "position": 9, "college_id": "crawled", "program": "crawled", "city": "crawled", "device": "crawled", "year_of_study": 9, "x": 5000,
            "y": 5000, **({"search_query": "crawled", "results_count": 0} if kind == "search" else {})}))
    return "\n".join(lines) + "\n"


def load_samples(marquee: Marquee) -> None:
    """Loads them and waits until reports count all of it."""
    marquee.run("import", "open-bandit", str(ROOT / "data/open_bandit"))
    marquee.run("import", "moodle", str(ROOT / "data/moodle_edify/moodle_events.csv.gz"))
    with tempfile.TemporaryDirectory(prefix="marquee-campus-") as directory:
        students, crawler = pathlib.Path(directory, "students.ndjson"), pathlib.Path(directory, "crawler.ndjson")
        marquee.run("simulate", "--quiet", "--out", str(students), "--start", f"{CAMPUS_DAYS[0]}T00:00:00Z", "--duration", "5d", "--seed", "7",
                    "--students", "400", "--colleges", "6")
        crawler.write_text(_crawler())
        marquee.run("import", "events", "--site", "campus", str(students), str(crawler))
    wait_until(lambda: marquee.api("/v1/status").json()["loader"]["lag_events"] == 0, 120, "the samples to land")
    assert marquee.count("SELECT count() FROM marquee.events WHERE is_bot") >= 400, "the crawler's events are not there"
