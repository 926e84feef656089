"""Starts a Marquee with the sample data and runs the tests of tests/browser on it; that of the pipeline on one that is on Kafka, too,
without loader and with; that of signing in on one where nobody has an account; demo.test.mjs on one that has the campus demo on; and
overview.test.mjs, alerts.test.mjs and settings.test.mjs on one with weeks of simulated students, whose webhooks may be private."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from tests.support.kafka import Cluster, KafkaMarquee
from tests.support.marquee import BINARY, ROOT, Marquee


def run(test: str, marquee: Marquee, **further: str) -> int:
    environment = {**os.environ, "MARQUEE_URL": marquee.url, "MARQUEE_TOKEN": marquee.runtime["admin_token"],
                   "MARQUEE_WRITE_KEY": marquee.runtime["write_keys"]["campus"], **further}
    # A part of a check's name runs that check alone.
    return subprocess.run(["node", str(ROOT / "tests/browser" / test), *sys.argv[1:]], env=environment, timeout=600).returncode


def on_sample_data() -> int:
    with Marquee() as marquee:
        marquee.run("import", "open-bandit", str(ROOT / "data/open_bandit"))
        marquee.run("import", "moodle", str(ROOT / "data/moodle_edify/moodle_events.csv.gz"))
        tests = ("console", "saved", "personalization", "segments", "manage", "explore", "sql", "palette", "pipeline")
        return sum(run(f"{test}.test.mjs", marquee) for test in tests)


def write_weeks(path: pathlib.Path) -> None:
    """Sixteen days of simulated students until now; in the last of them nobody clicks on a phone."""
    now = datetime.datetime.now(datetime.UTC)
    start = (now - datetime.timedelta(days=16)).strftime("%Y-%m-%dT%H:00:00Z")
    whole = path.with_name("whole.ndjson")
    subprocess.run([BINARY, "simulate", "--out", str(whole), "--start", start, "--duration", "16d", "--students", "300", "--colleges", "8",
                    "--seed", "7", "--quiet"], check=True)
    last_day = (now - datetime.timedelta(days=1, hours=1)).timestamp() * 1000
    with whole.open() as events, path.open("w") as kept:
        for line in events:
            event = json.loads(line) if '"click"' in line and '"mobile"' in line else {}
            if event.get("type") != "click" or event["event_time"] < last_day:
                kept.write(line)
    whole.unlink()


def somebody(path: pathlib.Path) -> str:
    """The id of a user of whom there are events with full consent."""
    with path.open() as events:
        return next(event["user_id"] for event in map(json.loads, events) if event.get("user_id") and event.get("consent", "full") == "full")


def on_weeks() -> int:
    settings = {"MARQUEE_WEBHOOKS_ALLOW_PRIVATE": "true", "MARQUEE_WEBHOOKS_RETRY": "500ms", "MARQUEE_RETENTION_EVENTS": "9000d",
                "MARQUEE_RETENTION_KINDS": "hover=8000"}
    with tempfile.TemporaryDirectory() as folder, Marquee(settings) as marquee:
        marquee.run("import", "open-bandit", str(ROOT / "data/open_bandit"))
        weeks = pathlib.Path(folder, "weeks.ndjson")
        write_weeks(weeks)
        marquee.run("import", "events", "--site", "campus", str(weeks))
        # What is erased would be missing from the others, so it is the last.
        return (run("overview.test.mjs", marquee) | run("alerts.test.mjs", marquee)
                | run("settings.test.mjs", marquee, MARQUEE_USER=somebody(weeks)))


def signing_in() -> int:
    with Marquee() as marquee:
        marquee.run("import", "moodle", str(ROOT / "data/moodle_edify/moodle_events.csv.gz"))
        return run("sign_in.test.mjs", marquee)


def on_demo() -> int:
    with Marquee({"MARQUEE_DEMO_ENABLED": "true"}) as marquee:
        marquee.run("campaigns", "import", "--missing", str(ROOT / "web/demo/campaigns.json"))
        return run("demo.test.mjs", marquee)


def on_kafka() -> int:
    with Cluster() as cluster, KafkaMarquee(cluster, loaders=0) as marquee:
        events = [{"type": "impression", "session_id": f"b{i}", "seq": 1, "user_id": f"b{i}", "consent": "full"} for i in range(400)]
        assert marquee.post_events(events).status == 200
        failed = run("pipeline.test.mjs", marquee, MARQUEE_KAFKA_STATE="orphaned")
        marquee.loaders.append(marquee.add("load"))
        return failed | run("pipeline.test.mjs", marquee, MARQUEE_KAFKA_STATE="landed")


if __name__ == "__main__":
    sys.exit(on_sample_data() | on_weeks() | signing_in() | on_demo() | on_kafka())
