"""Collectors with a spill, and what they say of it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from tests.support.kafka import KafkaMarquee, Role
from tests.support.marquee import Answer, request

MIB = 1 << 20


def add_collector(marquee: KafkaMarquee, environment: Mapping[str, str] | None = None) -> Role:
    """One more collector with a spill directory of its own, in the list of collectors."""
    number = len(marquee.collectors)
    settings = {"MARQUEE_SPILL_MAX_SIZE": "256MiB", "MARQUEE_SPILL_AFTER": "300ms",
                "MARQUEE_SPILL_DIRECTORY": os.path.join(marquee.data_dir, f"spill-{number}"), **(environment or {})}
    marquee.collectors.append(marquee.add("collect", settings))
    return marquee.collectors[-1]


def metric(role: Role, name: str) -> float:
    """The sum of a metric's series; 0 where there is none."""
    text = role.get("/metrics").body.decode()
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE))


def waiting(role: Role) -> int:
    return int(metric(role, "marquee_spill_waiting_events"))


def resident_bytes(role: Role) -> int:
    assert role.process is not None
    with open(f"/proc/{role.process.pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def post(marquee: KafkaMarquee, collector: Role, body: bytes, timeout: float = 30) -> Answer:
    return request(collector.url + "/v1/events", "POST", body,
                   {"Authorization": f"Bearer {marquee.runtime['write_keys']['campus']}", "Content-Type": "application/json"}, timeout)


OUT_OF_ORDER = """
    SELECT count() FROM (
        SELECT arrayMap(e -> e.2, arraySort(groupArray((log_offset, seq)))) AS as_loaded
        FROM marquee.events GROUP BY site_id, session_id, user_key, log_partition)
    WHERE as_loaded != arraySort(as_loaded)"""
"""How many users' events of a session stand in the log in another order than they were sent in."""
