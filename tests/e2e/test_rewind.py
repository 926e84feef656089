"""History read again from a real Kafka broker, beside collectors and loaders that go on."""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
import unittest
from typing import Any

from tests.support.kafka import Cluster, KafkaMarquee
from tests.support.ledger import Ledger, Writer, assert_exactly_once, impressions
from tests.support.marquee import BINARY, wait_until
from tests.support.rewind import ROLLUPS, double, lose, rewind, start_load


class RewindTest(unittest.TestCase):
    cluster: Cluster

    @classmethod
    def setUpClass(cls) -> None:
        cls.cluster = Cluster()
        cls.enterClassContext(cls.cluster)

    def land(self, marquee: KafkaMarquee, session: str, count: int) -> None:
        before = marquee.count("SELECT count() FROM marquee.events")
        self.assertEqual(marquee.post_events(impressions(session, count)).status, 200)
        wait_until(lambda: marquee.count("SELECT count() FROM marquee.events") == before + count, 30, f"{count} events")
        wait_until(lambda: all(p["landed"] == p["end"] for p in marquee.api("/v1/pipeline").json()["partitions"]), 30,
                   "their confirmation")

    def test_a_rewind_under_load_brings_back_what_was_lost_and_leaves_out_what_was_doubled(self) -> None:
        seed = random.SystemRandom().randrange(1_000_000)
        draw = random.Random(seed)
        with self.subTest(seed=seed), KafkaMarquee(self.cluster, loaders=2) as marquee:
            ledger = Ledger()
            writers = start_load(marquee, ledger, seed, 1000)
            lose(marquee, draw, seconds=2)
            double(marquee, draw, seconds=2)
            loader = marquee.loaders[0]  # What it knows of what has landed comes from the damaged table.
            loader.kill()
            loader.start()
            said = rewind(marquee, "start")
            self.assertGreater(said["missing"], 0)
            self.assertGreater(said["surplus"], 0)
            self.assertLess(said["inserts_held_ms"], 20_000)
            for writer in writers:
                writer.finish()
                self.assertIsNone(writer.failure)
            assert_exactly_once(marquee, ledger)
            self.assertEqual(marquee.count("SELECT count() FROM system.databases WHERE startsWith(name, 'marquee_re')"), 0)

    def test_in_place_completes_a_table_that_lost_rows_and_changes_nothing_on_one_that_is_whole(self) -> None:
        with KafkaMarquee(self.cluster) as marquee:
            ledger = Ledger()
            writer = Writer(marquee, ledger, "w", 1, days=3)
            writer.start()
            wait_until(lambda: ledger.total_acknowledged() > 1000, 30, "events")
            writer.finish()
            assert_exactly_once(marquee, ledger)
            for table in ("events", *ROLLUPS):
                marquee.sql(f"SYSTEM STOP MERGES marquee.{table}")
            parts = ("SELECT table, name, rows, hash_of_all_files FROM system.parts WHERE database = 'marquee' AND active AND "
                     "table NOT IN ('pipeline', 'loaders', 'loaders_replaced', 'loaders_out_of_date', 'rewinds', 'rebuilds') "
                     "ORDER BY table, name")
            before = marquee.sql(parts)
            shown = marquee.run("load", "--from", "start", "--in-place").stdout
            self.assertIn("\n0 rows were missing\nthe rollups of 0 days differed\n", shown)
            self.assertEqual(marquee.sql(parts), before)
            self.assertEqual(marquee.sql("SELECT count() FROM marquee.loaders_replaced"), "0\n")

            marquee.sql("ALTER TABLE marquee.events DROP PARTITION ID '" + time.strftime("%Y%m%d", time.gmtime()) + "'")
            marquee.sql("ALTER TABLE marquee.user_days DROP PARTITION ID '"
                        + time.strftime("%Y%m%d", time.gmtime(time.time() - 86_400)) + "'")
            said = rewind(marquee, "start", "--in-place")
            self.assertGreater(said["missing"], 0)
            self.assertGreaterEqual(said["days"], 1)
            assert_exactly_once(marquee, ledger)

    def test_it_begins_where_it_is_told_and_says_before_what_it_would_read(self) -> None:
        with KafkaMarquee(self.cluster, partitions=2) as marquee:
            self.land(marquee, "early", 100)
            def pipeline_ends() -> list[int]:
                return [int(p["end"]) for p in marquee.api("/v1/pipeline").json()["partitions"]]

            wait_until(lambda: sum(pipeline_ends()) == 100, 10, "the pipeline to be looked at")
            ends = pipeline_ends()
            time.sleep(0.01)  # The moment between the two, in Kafka's clock of milliseconds.
            moment = time.time()
            time.sleep(0.01)
            self.land(marquee, "late", 60)
            since = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment * 1000) % 1000:03d}Z"

            def dry_run() -> dict[str, Any]:
                return dict(json.loads(marquee.run("load", "--from", since, "--dry-run", "--json").stdout))

            wait_until(lambda: dry_run()["records"] == 60, 10, "what has landed to be confirmed")
            marquee.sql("ALTER TABLE marquee.events DELETE WHERE seq <= 10 SETTINGS mutations_sync = 2")
            told = dry_run()
            self.assertEqual((told["records"], told["rows_there"], told["rows_before"]), (60, 50, 90))
            self.assertEqual([p["from"] for p in told["partitions"]], ends)
            self.assertEqual(rewind(marquee, since)["missing"], 10)
            # What is older was kept as it was.
            self.assertEqual(marquee.sql("SELECT page, count() FROM (SELECT if(log_offset < [" + ",".join(map(str, ends)) +
                                         "][log_partition + 1], 'early', 'late') AS page FROM marquee.events) GROUP BY page "
                                         "ORDER BY page"), "early\t90\nlate\t60\n")
            by_offset = ",".join(f"{p}:{end}" for p, end in enumerate(ends))
            self.assertEqual(rewind(marquee, by_offset)["missing"], 0)
            self.assertEqual(rewind(marquee, "1h")["missing"], 10)
            self.assertEqual(marquee.run("doctor", "--rollups", check=False).returncode, 0)

    def test_it_refuses_clearly_what_it_cannot_do(self) -> None:
        with KafkaMarquee(self.cluster, partitions=2) as marquee:
            self.land(marquee, "one", 10)
            for arguments, words in ((["yesterday"], "is no place to begin at"), (["1000"], "ends at offset"),
                                     (["7:0"], "there is no partition 7")):
                refused = marquee.run("load", "--from", *arguments, check=False)
                self.assertEqual(refused.returncode, 1)
                self.assertIn(words, refused.stderr)
            # Another is under way: a process on another machine, as far as can be seen from here.
            marquee.sql("CREATE DATABASE marquee_rewind_7 COMMENT 'elsewhere 1 2'")
            marquee.sql("INSERT INTO marquee.rewinds (number) VALUES (7)")
            refused = marquee.run("load", "--from", "start", "--wait", "0", check=False)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("another process reads history again", refused.stderr)
            marquee.sql("DROP DATABASE marquee_rewind_7")
        local = subprocess.run([BINARY, "load", "--from", "start"], env={**os.environ, "MARQUEE_DATA_DIR": self.cluster.directory},
                               capture_output=True, text=True, timeout=20)
        self.assertEqual(local.returncode, 1)
        self.assertIn("needs Kafka", local.stderr)


if __name__ == "__main__":
    unittest.main()
