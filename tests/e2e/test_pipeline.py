"""How the pipeline fares, as an operator asks: `marquee load --status`, GET /v1/pipeline and the metrics, on the local log and on
Kafka. What is wrong with it: tests/faults/test_pipeline.py."""

from __future__ import annotations

import concurrent.futures
import json
import re
import time
import unittest
from typing import Any

from tests.support.feeds import feed, with_feeds
from tests.support.kafka import Cluster, KafkaMarquee
from tests.support.marquee import Marquee, wait_until
from tests.support.prometheus import Sample, rules, scrape


def events(prefix: str, count: int) -> list[dict[str, Any]]:
    return [{"type": "impression", "session_id": f"{prefix}{i}", "seq": 1, "user_id": f"{prefix}{i}", "consent": "full"}
            for i in range(count)]


def status(marquee: Marquee) -> tuple[int, dict[str, Any]]:
    done = marquee.run("load", "--status", "--json", check=False)
    return done.returncode, json.loads(done.stdout)


class LocalTest(unittest.TestCase):
    def test_the_status_of_a_local_log_comes_from_the_marquee_that_runs(self) -> None:
        with Marquee() as marquee:
            self.assertEqual(marquee.post_events(events("l", 100)).status, 200)
            wait_until(lambda: marquee.count("SELECT count() FROM marquee.events") == 100, 30, "100 events")
            wait_until(lambda: status(marquee)[0] == 0, 30, "a status without complaint")
            done = marquee.run("load", "--status")
            header, partition, answer = done.stdout.splitlines()
            self.assertEqual(re.split(r"\s{2,}", header.strip())[:4], ["partition", "state", "landed", "end"])
            self.assertEqual(partition.split()[:5], ["0", "landed", "100", "100", "0"])
            self.assertEqual(answer, "0 events wait: everything that was acknowledged is in the store")
        gone = marquee.run("load", "--status", check=False)
        self.assertEqual(gone.returncode, 1)
        self.assertIn("no Marquee runs", gone.stderr)

    def test_a_hundred_consoles_cost_the_store_what_one_does(self) -> None:
        def queries(marquee: Marquee) -> int:
            return marquee.count("SELECT value FROM system.events WHERE event = 'SelectQuery'")

        with Marquee() as marquee:
            wait_until(lambda: marquee.api("/v1/pipeline").json()["store_answers"], 30, "a look")
            before, began = queries(marquee), time.monotonic()
            with concurrent.futures.ThreadPoolExecutor(20) as consoles:
                answers = list(consoles.map(lambda _: marquee.api("/v1/pipeline").status, range(400)))
            cost, took = queries(marquee) - before, time.monotonic() - began
            self.assertEqual(set(answers), {200})
            # A look a second, of a handful of queries (views and the loader's own among them), whatever is asked.
            self.assertLess(cost, 12 * (took + 2), f"{cost} queries in {took:.1f} s")


class KafkaTest(unittest.TestCase):
    cluster: Cluster

    @classmethod
    def setUpClass(cls) -> None:
        cls.cluster = Cluster()
        cls.enterClassContext(cls.cluster)

    def test_partitions_without_loader_are_old_honestly_and_move_once_one_comes(self) -> None:
        with KafkaMarquee(self.cluster, partitions=3, loaders=0) as marquee:
            posted = time.time()
            self.assertEqual(marquee.post_events(events("k", 300)).status, 200)
            wait_until(lambda: time.time() > posted + 4, 10, "the events to grow old")
            code, seen = status(marquee)
            self.assertEqual(code, 2)
            self.assertEqual({(p["state"], p["has_loader"], p["done_in_seconds"]) for p in seen["partitions"]}, {("orphaned", False, None)})
            self.assertEqual(seen["lag_events"], 300)
            # The age of the first record that waits, by its own time, although no loader ever looked at it.
            for partition in seen["partitions"]:
                self.assertGreaterEqual(partition["lag_seconds"], 4)
                self.assertLess(partition["lag_seconds"], time.time() - posted + 1)
            shown = marquee.run("load", "--status", check=False).stdout
            self.assertIn("All 3 partitions have no loader. Start one more: marquee load", shown)
            self.assertIn("300 events wait", shown)
            # `marquee serve` sees the same.
            wait_until(lambda: {p["state"] for p in marquee.api("/v1/pipeline").json()["partitions"]} == {"orphaned"}, 30, "serve to see it")
            marquee.loaders.append(marquee.add("load"))
            wait_until(lambda: status(marquee)[0] == 0 and status(marquee)[1]["lag_events"] == 0, 60, "everything to land")
            wait_until(lambda: {p["state"] for p in marquee.api("/v1/pipeline").json()["partitions"]} == {"landed"}, 30, "serve to see it")

    def test_a_backlog_that_shrinks_says_when_it_will_be_done(self) -> None:
        # Batches of ten, so that it takes a while.
        with KafkaMarquee(self.cluster, {"MARQUEE_LOADER_BATCH_ROWS": "10"}, partitions=1, loaders=0) as marquee:
            for number in range(12):
                self.assertEqual(marquee.post_events(events(f"b{number}-", 500)).status, 200)
            marquee.loaders.append(marquee.add("load"))
            estimates = []

            def look() -> bool:
                code, seen = status(marquee)
                if 0 < seen["lag_events"] < 6000 and seen["done_in_seconds"] is not None:
                    estimates.append((code, seen))
                return bool(estimates) or seen["lag_events"] == 0
            wait_until(look, 60, "an estimate")
            self.assertTrue(estimates, "it was done before it was looked at")
            code, seen = estimates[0]
            self.assertEqual((code, seen["partitions"][0]["state"]), (0, "landing"))
            self.assertGreater(seen["events_per_second"], 0)
            self.assertAlmostEqual(seen["done_in_seconds"], seen["lag_events"] / seen["events_per_second"], delta=seen["done_in_seconds"] * 0.5 + 1)

    def test_every_metric_that_a_rule_names_is_exported_with_the_labels_that_it_uses(self) -> None:
        with Marquee() as local:
            self.assertEqual(local.post_events(events("m", 1)).status, 200)
            wait_until(lambda: any(name == "marquee_pipeline_has_loader" for name, _, _ in scrape(local.url)), 20, "a look")
            samples = scrape(local.url)
        marquee = KafkaMarquee(self.cluster, partitions=2)
        # Any topic that is there will do for a feed.
        with with_feeds(marquee, feed("f", marquee.topic.replace("events", "decisions"), "json")):
            self.assertEqual(marquee.post_events(events("u", 50)).status, 200)
            wait_until(lambda: marquee.count("SELECT count() FROM marquee.events") == 50, 30, "50 events")
            # Who has just started shows its gauges after its first look.
            urls = {"serve": marquee.url, "load": marquee.loaders[0].url, "collect": marquee.collectors[0].url}
            for role, must in (("serve", "marquee_pipeline_lag_seconds"), ("load", "marquee_loader_failing"),
                               ("load", "marquee_feed_waiting_messages"), ("collect", "marquee_collector_requests_total"),
                               ("load", "marquee_store_up"), ("serve", "marquee_store_up"),
                               ("collect", "marquee_kafka_producers_broken_total"), ("load", "marquee_log_retention_seconds")):
                wait_until(lambda: any(name == must for name, _, _ in scrape(urls[role])), 30, f"{must} of {role}")
            of_role = {role: scrape(url) for role, url in urls.items()}
        for exported in of_role.values():
            samples += exported
        for rule in rules():
            with self.subTest(rule["alert"]):
                self.assert_exported(rule["expr"], samples)

    def assert_exported(self, expression: str, samples: list[Sample]) -> None:
        used = re.findall(r'(marquee_\w+)(?:\{(\w+)="([^"]*)"\})?', expression)
        self.assertTrue(used)
        # `instance` is Prometheus's own.
        by = set(re.findall(r'by \((\w+)\)', expression)) - {"instance"}
        for name, label, value in used:
            of_name = [labels for exported, labels, _ in samples if exported == name]
            self.assertTrue(of_name, f"{name} is exported by no role")
            if label:
                self.assertIn(value, {labels.get(label) for labels in of_name}, f"{name} by {label}")
            if by and not re.search(r'(?:min|max)\(' + name, expression):
                self.assertTrue(all(by <= labels.keys() for labels in of_name), f"{name} has no label {by}")

    def test_a_loaders_gauges_follow_its_partitions_and_its_counters_begin_at_zero(self) -> None:
        def partitions(url: str, metric: str) -> set[str]:
            return {labels["partition"] for name, labels, _ in scrape(url) if name == metric}

        with KafkaMarquee(self.cluster, partitions=4) as marquee:
            first = marquee.loaders[0]
            wait_until(lambda: len(partitions(first.url, "marquee_loader_lag_events")) == 4, 60, "four partitions")
            self.assertEqual({value for name, _, value in scrape(first.url) if name == "marquee_loader_dead_letters_total"}, {0.0})
            second = marquee.add("load")
            marquee.loaders.append(second)
            wait_until(lambda: len(partitions(first.url, "marquee_loader_lag_events")) == 2, 60, "two partitions to go")
            of_first, of_second = (partitions(role.url, "marquee_loader_lag_events") for role in marquee.loaders)
            self.assertFalse(of_first & of_second)


if __name__ == "__main__":
    unittest.main()
