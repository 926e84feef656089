"""Loaders and collectors that restart under a lasting name, drain while the store hangs, and say when they are of use."""

from __future__ import annotations

import signal
import time
import unittest

from tests.support.kafka import Cluster, KafkaMarquee, Role
from tests.support.ledger import Ledger, Writer, assert_exactly_once, impressions
from tests.support.marquee import wait_until


class Roles(unittest.TestCase):
    cluster: Cluster

    @classmethod
    def setUpClass(cls) -> None:
        cls.cluster = Cluster()
        cls.enterClassContext(cls.cluster)

    def test_a_loader_that_comes_back_under_its_name_within_its_session_moves_no_partition(self) -> None:
        with KafkaMarquee(self.cluster, loaders=0, session="20s") as marquee:
            marquee.loaders = [marquee.add("load", {"MARQUEE_KAFKA_INSTANCE": f"loader-{i}"}) for i in range(2)]
            returning, staying = marquee.loaders

            def moves() -> list[str]:
                return [line for line in staying.log_since_start().splitlines() if "kafka.partitions_" in line]

            def partitions(loader: Role) -> set[int]:
                return {one["partition"] for one in loader.get("/v1/loader").json()["partitions"]}

            wait_until(lambda: len(partitions(returning)) == len(partitions(staying)) == 2, 60, "both to have two partitions")
            before, moved = partitions(returning), moves()
            for end in (returning.kill, returning.stop):  # However it ends.
                end()
                returning.start()
                wait_until(lambda: partitions(returning) == before, 60, "its partitions to be its own again")
            marquee.post_events(impressions("after", 400))
            wait_until(lambda: marquee.count("SELECT count() FROM marquee.events") == 400, 60, "events of every partition to land")
            self.assertEqual(moves(), moved)

    def test_of_two_loaders_with_one_name_the_older_ends_and_says_why(self) -> None:
        with KafkaMarquee(self.cluster, loaders=0) as marquee:
            named = {"MARQUEE_KAFKA_INSTANCE": "only"}
            older = marquee.add("load", named)
            marquee.loaders = [older, marquee.add("load", named)]
            assert older.process is not None
            self.assertEqual(older.process.wait(60), 1)
            self.assertIn("kafka.instance", older.log_tail(1))
            marquee.post_events(impressions("one", 100))
            wait_until(lambda: marquee.count("SELECT count() FROM marquee.events") == 100, 60, "the newer one to land events")

    def test_a_loader_drains_within_its_limit_although_the_store_hangs_and_nothing_is_lost(self) -> None:
        with KafkaMarquee(self.cluster, {"MARQUEE_DRAIN_LIMIT": "2s"}) as marquee:
            ledger = Ledger()
            writer = Writer(marquee, ledger, "d", 1, days=2)
            writer.start()
            [loader] = marquee.loaders
            wait_until(lambda: marquee.count("SELECT count() FROM marquee.events") > 500, 60, "events to land")
            self.assertTrue(marquee.signal_store(signal.SIGSTOP))
            try:
                wait_until(lambda: max(p["lag_seconds"] for p in loader.get("/v1/loader").json()["partitions"]) > 1, 60,
                           "events to wait behind an insert that hangs")
                began = time.monotonic()
                self.assertEqual(loader.stop(), 3)
                self.assertLess(time.monotonic() - began, 20)
                self.assertIn("drain.limit_passed", loader.log_tail(3))
            finally:
                marquee.signal_store(signal.SIGCONT)
            loader.start()
            writer.finish()
            assert_exactly_once(marquee, ledger)

    def test_roles_are_ready_only_while_they_are_of_use(self) -> None:
        with KafkaMarquee(self.cluster) as marquee:
            [loader], [collector] = marquee.loaders, marquee.collectors
            self.assertTrue(loader.is_ready() and collector.is_ready())
            marquee.signal_store(signal.SIGSTOP)
            try:
                wait_until(lambda: not loader.is_ready(), 30, "the loader to miss the store")
                self.assertTrue(collector.is_ready())
                self.assertEqual(marquee.post_events(impressions("meanwhile", 10)).status, 200)
            finally:
                marquee.signal_store(signal.SIGCONT)
            wait_until(loader.is_ready, 30, "the loader to be of use again")
            self.cluster.signal(0, signal.SIGSTOP)
            try:
                wait_until(lambda: not collector.is_ready(), 30, "the collector to miss Kafka")
            finally:
                self.cluster.signal(0, signal.SIGCONT)
            wait_until(collector.is_ready, 30, "the collector to be of use again")


if __name__ == "__main__":
    unittest.main()
