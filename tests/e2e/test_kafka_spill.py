"""A collector with a spill: what it answers while Kafka is dead, slow or back, and where the events are then."""

from __future__ import annotations

import json
import signal
import subprocess
import unittest

from tests.support.kafka import Cluster, KafkaMarquee
from tests.support.marquee import BINARY, Answer, wait_until
from tests.support.spill import OUT_OF_ORDER, add_collector, metric, post, waiting


class KafkaSpillTest(unittest.TestCase):
    cluster: Cluster

    @classmethod
    def setUpClass(cls) -> None:
        cls.cluster = Cluster()
        cls.enterClassContext(cls.cluster)

    def setUp(self) -> None:
        self.sent = 0

    def send(self, marquee: KafkaMarquee, count: int = 40, collector: int = 0) -> Answer:
        """The next events of the one session, of seven users in turn."""
        events = [{"type": "click", "session_id": "s", "seq": self.sent + i + 1, "user_id": f"u{i % 7}", "consent": "full",
                   "page_path": "/" + "x" * 200} for i in range(count)]
        answer = post(marquee, marquee.collectors[collector], json.dumps(events).encode())
        if answer.status == 200:
            self.sent += count
        return answer

    def assert_all_landed_in_order(self, marquee: KafkaMarquee) -> None:
        wait_until(lambda: marquee.count("SELECT count() FROM marquee.events") >= self.sent, 60, f"{self.sent} events to land")
        self.assertEqual(marquee.sql("SELECT count(), uniqExact(seq), max(seq) FROM marquee.events").split(), [str(self.sent)] * 3)
        self.assertEqual(marquee.count(OUT_OF_ORDER), 0)

    def test_events_are_taken_while_the_brokers_are_dead_and_land_in_order_when_they_return(self) -> None:
        with KafkaMarquee(self.cluster, collectors=0) as marquee:
            collector = add_collector(marquee)
            for _ in range(5):
                self.assertEqual(self.send(marquee).status, 200)
            self.assertEqual(metric(collector, "marquee_spill_events_total"), 0)
            self.cluster.kill(0)
            for _ in range(20):
                self.assertEqual(self.send(marquee).status, 200)
            self.assertEqual(waiting(collector), 800)
            self.assertTrue(collector.is_ready())
            # Killed and started again meanwhile: it needs no broker for that, and keeps what it has.
            collector.kill()
            collector.start()
            for _ in range(20):
                self.assertEqual(self.send(marquee).status, 200)
            self.assertEqual(waiting(collector), 1600)
            wait_until(lambda: metric(collector, "marquee_spill_oldest_seconds") > 0, 10, "the age of the oldest")
            self.assertGreater(metric(collector, "marquee_log_kept_bytes"), 0)
            self.cluster.start(0)
            wait_until(lambda: waiting(collector) == 0, 60, "the spill to be drained")
            self.assertEqual(self.send(marquee).status, 200)
            self.assert_all_landed_in_order(marquee)
            self.assertEqual(metric(collector, "marquee_spill_drained_events_total"), 1600)
            for event in ("spill.begins", "spill.resumes", "spill.drained", "kafka.partitions_assumed"):
                self.assertIn(f'"event":"{event}"', collector.log_tail(500))

    def test_a_full_spill_means_503_and_not_ready_until_the_brokers_return(self) -> None:
        with KafkaMarquee(self.cluster, collectors=0) as marquee:
            collector = add_collector(marquee, {"MARQUEE_SPILL_MAX_SIZE": "1MiB"})
            self.assertEqual(self.send(marquee).status, 200)
            self.cluster.signal(0, signal.SIGSTOP)
            try:
                answer = wait_until(lambda: next((a for a in [self.send(marquee, 1000)] if a.status != 200), None), 60, "a full spill")
                self.assertEqual(answer.status, 503)
                self.assertIn("retry-after", answer.headers)
                self.assertIn(b"spill.max_size", answer.body)
                wait_until(lambda: not collector.is_ready(), 10, "the collector to say that it takes nothing")
                self.assertGreater(self.sent, 1000)
            finally:
                self.cluster.signal(0, signal.SIGCONT)
            wait_until(lambda: waiting(collector) == 0, 60, "the spill to be drained")
            wait_until(collector.is_ready, 10, "the collector to be ready")
            wait_until(lambda: self.send(marquee).status == 200, 10, "room in the spill")
            self.assert_all_landed_in_order(marquee)

    def test_what_waits_at_sigterm_is_kept_for_the_next_start_and_not_forgotten_without_a_spill(self) -> None:
        with KafkaMarquee(self.cluster, {"MARQUEE_DRAIN_LIMIT": "30s"}, collectors=0) as marquee:
            collector = add_collector(marquee)
            self.assertEqual(self.send(marquee).status, 200)
            self.cluster.signal(0, signal.SIGSTOP)
            try:
                for _ in range(3):
                    self.assertEqual(self.send(marquee).status, 200)
                self.assertEqual(collector.stop(), 0)
                self.assertIn('"event":"spill.kept","events":120', collector.log_tail())
            finally:
                self.cluster.signal(0, signal.SIGCONT)
            refused = subprocess.run([BINARY, "collect"], env={**collector.environment, "MARQUEE_SPILL_MAX_SIZE": "0"}, capture_output=True,
                                     text=True, timeout=60)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("120 acknowledged events wait", refused.stderr)
            collector.start()
            shared = subprocess.run([BINARY, "collect"], env=collector.environment, capture_output=True, text=True, timeout=60)
            self.assertEqual(shared.returncode, 1)
            self.assertIn("a spill.directory of its own", shared.stderr)
            wait_until(lambda: waiting(collector) == 0, 60, "the spill to be drained")
            self.assertEqual(self.send(marquee).status, 200)
            self.assert_all_landed_in_order(marquee)
            # With brokers that answer, it is drained before the end.
            self.cluster.signal(0, signal.SIGSTOP)
            try:
                self.assertEqual(self.send(marquee).status, 200)
                self.assertEqual(waiting(collector), 40)
                assert collector.process is not None
                collector.process.terminate()
            finally:
                self.cluster.signal(0, signal.SIGCONT)
            self.assertEqual(collector.process.wait(60), 0)
            self.assertNotIn('"event":"spill.kept"', collector.log_tail(6))
            self.assert_all_landed_in_order(marquee)


if __name__ == "__main__":
    unittest.main()
