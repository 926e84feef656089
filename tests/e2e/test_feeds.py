"""Feeds: topics of another producer, written with Confluent's own serializers and a real schema registry, into the events table."""

from __future__ import annotations

import os
import signal
import time
import unittest
from typing import Any

from tests.support.feeds import FeedProducer, Registry, compile_protos, feed, feed_status, with_feeds
from tests.support.kafka import Cluster, KafkaMarquee
from tests.support.marquee import request, wait_until

AVRO = """{"type": "record", "name": "View", "namespace": "shop", "fields": [
  {"name": "id", "type": "string"},
  {"name": "action", "type": {"type": "enum", "name": "Action", "symbols": ["VIEW", "CLICK"]}},
  {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
  {"name": "user", "type": ["null", {"type": "record", "name": "User", "fields": [{"name": "id", "type": "long"}, {"name": "city", "type": ["null", "string"], "default": null}]}]},
  {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
  {"name": "tags", "type": {"type": "map", "values": {"type": "array", "items": "string"}}}]}"""

PROTOS = {
    "shop/ids.proto": 'syntax = "proto3"; package shop; message User { int64 id = 1; string city = 2; }',
    "shop/view.proto": """syntax = "proto3"; package shop; import "shop/ids.proto"; import "google/protobuf/timestamp.proto";
      message Unused { string nothing = 1; }
      message Envelope { message View { enum Action { VIEW = 0; CLICK = 1; } string id = 1; Action action = 2;
        google.protobuf.Timestamp at = 3; User user = 4; double price = 5; map<string, string> tags = 6; } }"""}

FIELDS = """
      type: {from: action, values: {VIEW: impression, CLICK: click}}
      event_time: at
      external_id: id
      user_id: user.id
      city: user.city
      value: price
      campaign_id: {constant: law-2027}
      slot_id: $headers.slot
      props.tags: tags"""


class FeedsTest(unittest.TestCase):
    cluster: Cluster
    registry: Registry
    producer: FeedProducer
    count = 0

    @classmethod
    def setUpClass(cls) -> None:
        cls.cluster = Cluster()
        cls.enterClassContext(cls.cluster)
        cls.registry = Registry()
        cls.enterClassContext(cls.registry)
        cls.producer = FeedProducer(cls.cluster, cls.registry)
        cls.enterClassContext(cls.producer)

    def topic(self, name: str, partitions: int = 3) -> str:
        FeedsTest.count += 1
        topic = f"{name}-{os.getpid()}-{FeedsTest.count}"
        self.producer.make_topic(topic, partitions)
        return topic

    def wait_events(self, marquee: KafkaMarquee, count: int) -> None:
        try:
            wait_until(lambda: marquee.count("SELECT count() FROM marquee.events") >= count, 60, f"{count} events")
        except AssertionError as error:
            states = [loader.get("/v1/loader").json() for loader in marquee.loaders]
            raise AssertionError(f"{error}; there are {marquee.sql('SELECT count() FROM marquee.events')}\n{states}\n{marquee.log_tail()}") from None
        self.assertEqual(marquee.count("SELECT count() FROM marquee.events"), count)

    def test_json_avro_and_protobuf_become_events_and_poison_between_them_dead_letters(self) -> None:
        topics = {form: self.topic(form) for form in ("json", "avro", "protobuf")}
        now = int(time.time())
        messages = {form: [self.message(form, number, now) for number in range(200)] for form in topics}
        poison = {"json": [b"{", b"", b'{"id":"x","action":"BUY"}'], "avro": [b"\x00\x00\x00\x00\x01", b"\x00\x00\x0f\x42\x40x", b'{"id":1}'],
                  "protobuf": [b"\x00\x00\x00\x00\x01\x00\x0a\xff", b"\x07", b"\x00\x00\x0f\x42\x40\x00"]}
        for form, own in poison.items():
            for number, raw in enumerate(own):
                messages[form].insert(50 * number + 50, {"raw": raw.hex()})
        feeds = [feed(f"{form}-feed", topic, form, FIELDS, "" if form == "json" else self.registry.url) for form, topic in topics.items()]
        marquee = with_feeds(KafkaMarquee(self.cluster, loaders=2), *feeds)
        with marquee:
            self.producer.produce(topics["json"], messages["json"] + [{"value": None, "key": "gone"}])
            self.producer.produce(topics["avro"], messages["avro"], "avro", AVRO)
            self.producer.produce(topics["protobuf"], messages["protobuf"], "protobuf",
                                  compile_protos(PROTOS, "shop/view.proto"), message="shop.Envelope.View")
            self.wait_events(marquee, 600)
            self.check_fields(marquee, now)
            self.check_dead_letters(marquee, topics, poison)
            self.check_status(marquee, topics)

    @staticmethod
    def message(form: str, number: int, now: int) -> dict[str, Any]:
        user = {"id": number % 20, "city": "Pune"}
        value: dict[str, Any] = {"id": f"{form}-{number}", "action": "CLICK" if number % 4 == 0 else "VIEW", "user": user}
        if form == "avro":
            value |= {"at": (now - number) * 1_000_000 + 123_456, "price": {"$bytes": (1000 + number).to_bytes(2, "big").hex()},
                      "tags": {"all": ["a", "b"]}}
        elif form == "protobuf":
            value |= {"at": time.strftime("%Y-%m-%dT%H:%M:%S.123Z", time.gmtime(now - number)), "price": 10 + number / 100,
                      "tags": {"all": "a"}}
        else:
            value |= {"at": (now - number) * 1000 + 123, "price": 10 + number / 100, "tags": {"all": ["a", "b"]}}
        return {"value": value, "key": f"k{number}", "headers": {"slot": "top"}}

    def check_fields(self, marquee: KafkaMarquee, now: int) -> None:
        for form in ("json", "avro", "protobuf"):
            row = marquee.sql(
                "SELECT count(), uniqExact(external_id), countIf(event_type = 'click'), uniqExact(user_key), uniqExact(city), any(city),"
                " sum(toInt64(round(value * 100))), countIf(campaign_id = 'law-2027' AND slot_id = 'top'),"
                " min(toUnixTimestamp64Milli(event_time)), max(toUnixTimestamp64Milli(event_time)), countIf(is_bot), any(replaceAll(toString(props.tags.all), '\\'', ''))"
                f" FROM marquee.events WHERE startsWith(external_id, '{form}-')").strip()
            tags = "a" if form == "protobuf" else "[a,b]"
            self.assertEqual(row.split("\t"), ["200", "200", "50", "20", "1", "Pune", str(sum(range(1000, 1200))), "200",
                                               str((now - 199) * 1000 + 123), str(now * 1000 + 123), "0", tags])
        # The same raw user is the same user whatever the topic, and as the collector knows him.
        self.assertEqual(marquee.count("SELECT uniqExact(user_key) FROM marquee.events"), 20)
        sent = [{"type": "click", "external_id": "collected", "user_id": "7"}]
        self.assertEqual(marquee.post_events(sent).status, 200)
        wait_until(lambda: marquee.count("SELECT count() FROM marquee.events WHERE external_id = 'collected'") == 1, 30, "one more")
        self.assertEqual(marquee.count("SELECT uniqExact(user_key) FROM marquee.events"), 20)
        self.assertEqual(marquee.count("SELECT max(n) FROM (SELECT uniqExact(log_partition) AS n FROM marquee.events GROUP BY user_key)"), 1)

    def check_dead_letters(self, marquee: KafkaMarquee, topics: dict[str, str], poison: dict[str, list[bytes]]) -> None:
        letters = self.producer.consume(marquee.topic.replace("events", "dead_letters"))
        self.assertEqual(sorted(letter["value"] for letter in letters), sorted(raw.hex() for own in poison.values() for raw in own))
        self.assertEqual(marquee.sql("SELECT source_topic, count(), uniqExact(bytes) FROM marquee.dead_letters FINAL GROUP BY source_topic"
                                     " ORDER BY source_topic").split(), [word for topic in sorted(topics.values()) for word in (topic, "3", "3")])
        reasons = [letter["headers"]["reason"] for letter in letters]
        for wanted in ("not JSON: ", 'type: "BUY" is not among', "schema 1000000: the schema registry", "the Avro message ends",
                       "but with byte 123", "1 bytes are too few"):
            self.assertTrue(any(wanted in reason for reason in reasons), f"{wanted} in {reasons}")
        for letter in letters:
            headers = letter["headers"]
            self.assertIn(headers["source_topic"], topics.values())
            self.assertEqual(letter["key"], f"{headers['source_topic']}/{headers['source_partition']}/{headers['source_offset']}")

    def check_status(self, marquee: KafkaMarquee, topics: dict[str, str]) -> None:
        for form, topic in topics.items():
            status = wait_until(lambda form=form: (s := feed_status(marquee, f"{form}-feed"))["lag_messages"] == 0 and s, 20, "no lag")
            self.assertEqual((status["events"], status["dead_letters"], status["ignored"], status["partitions"], status["last_error"]),
                             (200, 3, 1 if form == "json" else 0, 3, ""))
        # The events' own partitions have none of theirs, although they have the same numbers.
        self.assertEqual({p["dead_letters"] for p in marquee.api("/v1/pipeline").json()["partitions"]}, {0})
        shown = wait_until(lambda: (out := marquee.run("load", "--status").stdout) and "none" not in out.partition("feed ")[2] and out, 30,
                           "every partition's loader")
        self.assertIn("0 messages of feeds wait", shown)
        self.assertEqual(len([line for line in shown.splitlines() if line.startswith("avro-feed")]), 3, shown)
        metrics = "".join(loader.get("/metrics").body.decode() for loader in marquee.loaders)
        self.assertIn('marquee_feed_messages_total{feed="json-feed",result="dead_letter"}', metrics)
        printed = marquee.run("config", "print").stdout
        self.assertIn(f'#     topic: "{topics["avro"]}"', printed)

    def test_a_registry_that_is_away_is_waited_for(self) -> None:
        topic = self.topic("late")
        schema = AVRO.replace('"View"', '"Late"')
        with with_feeds(KafkaMarquee(self.cluster), feed("late", topic, "avro", FIELDS, self.registry.url)) as marquee:
            wait_until(lambda: feed_status(marquee, "late")["partitions"] == 3, 30, "the feed's partitions")
            messages = [self.message("avro", number, int(time.time())) for number in range(30)]
            self.registry.signal(signal.SIGSTOP)
            try:
                # Written with the schema's id by hand, as the registry cannot be asked: it is registered when it is back.
                self.producer.produce(topic, [{"raw": b"\x00\x7f\x00\x00\x00\x00".hex(), "partition": 0}])
                wait_until(lambda: "does not answer" in feed_status(marquee, "late")["last_error"], 60, "the error to be shown")
                self.assertEqual(feed_status(marquee, "late")["dead_letters"], 0)
            finally:
                self.registry.signal(signal.SIGCONT)
            # It answers that there is no such schema: a dead letter. What is good goes through.
            self.producer.produce(topic, messages, "avro", schema)
            wait_until(lambda: feed_status(marquee, "late")["dead_letters"] == 1, 60, "the dead letter")
            self.wait_events(marquee, 30)
            wait_until(lambda: feed_status(marquee, "late")["last_error"] == "", 30, "no error")

    def test_avro_schemas_evolve_and_refer_to_others_and_json_may_be_framed(self) -> None:
        avro = self.topic("evolving", 1)
        json_topic = self.topic("framed", 1)
        plain = "\n      type: {constant: click}\n      external_id: id\n      city: user.city\n      props: $value"
        marquee = with_feeds(KafkaMarquee(self.cluster), feed("evolving", avro, "avro", plain, self.registry.url),
                             feed("framed", json_topic, "json", plain))
        with marquee:
            user = '{"type": "record", "name": "User", "namespace": "base", "fields": [{"name": "city", "type": "string"}]}'
            self.producer.register(f"user-{avro}", user, "AVRO")
            first = '{"type": "record", "name": "V", "fields": [{"name": "id", "type": "string"}]}'
            second = ('{"type": "record", "name": "V", "fields": [{"name": "id", "type": "string"},'
                      ' {"name": "user", "type": "base.User", "default": {"city": ""}}]}')
            self.producer.produce(avro, [{"value": {"id": "one"}}], "avro", first)
            self.producer.produce(avro, [{"value": {"id": "two", "user": {"city": "Pune"}}}], "avro", second,
                                  references=[{"name": "base.User", "subject": f"user-{avro}", "version": 1}])
            self.producer.produce(json_topic, [{"value": {"id": "three"}}], "json-schema",
                                  '{"title": "V", "type": "object", "properties": {"id": {"type": "string"}}}')
            self.wait_events(marquee, 3)
            self.assertEqual(marquee.sql("SELECT external_id, city FROM marquee.events ORDER BY external_id"),
                             "one\t\nthree\t\ntwo\tPune\n")

    def test_a_transaction_that_is_left_open_holds_loading_up_no_longer_than_its_time_and_is_never_seen(self) -> None:
        with KafkaMarquee(self.cluster, partitions=1) as marquee:
            self.producer.open_transaction(marquee.topic, [(0, b"never seen")], f"left-open-{os.getpid()}", 3_000)
            began = time.monotonic()
            sent = [{"type": "click", "external_id": f"e{number}"} for number in range(10)]
            self.assertEqual(marquee.post_events(sent).status, 200)
            loader = marquee.loaders[0]
            wait_until(lambda: loader.get("/v1/loader").json()["lag_events"] > 0, 10, "what waits behind it to be told as lag")
            # Brokers look for such transactions every ten seconds.
            wait_until(lambda: marquee.count("SELECT count() FROM marquee.events") == 10, 30, "the events behind it")
            self.assertLess(time.monotonic() - began, 25)
            wait_until(lambda: loader.get("/v1/loader").json()["lag_events"] == 0, 20, "no lag")
            self.assertEqual(marquee.count("SELECT count() FROM marquee.dead_letters"), 0)
            self.assertIn("0 events wait", marquee.run("load", "--status").stdout)

    def test_what_is_wrong_with_the_feeds_file_is_named_and_what_is_missing_waited_for(self) -> None:
        with KafkaMarquee(self.cluster, loaders=0, collectors=0) as marquee:
            with_feeds(marquee, feed("f", "t", "json", "\n      typ: {constant: click}"))
            for command in (["load"], ["load", "--status"], ["config", "print"]):
                refused = marquee.run(*command, check=False)
                self.assertEqual(refused.returncode, 1)
                self.assertIn('feeds.yaml:7: unknown field "typ"; did you mean "type"?', refused.stderr)
            # A site that is not there: the feed waits, and says for what.
            topic = self.topic("nowhere", 1)
            self.producer.produce(topic, [{"value": {"id": "1"}}])
            with_feeds(marquee, feed("f", topic, "json", "\n      type: {constant: click}").replace("campus", "nowhere"))
            loader = marquee.add("load")
            marquee.loaders.append(loader)
            wait_until(lambda: "there is no site nowhere" in feed_status(marquee, "f")["last_error"], 30, "the missing site to be named")
            made = marquee.api("/v1/sites", "POST", {"id": "nowhere", "name": "Nowhere"})
            self.assertLess(made.status, 300, made.body)
            wait_until(lambda: marquee.count("SELECT count() FROM marquee.events WHERE site_id = 'nowhere'") == 1, 30, "the event")
            # Without the key that users are hashed with it does not begin.
            empty = os.path.join(marquee.data_dir, "empty")
            os.makedirs(empty)
            lost = marquee.add_unready("load", {"MARQUEE_DATA_DIR": empty, "MARQUEE_STORE_URL": str(marquee.runtime["store_url"]),
                                                "MARQUEE_STORE_USER": "default", "MARQUEE_STORE_PASSWORD": str(marquee.runtime["store_password"])})
            try:
                wait_until(lambda: b"secrets.json" in request(lost.url + "/readyz").body, 30, "the missing key to be named")
            finally:
                lost.stop()


if __name__ == "__main__":
    unittest.main()
