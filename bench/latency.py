"""From sending an event to a report that counts it, while 10,000 simulated events a second arrive."""

from __future__ import annotations

import subprocess
import time

from bench.figures import figure, landed
from tests.support.marquee import BINARY, Marquee, request

RATE = 10_000


def until_counted(marquee: Marquee, campaign: str, began: float) -> float:
    """Milliseconds from `began` until after the answer that first counts the campaign's one impression."""
    admin = {"Authorization": f"Bearer {marquee.runtime['admin_token']}"}
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
    while time.monotonic() - began < 30:
        report = request(f"{marquee.url}/v1/reports/ctr?site=moodle&by=campaign_id&from={since}", headers=admin).json()
        if any(row["keys"] == [campaign] and row["impressions"] == 1 for row in report["rows"]):
            return (time.monotonic() - began) * 1000
    raise RuntimeError(f"the report did not count {campaign} within 30 s")


def probe(marquee: Marquee, number: int) -> float:
    """Milliseconds from before an impression is sent until after the answer that first counts it."""
    campaign = f"probe-{number}"
    began = time.monotonic()
    answer = marquee.post_events([{"type": "impression", "session_id": campaign, "seq": 1, "campaign_id": campaign, "ad_id": "probe"}],
                                 site="moodle")
    if answer.status != 200:
        raise RuntimeError(f"the probe was answered {answer.status}: {answer.body!r}")
    return until_counted(marquee, campaign, began)


def simulated_load(marquee: Marquee, url: str) -> subprocess.Popen[bytes]:
    """RATE events a second to `url`, on a site of their own, so that each probe's report is as large as the last."""
    return subprocess.Popen([BINARY, "simulate", "--rate", str(RATE), "--duration", "900s", "--url", url], env=marquee.environment,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def run(short: bool) -> None:
    probes = 60 if short else 500
    with Marquee() as marquee:
        load = simulated_load(marquee, marquee.url)
        try:
            time.sleep(3)  # For the load to reach its rate.
            before = landed(marquee)
            began = time.monotonic()
            times = []
            for number in range(probes):
                if load.poll() is not None:
                    raise RuntimeError(f"marquee simulate ended with status {load.returncode}")
                times.append(probe(marquee, number))
                time.sleep(0.02)
            seconds = time.monotonic() - began
            rate = (landed(marquee) - before) / seconds
        finally:
            load.terminate()
            load.wait(30)
    times.sort()
    print(f"{probes} probes while {rate:,.0f} events/s landed: p50 {times[len(times) // 2]:.0f} ms, "
          f"p90 {times[int(len(times) * 0.9)]:.0f} ms, largest {times[-1]:.0f} ms")
    figure("events_landed_per_s_while_probing", rate, "events/s", f">={RATE * 0.95:.0f}")
    figure("event_to_report_p99_ms", times[min(len(times) - 1, int(len(times) * 0.99))], "ms", "<=250", 0)
