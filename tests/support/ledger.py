"""What was sent and what was acknowledged, and whether the store holds exactly that."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

from tests.support.marquee import Marquee, wait_until

TYPES = ["page_view", "impression", "viewable_impression", "hover", "click", "scroll", "search", "course_view", "conversion"]


def impressions(session: str, count: int, first: int = 1) -> list[dict[str, object]]:
    """As many events of one session as users."""
    return [{"type": "impression", "session_id": session, "seq": first + i, "campaign_id": "c", "ad_id": "a", "slot_id": "s",
             "user_id": f"{session}-{i}", "consent": "full"} for i in range(count)]


class Ledger:
    """Sent and acknowledged sequence numbers by session. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.sent: dict[str, int] = {}          # session -> highest seq sent
        self.acknowledged: dict[str, int] = {}  # session -> highest seq acknowledged (a session is sent in order)
        self.attempts = 0
        self.answers: dict[str, int] = {}

    def note_sent(self, session: str, last: int) -> None:
        with self._lock:
            self.sent[session] = max(last, self.sent.get(session, 0))
            self.attempts += 1

    def note_acknowledged(self, session: str, last: int) -> None:
        with self._lock:
            self.acknowledged[session] = last

    def note_answer(self, answer: str) -> None:
        with self._lock:
            self.answers[answer] = self.answers.get(answer, 0) + 1

    def total_acknowledged(self) -> int:
        with self._lock:
            return sum(self.acknowledged.values())


class Writer(threading.Thread):
    """Sends batches of one session after the other, with `pause` seconds between two; a batch is repeated until it is acknowledged,
    as the SDK does."""

    def __init__(self, marquee: Marquee, ledger: Ledger, name: str, seed: int, days: int = 1, batch: int = 60,
                 pause: float = 0) -> None:
        super().__init__(daemon=True)
        self._marquee, self._ledger, self._name_prefix = marquee, ledger, name
        self._random = random.Random(seed)
        self._days, self._batch, self._pause = days, batch, pause
        self._stopped = threading.Event()
        self.failure: str | None = None

    def finish(self) -> None:
        self._stopped.set()
        self.join(120)

    def run(self) -> None:
        number = 0
        while not self._stopped.is_set():
            number += 1
            session = f"{self._name_prefix}-{number}"
            last = 0
            for _ in range(self._random.randint(1, 6)):
                events = [self._event(session, last + i + 1) for i in range(self._random.randint(1, self._batch))]
                last += len(events)
                if not self._deliver(session, events, last):
                    return
                time.sleep(self._pause)

    def _event(self, session: str, seq: int) -> dict[str, Any]:
        draw = self._random
        when = time.time() * 1000 - draw.randrange(self._days * 86_400_000 if self._days > 1 else 1000)
        event: dict[str, Any] = {
            "type": draw.choice(TYPES), "session_id": session, "seq": seq, "user_id": f"user-{draw.randrange(200)}",
            "event_time": int(when), "page_path": "/" + session, "page_id": "home", "college_id": f"college-{draw.randrange(9)}",
            "campaign_id": f"campaign-{draw.randrange(5)}", "ad_id": f"ad-{draw.randrange(20)}", "slot_id": f"slot-{draw.randrange(4)}",
            "position": draw.randrange(1, 5), "x": draw.randrange(10001), "y": draw.randrange(10001), "consent": "full",
            "value": draw.randrange(1000) / 4}
        if event["type"] == "search":
            event["search_query"] = draw.choice(["law", "medicine", "design"])
        return event

    def _deliver(self, session: str, events: list[dict[str, Any]], last: int) -> bool:
        self._ledger.note_sent(session, last)
        while True:
            try:
                answer = self._marquee.post_events(events, timeout=10)
                self._ledger.note_answer(str(answer.status))
                if answer.status == 200:
                    if answer.json()["accepted"] != len(events):
                        self.failure = f"accepted {answer.json()} of {len(events)} good events"
                        return False
                    self._ledger.note_acknowledged(session, last)
                    return True
                if answer.status not in (429, 503):
                    self.failure = f"answered {answer.status}: {answer.body[:300]!r}"
                    return False
            except (OSError, KeyError, ValueError) as error:
                self._ledger.note_answer(type(error).__name__)
            if self._stopped.wait(0.01):
                return False


def differences(marquee: Marquee, ledger: Ledger) -> list[str]:
    """Every way in which the events table departs from the ledger: empty when each acknowledged event is there exactly once
    and nothing is there that was never sent."""
    found: list[str] = []
    present: dict[str, int] = {}
    for path, rows, distinct, highest in marquee.rows(
            "SELECT page_path, count(), uniqExact(seq), max(seq) FROM marquee.events WHERE site_id = 'campus' GROUP BY page_path"):
        session = path.removeprefix("/")
        if session not in ledger.sent:
            found.append(f"{session} was never sent")
        elif int(highest) > ledger.sent[session]:
            found.append(f"{session}: seq {highest} was never sent")
        if rows != distinct:
            found.append(f"{session}: {rows} rows hold {distinct} events")
        # Sessions are sent in order and each batch whole, so what is there is a prefix.
        if distinct != highest:
            found.append(f"{session}: {distinct} events up to seq {highest}")
        present[session] = int(distinct)
    for session, last in ledger.acknowledged.items():
        if present.get(session, 0) < last:
            found.append(f"{session}: {last} acknowledged, {present.get(session, 0)} present")
    return found


ROLLUP_COUNTS = {
    # rollup's own total, and the same recounted here from the events table, written independently of sql/
    "campaign_minute": (
        "SELECT sum(impressions), sum(viewable_impressions), sum(hovers), sum(clicks), sum(conversions) FROM marquee.campaign_minute",
        "SELECT countIf(event_type='impression'), countIf(event_type='viewable_impression'), countIf(event_type='hover'),"
        " countIf(event_type='click'), countIf(event_type='conversion') FROM marquee.events"
        " WHERE ad_id != '' OR campaign_id != '' OR slot_id != ''"),
}
ROLLUP_COUNTS["campaign_hour"] = (ROLLUP_COUNTS["campaign_minute"][0].replace("minute", "hour"), ROLLUP_COUNTS["campaign_minute"][1])
for grouping in ("campaign_totals", "ad_days", "college_days", "cohort_days"):
    ROLLUP_COUNTS[grouping] = (ROLLUP_COUNTS["campaign_minute"][0].replace("campaign_minute", "delivery_sums") + f" WHERE grouping = '{grouping}'",
                               ROLLUP_COUNTS["campaign_minute"][1])


def rollup_differences(marquee: Marquee) -> list[str]:
    found = [f"{name}: {marquee.sql(rollup).strip()} but the events table counts {marquee.sql(recount).strip()}"
             for name, (rollup, recount) in ROLLUP_COUNTS.items() if marquee.sql(rollup) != marquee.sql(recount)]
    doctor = marquee.run("doctor", "--rollups", check=False)
    if doctor.returncode != 0:
        found.append("marquee doctor --rollups: " + doctor.stdout + doctor.stderr)
    return found


def assert_exactly_once(marquee: Marquee, ledger: Ledger, timeout: float = 90) -> None:
    """Waits until every acknowledged event has landed, then compares events and every rollup."""
    def landed() -> bool:
        try:
            return marquee.count("SELECT count() FROM marquee.events") >= ledger.total_acknowledged() and is_idle()
        except OSError:
            return False

    def is_idle() -> bool:
        loader = marquee.api("/v1/status").json()["loader"]
        return int(loader["lag_events"]) == 0

    try:
        wait_until(landed, timeout, "every acknowledged event to land", 0.1)
    except AssertionError as error:
        try:
            found = differences(marquee, ledger)
        except OSError as away:
            found = [f"the store is away: {away}"]
        raise AssertionError(f"{error}\n" + "\n".join(found[:20]) + "\n" + marquee.log_tail()) from None
    found = differences(marquee, ledger) + rollup_differences(marquee)
    if found:
        raise AssertionError(f"{len(found)} differences:\n" + "\n".join(found[:20]) + "\n" + marquee.log_tail())
