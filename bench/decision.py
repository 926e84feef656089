"""Decisions over HTTP: a serve with 2,000 ads and a million profiles, asked by wrk at 5,000 a second and as fast as it can. The server tells how long it took."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import tempfile
from typing import Any

from bench import wrk
from bench.figures import BUILD, figure
from tests.support.marquee import Marquee, request, wait_until

ADS, ADS_OF_CAMPAIGN = 2_000, 5
SITE = "bench"
CONNECTIONS = 32
PER_SECOND = 5_000
SLOTS = 5


def campaign(number: int) -> dict[str, Any]:
    """Every second one is for some colleges alone, every third has a cap, every fifth a budget."""
    one: dict[str, Any] = {
        "id": f"campaign-{number}", "name": f"Campaign {number}", "status": "active", "pacing": "none", "category": f"category-{number % 30}",
        "advertiser": f"advertiser-{number % 100}", "bid_micros": 2_000_000,
        "ads": [{"id": f"ad-{number}-{i}", "name": f"Ad {i}", "creative": {"kind": "card", "landing_url": "https://campus.example/"}}
                for i in range(ADS_OF_CAMPAIGN)]}
    if number % 2:
        one["targeting"] = {"field": "college", "in": [f"college-{(number + i) % 60}" for i in range(20)]}
    if number % 3 == 0:
        one["caps"] = [{"scope": "campaign", "count": 10, "window": "24h"}]
    if number % 5 == 0:
        one["budget"] = {"total": {"impressions": 1_000_000_000}}
    return one


def ready(marquee: Marquee) -> str:
    """Puts the ads and slots in place, and gives a write key."""
    def send(method: str, path: str, body: Any) -> Any:
        answer = marquee.api(path, method, body)
        if answer.status not in (200, 201):
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.body!r}")
        return answer.json()

    send("POST", "/v1/sites", {"id": SITE, "name": SITE})
    for number in range(ADS // ADS_OF_CAMPAIGN):
        send("PUT", f"/v1/campaigns/campaign-{number}?site={SITE}", campaign(number))
    for number in range(1, SLOTS + 1):
        send("PUT", f"/v1/slots/slot-{number}?site={SITE}", {"id": f"slot-{number}", "name": f"Slot {number}"})
    key = str(send("POST", f"/v1/sites/{SITE}/keys", {})["key"])

    def is_served() -> bool:
        answer = request(marquee.url + "/v1/decisions", "POST", json.dumps({"placements": [{"slot_id": f"slot-{SLOTS}"}]}).encode(),
                         {"Authorization": "Bearer " + key, "User-Agent": "Mozilla/5.0 Firefox/130.0"})
        return answer.json()["placements"][0]["ad"] is not None

    wait_until(is_served, 20, "the campaigns to be served")
    return key


def fill_profiles(marquee: Marquee, key: str, count: int) -> None:
    """Gives so many of the users that will ask a profile: a search, a course and two impressions each."""
    def events(number: int) -> list[dict[str, Any]]:
        user = {"session_id": f"s-{number}", "user_id": f"student-{number}", "consent": "full", "age": 20}
        ad = {"type": "impression", "campaign_id": f"campaign-{number % (ADS // ADS_OF_CAMPAIGN)}", "ad_id": f"ad-{number % (ADS // ADS_OF_CAMPAIGN)}-0"}
        return [{**user, "seq": 1, "type": "search", "search_query": f"word-{number % 500}"},
                {**user, "seq": 2, "type": "course_view", "course_id": f"course-{number % 300}", "category": f"category-{number % 30}"},
                {**user, "seq": 3, **ad}, {**user, "seq": 4, **ad}]

    at_once = 2_000
    for begin in range(0, count, at_once):
        body = json.dumps([one for number in range(begin, min(begin + at_once, count)) for one in events(number)]).encode()
        answer = request(marquee.url + "/v1/events", "POST", body, {"Authorization": "Bearer " + key})
        if answer.status != 200:
            raise RuntimeError(f"events: {answer.status} {answer.body!r}")
    wait_until(lambda: gauge(marquee, "marquee_profile_lag_events") == 0 and gauge(marquee, "marquee_profiles") == count, 120, "the profiles")


def gauge(marquee: Marquee, name: str) -> float:
    text = request(marquee.url + "/metrics").body.decode()
    return float(next(line.rsplit(" ", 1)[1] for line in text.splitlines() if line.startswith(name + " ")))


def buckets(marquee: Marquee) -> dict[float, float]:
    """How many decisions took at most so many seconds."""
    text = request(marquee.url + "/metrics").body.decode()
    return {float(bound): float(count) for bound, count in re.findall(r'^marquee_decision_seconds_bucket\{le="([^"]+)"\} (\S+)$', text, re.MULTILINE)}


def quantile(before: dict[float, float], after: dict[float, float], share: float) -> float:
    """Milliseconds, between the bounds of its bucket by the rule of three."""
    counts = sorted((bound, after[bound] - before.get(bound, 0)) for bound in after)
    wanted, low, below = share * counts[-1][1], 0.0, 0.0
    for bound, count in counts:
        if count >= wanted:
            return 1e3 * (low if bound == float("inf") else low + (bound - low) * (wanted - below) / max(count - below, 1))
        low, below = bound, count
    return 1e3 * low


def load(marquee: Marquee, key: str, seconds: int, placements: int, per_second: int | None) -> tuple[float, float, float]:
    """Decisions a second, and the server's median and 99th percentile in milliseconds."""
    before = buckets(marquee)
    delay = 0 if per_second is None else round(1000 * CONNECTIONS / per_second)
    seen = wrk.load(marquee.url, "decisions.lua", seconds, CONNECTIONS, {"KEY": key, "PLACEMENTS": str(placements), "DELAY_MS": str(delay)})
    after = buckets(marquee)
    return seen.per_second, quantile(before, after, 0.5), quantile(before, after, 0.99)


def run(short: bool) -> None:
    seconds = 3 if short else 15
    subprocess.run([BUILD / "bench/bench_decide"], check=True)
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as directory, Marquee(data_dir=str(pathlib.Path(directory, "data"))) as marquee:
        key = ready(marquee)
        fill_profiles(marquee, key, 100_000 if short else 1_000_000)
        print(f"{gauge(marquee, 'marquee_profiles'):.0f} profiles in {gauge(marquee, 'marquee_profile_bytes') / 1e6:.1f} MB", flush=True)
        load(marquee, key, 1, 1, PER_SECOND)
        print("| placements | asked a second | decided a second | server p50 ms | p99 ms |\n|---:|---:|---:|---:|---:|")
        for placements, wanted in ((1, PER_SECOND), (1, None), (3, None)):
            reached, p50, p99 = load(marquee, key, seconds, placements, wanted)
            print(f"| {placements} | {wanted or 'as it can'} | {reached:.0f} | {p50:.2f} | {p99:.2f} |", flush=True)
            if wanted:
                figure("decision_per_s", reached, "decisions/s", f">={wanted}", 0)
                figure("decision_p99_ms", p99, "ms", "<=1", 2)
