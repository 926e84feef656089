"""Marquee on a real Kafka broker: collectors and loaders as processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import unittest

from tests.support.kafka import Cluster, KafkaMarquee
from tests.support.ledger import Ledger, Writer, assert_exactly_once, impressions
from tests.support.marquee import BINARY, request, wait_until


class KafkaTest(unittest.TestCase):
    cluster: Cluster

    @classmethod
    def setUpClass(cls) -> None:
        cls.cluster = Cluster()
        cls.enterClassContext(cls.cluster)

    def topics(self, marquee: KafkaMarquee, *arguments: str) -> subprocess.CompletedProcess[str]:
        return marquee.run("migrate", *arguments, check=False)

    def test_events_pass_through_collectors_and_loaders_to_reports_and_the_live_feed(self) -> None:
        with KafkaMarquee(self.cluster, collectors=2, loaders=2) as marquee:
            for number in range(4):
                self.assertEqual(marquee.post_events(impressions(f"u{number}", 250)).json(), {"accepted": 250, "rejected": []})
            wait_until(lambda: marquee.count("SELECT sum(impressions) FROM marquee.campaign_hour") == 1000, 30, "1000 impressions")
            status = marquee.api("/v1/status").json()["loader"]
            wait_until(lambda: marquee.api("/v1/status").json()["loader"]["lag_events"] == 0, 10, "no lag")
            self.assertEqual(status["last_error"], "")
            wait_until(lambda: sum(p["events_per_second"] >= 0 and p["loader"] != ""
                                   for p in marquee.api("/v1/pipeline").json()["partitions"]) == 4, 20, "every partition's loader")
            loaders = {p["loader"] for p in marquee.api("/v1/pipeline").json()["partitions"]}
            self.assertEqual(len(loaders), 2, loaders)
            shown = marquee.run("load", "--status").stdout
            self.assertIn("0 events wait", shown)
            self.assertEqual(len(shown.splitlines()), 6, shown)
            # A user's events are of one partition, and the message's key is of the user.
            self.assertEqual(marquee.count("SELECT max(n) FROM (SELECT uniqExact(log_partition) AS n FROM marquee.events "
                                           "GROUP BY user_key)"), 1)

    def test_roles_that_come_and_go_lose_nothing_and_say_when_they_are_of_use(self) -> None:
        with KafkaMarquee(self.cluster, {"MARQUEE_DRAIN_NOTICE": "500ms"}, collectors=2, loaders=2) as marquee:
            ledger = Ledger()
            writers = [Writer(marquee, ledger, f"w{i}", i) for i in range(2)]
            for writer in writers:
                writer.start()
            # A roll-out: each is replaced in turn, the new one before the old one goes.
            for name, roles in (("load", marquee.loaders), ("collect", marquee.collectors)):
                for index in range(2):
                    fresh = marquee.add(name)
                    old = roles[index]
                    assert old.process is not None
                    old.signal(signal.SIGTERM)
                    wait_until(lambda: not old.is_ready(), 5, "the old one to say that it goes")
                    roles[index] = fresh
                    self.assertEqual(old.process.wait(60), 0)
            for writer in writers:
                writer.finish()
                self.assertIsNone(writer.failure)
            assert_exactly_once(marquee, ledger)
            # Nothing was taken for dead: each handed over what it had.
            self.assertEqual(sum(loader.get("/v1/loader").json()["recoveries"] for loader in marquee.loaders), 0)

    def test_a_broker_that_is_silent_means_503_and_retry_after_until_it_answers(self) -> None:
        with KafkaMarquee(self.cluster, {"MARQUEE_KAFKA_ACKNOWLEDGE": "2s"}) as marquee:
            self.assertEqual(marquee.post_events(impressions("before", 1)).status, 200)
            self.cluster.signal(0, signal.SIGSTOP)
            try:
                began = time.monotonic()
                answer = marquee.post_events(impressions("during", 1), timeout=20)
                self.assertLess(time.monotonic() - began, 10)
            finally:
                self.cluster.signal(0, signal.SIGCONT)
            self.assertEqual(answer.status, 503)
            self.assertIn("retry-after", answer.headers)
            wait_until(lambda: marquee.post_events(impressions("during", 1)).status == 200, 30, "the broker's return")
            wait_until(lambda: marquee.count("SELECT count() FROM marquee.events") >= 2, 30, "both events")
            # The repeat after a 503 is known by its identity, whatever had become of the first.
            self.assertEqual(marquee.count("SELECT count() - uniqExact(session_id, seq) FROM marquee.events"), 0)

    def test_a_loader_without_store_or_schema_is_not_ready_and_says_why(self) -> None:
        with KafkaMarquee(self.cluster, loaders=0) as marquee:
            loader = marquee.add("load")
            marquee.loaders.append(loader)
            away = {"MARQUEE_STORE_URL": "http://127.0.0.1:1", "MARQUEE_HTTP_PORT": "0"}
            lost = marquee.add_unready("load", away)
            # It listens a moment before it looks.
            answer = wait_until(lambda: (now := request(lost.url + "/readyz")).body != b"starting\n" and now, 30, "it to look for the store")
            self.assertEqual((answer.status, answer.body), (503, b"the store does not answer\n"))
            self.assertEqual(request(lost.url + "/healthz").status, 200)
            self.assertEqual(lost.stop(), 0)

    def test_topics_whose_settings_would_lose_data_are_refused(self) -> None:
        with KafkaMarquee(self.cluster, loaders=0, collectors=0) as marquee:
            self.assertEqual(self.topics(marquee, "status").returncode, 0)
            marquee.environment["MARQUEE_KAFKA_RETENTION"] = "30d"  # The topics were made for seven.
            refused = self.topics(marquee, "up", "--topics-only")
            self.assertEqual(refused.returncode, 1)
            self.assertIn("retention.ms is 604800000, less than the 2592000000", refused.stderr)
            self.assertEqual(self.topics(marquee, "status").returncode, 1)

    def test_the_local_log_has_no_roles_of_its_own(self) -> None:
        environment = {**os.environ, "MARQUEE_DATA_DIR": self.cluster.directory}
        for role in ("collect", "load"):
            done = subprocess.run([BINARY, role], env=environment, capture_output=True, text=True, timeout=20)
            self.assertEqual(done.returncode, 1)
            self.assertIn("set log.kind to kafka", done.stderr)

    def test_a_loader_that_sleeps_beyond_its_session_cannot_double_anything(self) -> None:
        with KafkaMarquee(self.cluster, loaders=2, session="2s") as marquee:
            ledger = Ledger()
            writers = [Writer(marquee, ledger, f"z{i}", i, days=3) for i in range(3)]
            for writer in writers:
                writer.start()
            for _ in range(3):
                time.sleep(1)  # of load
                for loader in marquee.loaders:
                    loader.signal(signal.SIGSTOP)
                    time.sleep(4)  # beyond its session: the others take its partitions over
                    loader.signal(signal.SIGCONT)
            for writer in writers:
                writer.finish()
            assert_exactly_once(marquee, ledger, 120)


if __name__ == "__main__":
    unittest.main()
