"""kill -9 of loaders at random moments while feeds flow, poison among the messages, loaders that sleep beyond their session. Then: is
every message an event exactly once, and every poison a dead letter exactly once?

    python3 -m tests.faults.feeds --kills 20 --seed 1

The seed decides what happens and when; it is printed, so that a run can be repeated.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import threading
import time

from tests.support.feeds import FeedProducer, feed, feed_status, with_feeds
from tests.support.kafka import Cluster, KafkaMarquee
from tests.support.marquee import wait_until

SESSION_SECONDS = 2.0
TOPIC = "foreign.views"
FIELDS = """
      type: {from: action, values: {VIEW: impression, CLICK: click}}
      user_id: user
      page_path: path
      campaign_id: campaign
      slot_id: {constant: top}"""


class Flow(threading.Thread):
    """Writes messages until it is told to end; every twentieth is poison."""

    def __init__(self, producer: FeedProducer, seed: int) -> None:
        super().__init__(daemon=True)
        self._producer, self._draw = producer, random.Random(seed)
        self._stopped = threading.Event()
        self.good, self.poison = 0, 0
        self.failure: BaseException | None = None

    def finish(self) -> None:
        self._stopped.set()
        self.join(120)
        if self.failure:
            raise self.failure

    def run(self) -> None:
        try:
            while not self._stopped.wait(self._draw.uniform(0.0, 0.1)):
                self._producer.produce(TOPIC, [self._message() for _ in range(self._draw.randrange(1, 60))])
        except BaseException as error:  # shown by finish()
            self.failure = error

    def _message(self) -> dict[str, object]:
        draw = self._draw
        if draw.random() < 0.05:
            self.poison += 1
            return {"raw": b"poison %d".replace(b"%d", str(self.poison).encode()).hex(), "partition": draw.randrange(4)}
        self.good += 1
        # page_path tells which message it was.
        return {"value": {"action": draw.choice(["VIEW", "CLICK"]), "user": draw.randrange(300), "path": f"/{self.good}",
                          "campaign": f"c{draw.randrange(5)}"}, "partition": draw.randrange(4)}


def run(kills: int, seed: int) -> dict[str, int]:
    draw = random.Random(seed)
    with Cluster() as cluster, FeedProducer(cluster) as producer:
        producer.make_topic(TOPIC, 4)
        marquee = with_feeds(KafkaMarquee(cluster, {"MARQUEE_LOADER_IDENTITY_WINDOW": "1000"}, loaders=2,
                                          session=f"{SESSION_SECONDS:.0f}s"), feed("views", TOPIC, "json", FIELDS))
        with marquee:
            flow = Flow(producer, seed)
            flow.start()
            for number in range(1, kills + 1):
                time.sleep(draw.uniform(0.0, 2.5))  # the random moment itself, not a wait for a condition
                loader = draw.choice(marquee.loaders)
                if draw.random() < 0.15:
                    loader.signal(signal.SIGSTOP)
                    time.sleep(draw.uniform(0.5, 2.5 * SESSION_SECONDS))
                    loader.signal(signal.SIGCONT)
                loader.kill()
                loader.start(ready=False)
                if number % 5 == 0:
                    print(f"{number} kills, {flow.good} messages and {flow.poison} poison written", flush=True)
            flow.finish()
            check(marquee, producer, flow.good, flow.poison)
    return {"kills": kills, "messages": flow.good, "poison": flow.poison}


def check(marquee: KafkaMarquee, producer: FeedProducer, good: int, poison: int) -> None:
    wait_until(lambda: marquee.count("SELECT count() FROM marquee.events") >= good, 120, f"{good} events to land", 0.2)
    wait_until(lambda: all(loader.is_ready() for loader in marquee.loaders) and feed_status(marquee, "views")["partitions"] == 4
               and feed_status(marquee, "views")["lag_messages"] == 0, 60, "the feed to be done", 0.2)
    wait_until(lambda: sum(loader.get("/v1/loader").json()["lag_events"] for loader in marquee.loaders) == 0, 60, "loaders to be done", 0.2)
    found = marquee.sql("SELECT count(), uniqExact(page_path), uniqExact(external_id), max(toUInt32(substring(page_path, 2))) "
                        "FROM marquee.events").split()
    if found != [str(good)] * 4:
        raise AssertionError(f"of {good} messages there are rows, paths, places, highest: {found}\n{marquee.log_tail()}")
    # Repeats that loaders drop would not show in the table; so the log itself is counted.
    records = sum(len(producer.consume(marquee.topic, partition)) for partition in range(4))
    if records != good:
        raise AssertionError(f"{records} records in the log for {good} messages")
    letters = [letter["value"] for letter in producer.consume(marquee.topic.replace("events", "dead_letters"))]
    wanted = sorted(f"poison {number}".encode().hex() for number in range(1, poison + 1))
    if sorted(letters) != wanted:
        raise AssertionError(f"{len(letters)} dead letters for {poison} poison messages: {sorted(set(letters) ^ set(wanted))[:5]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    arguments = parser.parse_args()
    print(f"faults of feeds: {arguments.kills} kills, seed {arguments.seed}", flush=True)
    total = run(arguments.kills, arguments.seed)
    print(f"faults of feeds: {total}: every message is an event exactly once, every poison a dead letter exactly once")
    return 0


if __name__ == "__main__":
    sys.exit(main())
