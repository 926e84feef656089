"""A store that refuses, is full, restarts while it merges, or answers late, under load through Kafka: everything lands exactly
once all the same, and no good event becomes a dead letter."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import tempfile
import threading
import unittest
from collections.abc import Callable

from tests.faults.test_faults import Load
from tests.support.kafka import Cluster, KafkaMarquee
from tests.support.marquee import wait_until
from tests.support.proxy import Proxy

SEED = int(os.environ.get("SEED", "1"))


class StoreFaults(unittest.TestCase):
    cluster: Cluster

    @classmethod
    def setUpClass(cls) -> None:
        cls.cluster = Cluster()
        cls.enterClassContext(cls.cluster)

    def assert_no_dead_letters(self, marquee: KafkaMarquee) -> None:
        self.assertEqual(marquee.count("SELECT count() FROM marquee.dead_letters"), 0)

    def last_error(self, marquee: KafkaMarquee) -> str:
        return " ".join(str(loader.get("/v1/loader").json()["last_error"]) for loader in marquee.loaders)

    def recoveries(self, marquee: KafkaMarquee) -> int:
        return sum(int(loader.get("/v1/loader").json()["recoveries"]) for loader in marquee.loaders)

    def test_too_many_parts_are_waited_out_in_the_events_table_and_in_one_rollup(self) -> None:
        for table in ("events", "campaign_minute"):
            with self.subTest(table), KafkaMarquee(self.cluster) as marquee:
                with Load(marquee, days=2) as load:
                    marquee.sql(f"SYSTEM STOP MERGES marquee.{table}")
                    marquee.sql(f"ALTER TABLE marquee.{table} MODIFY SETTING parts_to_throw_insert = 3, parts_to_delay_insert = 0")
                    wait_until(lambda: "TOO_MANY_PARTS" in self.last_error(marquee), 60, "the store to refuse an insert")
                    load.more(500)  # Senders do not notice.
                    marquee.sql(f"ALTER TABLE marquee.{table} RESET SETTING parts_to_throw_insert, parts_to_delay_insert")
                    marquee.sql(f"SYSTEM START MERGES marquee.{table}")
                    wait_until(lambda: self.recoveries(marquee) > 0, 60, "what had landed in part to be completed")
                self.assert_no_dead_letters(marquee)

    @unittest.skipUnless(os.geteuid() == 0, "mounting a small file system needs root")
    def test_a_full_disk_of_the_store_is_waited_out(self) -> None:
        with tempfile.TemporaryDirectory() as mount:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", mount], check=True)
            try:
                settings = {"MARQUEE_LOG_MIN_FREE_DISK": "1MiB"}
                with KafkaMarquee(self.cluster, settings, data_dir=os.path.join(mount, "data")) as marquee:
                    with Load(marquee) as load:
                        filler = os.path.join(mount, "filler")
                        with open(filler, "wb", buffering=0) as file:
                            try:
                                while file.write(b"\0" * (1 << 16)):
                                    pass
                            except OSError:
                                pass  # to the last byte
                        wait_until(lambda: self.last_error(marquee).strip() != "", 60, "the store to refuse an insert")
                        load.more(500)
                        os.unlink(filler)
                    self.assert_no_dead_letters(marquee)
            finally:
                subprocess.run(["umount", "-l", mount], check=True)

    def test_a_store_that_is_killed_while_it_merges_keeps_every_event(self) -> None:
        draw = random.Random(SEED)
        with KafkaMarquee(self.cluster) as marquee:
            with Load(marquee, days=2) as load:
                for _ in range(4):
                    load.more(draw.randrange(200, 800))
                    merging = threading.Thread(target=self.try_to_merge, args=[marquee], daemon=True)
                    merging.start()
                    merging.join(draw.uniform(0.0, 0.3))
                    marquee.signal_store(signal.SIGKILL)
                    merging.join()
            self.assert_no_dead_letters(marquee)

    @staticmethod
    def try_to_merge(marquee: KafkaMarquee) -> None:
        try:
            for table in ("events", "campaign_minute", "user_days"):
                marquee.sql(f"OPTIMIZE TABLE marquee.{table} FINAL")
        except (OSError, AssertionError):
            pass  # It was killed.

    def through_proxy(self, fate: Callable[[str], str], body: Callable[[KafkaMarquee, Load, Proxy], None]) -> None:
        """Loads through a proxy that does what `fate` says while `body` runs, and then passes everything on."""
        is_lying = threading.Event()
        with KafkaMarquee(self.cluster, loaders=0) as marquee:
            away = (marquee.runtime["store_url"], lambda path: fate(path) if is_lying.is_set() else "pass")
            with Proxy(*away) as proxy:
                settings = {"MARQUEE_STORE_URL": proxy.url, "MARQUEE_STORE_PASSWORD": marquee.runtime["store_password"]}
                marquee.loaders = [marquee.add("load", settings) for _ in range(2)]
                with Load(marquee, days=2) as load:
                    is_lying.set()
                    body(marquee, load, proxy)
                    is_lying.clear()
                    proxy.release()
                self.assert_no_dead_letters(marquee)
                for loader in marquee.loaders:
                    loader.stop()

    def test_answers_that_are_lost_or_held_change_nothing(self) -> None:
        draw = random.Random(SEED)
        fates = ["pass", "drop before", "drop after", "hold before", "hold after"]

        def body(_: KafkaMarquee, load: Load, proxy: Proxy) -> None:
            load.more(1000)
            proxy.release()  # what is held; from now on nothing waits
            wait_until(lambda: all(proxy.done.get(fate, 0) >= 2 for fate in fates), 90, "each fate to be met twice")

        self.through_proxy(lambda _: draw.choice(fates), body)

    def test_a_store_out_of_memory_is_waited_out(self) -> None:
        draw = random.Random(SEED)

        def body(marquee: KafkaMarquee, load: Load, _: Proxy) -> None:
            wait_until(lambda: "MEMORY_LIMIT_EXCEEDED" in self.last_error(marquee), 60, "an insert to run out of memory")
            load.more(1000)

        # At another place of the insert each time: some views are written, others are not.
        self.through_proxy(lambda _: f"&max_memory_usage={draw.choice([100_000, 1_000_000, 3_000_000, 6_000_000])}", body)

    def test_an_insert_of_a_loader_that_died_lands_nowhere_when_it_arrives_late(self) -> None:
        def body(marquee: KafkaMarquee, load: Load, proxy: Proxy) -> None:
            wait_until(lambda: proxy.waiting_late() > 0, 60, "an insert to be held back")
            for loader in marquee.loaders:
                loader.kill()
            fates.clear()
            for loader in marquee.loaders:
                loader.start()
            wait_until(lambda: self.recoveries(marquee) > 0, 60, "the successors to complete it")
            self.assertEqual({status for status in proxy.release()} - {500}, set())  # each was refused
            load.more(200)

        fates = ["late"]
        self.through_proxy(lambda _: fates[0] if fates else "pass", body)


if __name__ == "__main__":
    unittest.main()
