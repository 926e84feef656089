"""kill -9 of loaders, and of Marquee, while records arrive that cannot be loaded.

    python3 -m unittest -v tests.faults.test_dead_letters
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
import unittest
from typing import Any

from tests.support.kafka import Cluster, KafkaMarquee
from tests.support.ledger import rollup_differences
from tests.support.marquee import Marquee, wait_until
from tests.support.records import record
from tests.support.topics import TopicProducer, read_topic
from tests.e2e.test_dead_letters import click, events, good, import_letters, letters, wait_landed


class OnKafka(unittest.TestCase):
    cluster: Cluster

    @classmethod
    def setUpClass(cls) -> None:
        cls.cluster = Cluster()
        cls.enterClassContext(cls.cluster)

    def topic_letters(self, marquee: KafkaMarquee) -> list[Any]:
        return read_topic(self.cluster, marquee.topic.replace(".events", ".dead_letters"))

    def test_loaders_killed_while_poison_arrives_lose_and_double_neither_letters_nor_events(self) -> None:
        seed = random.randrange(1 << 30)
        draw = random.Random(seed)
        with KafkaMarquee(self.cluster, loaders=2, session="2s") as marquee, self.subTest(seed=seed):
            stopped = threading.Event()
            sent: dict[tuple[int, int], bytes] = {}
            counts = {"good": 0}

            def produce() -> None:
                producer = TopicProducer(self.cluster, marquee.topic)
                number = sends = 0
                while not stopped.wait(0.02):  # The rate of the load.
                    partition = draw.randrange(4)
                    values, is_poison = [], []
                    sends += 1
                    for _ in range(draw.randrange(1, 40)):
                        number += 1
                        kind = draw.randrange(20)
                        # The store's refusals are few: each costs it some ten inserts to find.
                        is_refused = kind == 2 and sends % 40 == 0
                        is_poison.append(kind < 2 or is_refused)
                        values.append(b"\xee" + os.urandom(8) if kind == 0 else record(**click(number, 1, value=float("inf"))) if kind == 1
                                      else record(**click(number, 1, props="{")) if is_refused else good(number, 1))
                    for value, offset, dead in zip(values, producer.send(values, partition), is_poison, strict=True):
                        if dead:
                            sent[(partition, offset)] = value
                        else:
                            counts["good"] += 1

            thread = threading.Thread(target=produce)
            thread.start()
            try:
                for _ in range(10):
                    time.sleep(draw.random() * 1.5)  # of load
                    loader = draw.choice(marquee.loaders)
                    loader.kill()
                    loader.start()
            finally:
                stopped.set()
                thread.join()
            wait_until(lambda: events(marquee)[0] >= counts["good"], 240, "every good event", 0.2)
            wait_landed(marquee)
            self.assertEqual(events(marquee), (counts["good"], counts["good"]))
            table = {(int(p), int(o)): bytes.fromhex(b) for p, o, b in marquee.rows(
                "SELECT log_partition, log_offset, hex(bytes) FROM marquee.dead_letter_states")}
            self.assertEqual(table, sent)
            in_topic = {(int(m.headers["source_partition"]), int(m.headers["source_offset"])): m.value
                        for m in self.topic_letters(marquee)}  # Some twice, under one key.
            self.assertEqual(in_topic, sent)
            self.assertEqual(rollup_differences(marquee), [])
            print(f"\n{len(sent)} dead letters among {counts['good']} events, 10 kills, seed {seed}")


class OnTheLocalLog(unittest.TestCase):
    """What the store refuses, and a store that takes it later: a column of an operator's own that holds only what it knows."""

    STRICT = ("ALTER TABLE marquee.events ADD COLUMN strict Enum8('' = 0, 'law' = 1, 'art' = 2) DEFAULT "
              "CAST(search_query, 'Enum8(\\'\\' = 0, \\'law\\' = 1, \\'art\\' = 2)')")

    def search(self, number: int, query: str) -> dict[str, Any]:
        return {"type": "search", "session_id": f"s{number}", "seq": 1, "search_query": query, "user_id": f"u{number}", "consent": "full"}

    def test_marquee_killed_while_poison_arrives_and_is_replayed_loses_and_doubles_nothing(self) -> None:
        seed = random.randrange(1 << 30)
        draw = random.Random(seed)
        with Marquee() as marquee, self.subTest(seed=seed):
            marquee.sql(self.STRICT)
            accepted: set[int] = set()
            poison: set[int] = set()
            number = 0
            for round_number in range(8):
                for post in range(draw.randrange(5, 25)):
                    batch = list(range(number, number + draw.randrange(1, 60)))
                    number = batch[-1] + 1
                    # Few: each costs the store some ten inserts to find.
                    bad = {draw.choice(batch)} if post % 8 == 0 else set()
                    body = [self.search(n, "poison" if n in bad else "law") for n in batch]
                    wait_until(lambda body=body: marquee.post_events(body).status == 200, 30, "the batch to be taken")
                    accepted |= set(batch)
                    poison |= bad
                if round_number % 2 == 1:  # In the middle of a replay, whose outcome nobody hears.
                    thread = threading.Thread(target=lambda: self.try_replay(marquee))
                    thread.start()
                    time.sleep(draw.random() / 5)
                    marquee.kill()
                    thread.join()
                else:
                    marquee.kill()
                marquee.start()
            wait_landed(marquee)
            self.assertEqual(events(marquee), (len(accepted - poison), len(accepted - poison)))
            waiting = {json.loads(one["text"])["session_key"] for one in letters(marquee, "&replayed=no")["letters"]}
            self.assertEqual(len(waiting), len(poison))
            marquee.sql("ALTER TABLE marquee.events DROP COLUMN strict")
            marquee.kill()  # Whatever waits for recovery meets a store that takes it by now.
            marquee.start()
            import_letters(marquee)
            wait_landed(marquee)
            self.assertEqual(events(marquee), (len(accepted), len(accepted)))
            self.assertEqual(rollup_differences(marquee), [])
            print(f"\n{len(poison)} poison events of {len(accepted)}, 8 kills, seed {seed}")

    @staticmethod
    def try_replay(marquee: Marquee) -> None:
        try:
            marquee.api("/v1/dead-letters/replay", "POST", {})
        except OSError:
            pass  # It was killed.


if __name__ == "__main__":
    unittest.main()
