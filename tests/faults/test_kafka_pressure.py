"""A broker that is much slower than the senders: the collector pushes back, stays small, and loses nothing that it acknowledged."""

from __future__ import annotations

import json
import signal
import threading
import unittest
from collections import Counter

from tests.support.kafka import Cluster, KafkaMarquee, Role
from tests.support.marquee import wait_until
from tests.support.spill import MIB, add_collector, metric, post, resident_bytes, waiting

BATCH = 1000
MAX_PENDING = 16 * MIB


def batch(session: str) -> bytes:
    """Small events, so that what a log needs for each besides its bytes counts most."""
    return json.dumps([{"type": "click", "session_id": session, "seq": i + 1, "page_path": "/" + session} for i in range(BATCH)]).encode()


class Flood:
    """Senders that never rest, and what they were answered."""

    def __init__(self, marquee: KafkaMarquee, collector: Role, name: str, senders: int) -> None:
        self._marquee, self._collector, self._name = marquee, collector, name
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self.answers: Counter[int] = Counter()
        self.acknowledged: list[str] = []
        self.without_retry_after = 0
        self._threads = [threading.Thread(target=self._send, args=(number,), daemon=True) for number in range(senders)]
        for thread in self._threads:
            thread.start()

    def _send(self, number: int) -> None:
        serial = 0
        while not self._stopped.is_set():
            serial += 1
            session = f"{self._name}-{number}-{serial}"
            answer = post(self._marquee, self._collector, batch(session), 60)
            with self._lock:
                self.answers[answer.status] += 1
                if answer.status == 200:
                    self.acknowledged.append(session)
                elif "retry-after" not in answer.headers:
                    self.without_retry_after += 1
            self._stopped.wait(0 if answer.status == 200 else 0.1)

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(60)


class KafkaPressureTest(unittest.TestCase):
    def press(self, cluster: Cluster, marquee: KafkaMarquee, collector: Role, until: int) -> tuple[Flood, int]:
        """Floods the collector while the broker works only now and then, until `until` requests got 503 or were spilled; the
        flood, and by how many bytes the collector grew at most."""
        warm_up = Flood(marquee, collector, "warm", 16)
        wait_until(lambda: warm_up.answers[200] >= 100, 60, "the first answers")
        warm_up.stop()
        before, most = resident_bytes(collector), 0
        flood = Flood(marquee, collector, "flood", 128)
        stopped = threading.Event()

        def slow_down() -> None:
            while not stopped.is_set():
                cluster.signal(0, signal.SIGSTOP)
                stopped.wait(1.2)
                cluster.signal(0, signal.SIGCONT)
                stopped.wait(0.05)

        slowing = threading.Thread(target=slow_down)
        slowing.start()
        try:
            def is_pressed() -> bool:
                nonlocal most
                most = max(most, resident_bytes(collector) - before)
                return flood.answers[503] + metric(collector, "marquee_spill_events_total") / BATCH >= until and flood.answers[200] >= 100
            wait_until(is_pressed, 90, "a pressed collector", 0.05)
        finally:
            stopped.set()
            slowing.join()
            flood.stop()
        flood.acknowledged += warm_up.acknowledged
        return flood, most

    def assert_nothing_is_lost(self, marquee: KafkaMarquee, flood: Flood) -> None:
        self.assertEqual(set(flood.answers) - {200, 503}, set())
        self.assertEqual(flood.without_retry_after, 0)
        rows: dict[str, list[int]] = {}

        def all_landed() -> bool:
            rows.clear()
            for path, count, distinct in marquee.rows("SELECT page_path, count(), uniqExact(seq) FROM marquee.events GROUP BY page_path"):
                rows[path.removeprefix("/")] = [int(count), int(distinct)]
            return all(rows.get(session, [0, 0])[1] == BATCH for session in flood.acknowledged)

        wait_until(all_landed, 120, f"{len(flood.acknowledged)} acknowledged requests to land", 0.5)
        self.assertEqual([session for session, (count, distinct) in rows.items() if count != distinct], [])

    def test_without_a_spill_senders_get_503_and_what_waits_is_bounded(self) -> None:
        with Cluster() as cluster, KafkaMarquee(cluster, collectors=0) as marquee:
            marquee.collectors.append(marquee.add("collect", {"MARQUEE_KAFKA_MAX_PENDING": f"{MAX_PENDING // MIB}MiB",
                                                              "MARQUEE_KAFKA_ACKNOWLEDGE": "4s"}))
            flood, grown = self.press(cluster, marquee, marquee.collectors[0], 200)
            print(f"grown by {grown / MIB:.0f} MiB with max_pending {MAX_PENDING / MIB:.0f} MiB; {dict(flood.answers)}")
            self.assertLess(grown, 2 * MAX_PENDING + 32 * MIB)  # And what 128 connections hold of their requests.
            self.assert_nothing_is_lost(marquee, flood)

    def test_with_a_spill_senders_get_2xx_and_the_collector_stays_as_small(self) -> None:
        with Cluster() as cluster, KafkaMarquee(cluster, collectors=0) as marquee:
            collector = add_collector(marquee, {"MARQUEE_KAFKA_MAX_PENDING": f"{MAX_PENDING // MIB}MiB", "MARQUEE_SPILL_MAX_SIZE": "2GiB"})
            flood, grown = self.press(cluster, marquee, collector, 500)
            print(f"grown by {grown / MIB:.0f} MiB with max_pending {MAX_PENDING / MIB:.0f} MiB; {dict(flood.answers)}")
            # In Kafka's client, on the way to the disk (twice that at most), and what the spill's store holds in memory.
            self.assertLess(grown, 4 * MAX_PENDING + 80 * MIB + 64 * MIB)
            wait_until(lambda: waiting(collector) == 0, 90, "the spill to be drained")
            self.assert_nothing_is_lost(marquee, flood)


if __name__ == "__main__":
    unittest.main()
