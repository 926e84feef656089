"""What is wrong with the pipeline is said: a store that is frozen, brokers that are silent, a loader that was killed; and a real
Prometheus sees it by the alert rules."""

from __future__ import annotations

import signal
import unittest
import urllib.parse
from typing import Any

from tests.support.kafka import Cluster, KafkaMarquee
from tests.support.marquee import Marquee, wait_until
from tests.support.prometheus import Prometheus


def events(prefix: str, count: int) -> list[dict[str, Any]]:
    return [{"type": "impression", "session_id": f"{prefix}{i}", "seq": 1, "user_id": f"{prefix}{i}", "consent": "full"}
            for i in range(count)]


def pipeline(marquee: Marquee) -> dict[str, Any]:
    return dict(marquee.api("/v1/pipeline").json())


class LocalTest(unittest.TestCase):
    def test_a_store_that_is_frozen_is_named_with_what_waits_and_forgotten_once_it_answers(self) -> None:
        with Marquee() as marquee:
            wait_until(lambda: pipeline(marquee)["store_answers"], 30, "the store")
            marquee.signal_store(signal.SIGSTOP)
            try:
                self.assertEqual(marquee.post_events(events("f", 50)).status, 200)
                wait_until(lambda: not pipeline(marquee)["store_answers"], 60, "the store to be missed")
                wait_until(lambda: pipeline(marquee)["lag_events"] == 50, 30, "what waits to be counted")
                shown = marquee.run("load", "--status", check=False)
                self.assertEqual(shown.returncode, 2)
                self.assertIn("The store does not answer", shown.stdout)
                self.assertIn("50 events wait", shown.stdout)
            finally:
                marquee.signal_store(signal.SIGCONT)
            wait_until(lambda: pipeline(marquee)["store_answers"] and pipeline(marquee)["lag_events"] == 0, 60, "everything to land")


class KafkaTest(unittest.TestCase):
    cluster: Cluster

    @classmethod
    def setUpClass(cls) -> None:
        cls.cluster = Cluster()
        cls.enterClassContext(cls.cluster)

    def test_brokers_that_are_silent_are_said_to_be(self) -> None:
        with KafkaMarquee(self.cluster, partitions=2) as marquee:
            wait_until(lambda: pipeline(marquee)["log_answers"], 30, "a look")
            self.cluster.signal(0, signal.SIGSTOP)
            try:
                wait_until(lambda: not pipeline(marquee)["log_answers"], 60, "Kafka to be missed")
                seen = pipeline(marquee)
                self.assertEqual((len(seen["partitions"]), seen["wants_attention"]), (2, True))
            finally:
                self.cluster.signal(0, signal.SIGCONT)
            wait_until(lambda: pipeline(marquee)["log_answers"], 60, "Kafka to be back")

    def test_a_real_prometheus_sees_a_partition_without_loader_and_when_it_has_one_again(self) -> None:
        with KafkaMarquee(self.cluster, partitions=2, loaders=1) as marquee:
            targets = [urllib.parse.urlsplit(url).netloc for url in (marquee.url, marquee.collectors[0].url)]
            with Prometheus(targets) as prometheus:
                def of(alert: str) -> set[str]:
                    return {one["labels"].get("partition", "") for one in prometheus.alerts() if one["labels"]["alertname"] == alert}

                wait_until(lambda: len(prometheus.query("marquee_pipeline_has_loader == 1")) == 2, 60, "both partitions to have a loader")
                self.assertEqual(of("MarqueePartitionWithoutLoader"), set())
                marquee.loaders[0].kill()
                self.assertEqual(marquee.post_events(events("u", 200)).status, 200)
                # True from now on; it would fire after the rule's two minutes.
                wait_until(lambda: of("MarqueePartitionWithoutLoader") == {"0", "1"}, 60, "the alert of both partitions")
                wait_until(lambda: len(prometheus.query("marquee_pipeline_lag_seconds > 5")) == 2, 60, "the age of what waits")
                self.assertEqual({one["metric"]["partition"] for one in prometheus.query("marquee_pipeline_lag_events > 0")}, {"0", "1"})
                marquee.loaders.append(marquee.add("load"))
                wait_until(lambda: of("MarqueePartitionWithoutLoader") == set(), 60, "the alert to end")
                wait_until(lambda: len(prometheus.query("marquee_pipeline_lag_events == 0")) == 2, 60, "everything to land")


if __name__ == "__main__":
    unittest.main()
