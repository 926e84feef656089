"""Decisions over HTTP: a serve with 2,000 ads and a million profiles, asked at 5,000 a second (an open loop: bench_decision_load) and as fast as it can.

The server tells how long each took, from the request read to the answer written; the load generator what a client saw, from when it was to ask.
"""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import tempfile
from dataclasses import dataclass
from typing import Any

from bench.figures import BUILD, figure
from tests.support.marquee import Marquee, request, wait_until

ADS, ADS_OF_CAMPAIGN = 2_000, 5
SITE = "bench"
PER_SECOND = 5_000
STAGES = ("read", "write", "log", "send")
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


Buckets = dict[str, dict[float, float]]


def buckets(marquee: Marquee) -> Buckets:
    """How many took at most so many seconds: of the answers ("") and of choosing alone ("_engine"), and of writes of the decisions' log ("_commit"), and of
    the stages that are not choosing."""
    text = request(marquee.url + "/metrics").body.decode()

    def of(name: str) -> dict[float, float]:
        return {float(bound): float(count) for bound, count in re.findall(rf'^{name},?le="([^"]+)"\}} (\S+)$', text, re.MULTILINE)}

    return {"": of(r"marquee_decision_seconds_bucket\{"), "_engine": of(r"marquee_decision_engine_seconds_bucket\{"),
            "_commit": of(r'marquee_log_commit_seconds_bucket\{log="decisions"'),
            **{"_" + stage: of(rf'marquee_decision_stage_seconds_bucket\{{stage="{stage}"') for stage in STAGES}}


def quantile(before: dict[float, float], after: dict[float, float], share: float) -> float:
    """Milliseconds, between the bounds of its bucket by the rule of three."""
    counts = sorted((bound, after[bound] - before.get(bound, 0)) for bound in after)
    wanted, low, below = share * counts[-1][1], 0.0, 0.0
    for bound, count in counts:
        if count >= wanted:
            return 1e3 * (low if bound == float("inf") else low + (bound - low) * (wanted - below) / max(count - below, 1))
        low, below = bound, count
    return 1e3 * low


@dataclass
class Seen:
    """Milliseconds, but for the rate."""

    per_second: float
    client_p50: float
    client_p99: float
    sent_late_p99: float
    server: dict[str, tuple[float, float]]


def load(marquee: Marquee, key: str, seconds: float, placements: int, per_second: int, users: int) -> Seen:
    """`per_second` 0: as fast as it can. Any request that fails is an error."""
    before = buckets(marquee)
    port = marquee.url.rsplit(":", 1)[1]
    output = subprocess.run([BUILD / "bench/bench_decision_load", port, key, str(placements), str(per_second), str(seconds), str(users)], check=True,
                            capture_output=True, text=True, timeout=seconds + 60).stdout
    found = {name: float(value) for name, value in re.findall(r"(\w+)=([\d.]+)", output)}
    if found["errors"] or found["not_200"]:
        raise RuntimeError(f"requests failed: {output}")
    after = buckets(marquee)
    server = {name: (quantile(before[name], after[name], 0.5), quantile(before[name], after[name], 0.99)) for name in after}
    return Seen(found["answers"] / found["duration_us"] * 1e6, found["p50_us"] / 1e3, found["p99_us"] / 1e3, found["sent_late_p99_us"] / 1e3, server)


def measure(marquee: Marquee, key: str, seconds: float, users: int, of_what: str) -> None:
    columns = ("placements", "asked a second", "decided a second", "server p50, p99 ms", "engine alone", "log's write", "read", "write", "in the log", "send",
               "client p50, p99", "sent late p99")
    print("| " + " | ".join(columns) + " |\n|" + "---:|" * len(columns), flush=True)
    for placements, wanted in ((1, PER_SECOND), (3, PER_SECOND), (1, 0), (3, 0)):
        seen = load(marquee, key, seconds, placements, wanted, users)
        of_server = " | ".join(f"{p50:.3f}, {p99:.3f}" for p50, p99 in seen.server.values())
        print(f"| {placements} | {wanted or 'as it can'} | {seen.per_second:.0f} | {of_server} | {seen.client_p50:.3f}, {seen.client_p99:.3f} | "
              f"{seen.sent_late_p99:.3f} |", flush=True)
        if wanted and placements == 1:
            figure(f"decision{of_what}_per_s", seen.per_second, "decisions/s", f">={wanted * 0.99:.0f}", 0)
            figure(f"decision{of_what}_p99_ms", seen.server[""][1], "ms", "-" if of_what else "<=1", 2)
            figure(f"decision{of_what}_client_p99_ms", seen.client_p99, "ms", "-", 2)


def run(short: bool) -> None:
    seconds, users = (3, 100_000) if short else (15, 1_000_000)
    for engine in ("bench_decide", "bench_learned"):
        subprocess.run([BUILD / "bench" / engine], check=True)
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as directory:
        data = str(pathlib.Path(directory, "data"))
        key = ""
        for of_what, environment in (("", {}), ("_behind", {"MARQUEE_DECISIONS_SYNC_BEHIND": "10ms"})):
            with Marquee(data_dir=data, environment=environment) as marquee:
                if not key:
                    key = ready(marquee)
                    fill_profiles(marquee, key, users)
                # A serve that has just begun says 0 of both.
                wait_until(lambda: gauge(marquee, "marquee_profiles") > 0 and gauge(marquee, "marquee_profile_lag_events") == 0, 120, "the profiles")
                behind = ", decisions.sync_behind 10 ms" if environment else ""
                print(f"{gauge(marquee, 'marquee_profiles'):.0f} profiles in {gauge(marquee, 'marquee_profile_bytes') / 1e6:.1f} MB{behind}", flush=True)
                load(marquee, key, 1, 1, PER_SECOND, users)
                measure(marquee, key, seconds, users, of_what)
