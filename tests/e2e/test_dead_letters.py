"""Records that cannot be loaded: nothing waits for them, none is lost, and what is mended counts once. On Kafka and on the local log."""

from __future__ import annotations

import base64
import json
import os
import tempfile
import time
import unittest
from typing import Any

from tests.support.kafka import Cluster, KafkaMarquee
from tests.support.ledger import rollup_differences
from tests.support.marquee import Marquee, wait_until
from tests.support.records import record
from tests.support.topics import TopicProducer, read_topic

NOW_MS = int(time.time() * 1000)


def click(session: int, seq: int, **fields: Any) -> dict[str, Any]:
    return {"site_id": "campus", "session_id": session, "seq": seq, "type": "click", "event_time": NOW_MS, "received_time": NOW_MS,
            "user_key": session, "campaign_id": "law", "ad_id": "hero", "slot_id": "top", "consent": 3, **fields}


def good(session: int, seq: int) -> bytes:
    return record(**click(session, seq))


def events(marquee: Marquee) -> tuple[int, int]:
    """Rows and distinct events."""
    rows, distinct = next(marquee.rows("SELECT count(), uniqExact(site_id, session_id, seq, external_id) FROM marquee.events"))
    return int(rows), int(distinct)


def letters(marquee: Marquee, query: str = "") -> dict[str, Any]:
    answer = marquee.api("/v1/dead-letters?limit=1000" + query)
    assert answer.status == 200, answer.body
    return dict(answer.json())


def replay(marquee: Marquee, **order: Any) -> dict[str, Any]:
    answer = marquee.api("/v1/dead-letters/replay", "POST", order)
    assert answer.status == 200, answer.body
    return dict(answer.json())


def wait_landed(marquee: Marquee) -> None:
    wait_until(lambda: marquee.api("/v1/status").json()["loader"]["lag_events"] == 0, 60, "every record to be loaded")


def import_letters(marquee: Marquee, *arguments: str, check: bool = True) -> dict[str, Any]:
    done = marquee.run("import", "--dead-letters", *arguments, "--json", check=check)
    return dict(json.loads(done.stdout))


def edit_lines(path: str, mend: Any) -> None:
    """Passes each letter of an exported file through `mend`, as a person's editor would."""
    with open(path) as file:
        lines = [json.loads(line) for line in file]
    with open(path, "w") as file:
        for line in lines:
            file.write(json.dumps(mend(line)) + "\n")


class OnKafka(unittest.TestCase):
    cluster: Cluster

    @classmethod
    def setUpClass(cls) -> None:
        cls.cluster = Cluster()
        cls.enterClassContext(cls.cluster)

    def topic_letters(self, marquee: KafkaMarquee) -> list[Any]:
        return read_topic(self.cluster, marquee.topic.replace(".events", ".dead_letters"))

    def test_a_poison_message_stalls_nothing_and_is_in_table_and_topic_with_reason_offset_and_bytes(self) -> None:
        poison = [b"\xff\x00 no event", b"", b'{"type":"clack"}', record(version=9), good(1, 1)[:-3],
                  record(**click(2, 1, value=float("nan"))), record(**click(2, 2, event_time=2**62)),
                  record(**click(2, 3, props="not json")), record(**click(2, 4, props='{"a":1e400}'))]
        with KafkaMarquee(self.cluster) as marquee:
            producer = TopicProducer(self.cluster, marquee.topic)
            at: dict[bytes, int] = {}
            for number, value in enumerate(poison):
                producer.send([good(9, 2 * number + 1)], partition=1)
                at[value] = producer.send([value], partition=1)[0]
                producer.send([good(9, 2 * number + 2)], partition=1)
            wait_landed(marquee)
            self.assertEqual(events(marquee), (2 * len(poison), 2 * len(poison)))
            listed = letters(marquee)
            self.assertEqual((listed["count"], listed["unreplayed"], listed["next"]), (len(poison), len(poison), None))
            found = {base64.b64decode(one["bytes_base64"]): one for one in listed["letters"]}
            for value, offset in at.items():
                one = found[value]
                self.assertEqual((one["topic"], one["partition"], one["offset"], one["replayed"]), (marquee.topic, 1, offset, None))
            self.assertIn("unknown version 9", found[record(version=9)]["reason"])
            self.assertIn("cut off", found[poison[4]]["reason"])
            self.assertTrue(found[poison[5]]["reason"].startswith("value: "), found[poison[5]])
            self.assertTrue(found[poison[7]]["reason"].startswith("the store refuses it (error 117): "), found[poison[7]])
            self.assertEqual((found[poison[0]]["is_event"], found[poison[0]]["text"][:11]), (False, "ff 00 20 6e"))
            self.assertTrue(found[poison[7]]["is_event"])
            refused = next(kind for kind in listed["by_reason"] if kind["reason"].startswith("the store"))
            self.assertEqual((refused["reason"], refused["count"]), ("the store refuses it (error 117)", 2))
            self.assertEqual(letters(marquee, "&reason=error%20117")["count"], 2)

            sent = self.topic_letters(marquee)
            self.assertEqual({(m.key, m.value) for m in sent}, {(f"{marquee.topic}/1/{o}".encode(), v) for v, o in at.items()})
            for message in sent:
                self.assertEqual(message.headers["source_topic"].decode(), marquee.topic)
                self.assertEqual(message.headers["source_partition"], b"1")
                self.assertEqual(int(message.headers["source_offset"]), at[message.value])
                self.assertEqual(message.headers["reason"].decode()[:40], found[message.value]["reason"][:40])
            self.assertEqual(rollup_differences(marquee), [])

    def test_what_is_mended_counts_once_however_often_it_is_replayed(self) -> None:
        with KafkaMarquee(self.cluster) as marquee:
            producer = TopicProducer(self.cluster, marquee.topic)
            foreign = {"type": "conversion", "site_id": "campus", "session_id": "s-1", "seq": 4, "value": 12.5, "ad_id": "hero"}
            producer.send([json.dumps(foreign).encode(), b"\xff lost for good", record(**click(2, 1, props="not json")),
                           json.dumps({**foreign, "seq": 5, "type": "convertion"}).encode(), good(3, 1),
                           json.dumps({**foreign, "seq": 6, "site_id": "nowhere"}).encode()])
            wait_landed(marquee)
            self.assertEqual(letters(marquee)["count"], 5)

            dry = import_letters(marquee, "--dry-run")
            self.assertEqual((dry["tried"], dry["replayed"], dry["left"]), (5, 2, 5))
            self.assertEqual(events(marquee), (1, 1))
            # What somebody wrote as JSON can be read; what the store refused is sent again and refused again.
            first = import_letters(marquee)
            self.assertEqual((first["replayed"], first["left"]), (2, 4))
            self.assertEqual(sorted(one["reason"].split(":")[0] for one in first["unreadable"]),
                             ["an event of unknown version -1", "site_id", "type"])
            self.assertEqual(events(marquee), (2, 2))
            self.assertEqual(marquee.sql("SELECT sum(value) FROM marquee.events WHERE event_type = 'conversion'").strip(), "12.5")

            path = os.path.join(marquee.data_dir, "letters.ndjson")
            marquee.run("import", "--dead-letters", "--export", path)
            self.assertEqual(marquee.run("import", "--dead-letters", "--export", path, check=False).returncode, 1)  # It is there.
            untouched = import_letters(marquee, path, check=False)
            self.assertEqual((untouched["replayed"], len(untouched["unreadable"])), (0, 4))

            def mend(line: dict[str, Any]) -> dict[str, Any]:
                event = line.get("event")
                if event is None:
                    return line  # Nobody can tell what it was.
                event.update({"type": "conversion"} if event["type"] == "convertion" else {}, site_id="campus")
                event.update({"props": {"mended": True}} if event.get("props") == "not json" else {})
                return line

            edit_lines(path, mend)
            mended = import_letters(marquee, path, check=False)
            self.assertEqual((mended["replayed"], mended["replayed_before"], len(mended["unreadable"]), mended["left"]), (3, 0, 1, 1))
            self.assertEqual(events(marquee), (5, 5))
            # The ids of session and user, which are hashes, went through the file unharmed.
            self.assertEqual(list(marquee.rows("SELECT session_id, user_key FROM marquee.events WHERE toString(props) = '{\"mended\":true}'")),
                             [["2", "2"]])
            again = import_letters(marquee, path, check=False)
            self.assertEqual((again["replayed"], again["replayed_before"], again["left"]), (0, 3, 1))
            self.assertEqual(import_letters(marquee)["replayed"], 0)
            self.assertEqual(events(marquee), (5, 5))
            self.assertEqual(rollup_differences(marquee), [])

    def test_a_replay_that_was_cut_off_anywhere_counts_each_event_once(self) -> None:
        # The window is small, so that it is not what saves the day.
        with KafkaMarquee(self.cluster, {"MARQUEE_LOADER_IDENTITY_WINDOW": "1000"}) as marquee:
            producer = TopicProducer(self.cluster, marquee.topic)
            # Without identity of their own, they are known by their source.
            unnamed = {"site_id": "campus", "type": "search", "event_time": NOW_MS, "received_time": NOW_MS, "value": float("inf")}
            places = producer.send([record(**unnamed, session_id=n) for n in range(40)], partition=2)
            wait_landed(marquee)
            mended = [{"topic": marquee.topic, "partition": 2, "offset": offset,
                       "event": {"type": "search", "site_id": "campus", "session_id": f"s{n}", "seq": 1}} for n, offset in enumerate(places)]
            self.assertEqual(replay(marquee, letters=mended[:30])["replayed"], 30)
            wait_landed(marquee)
            for start in range(0, 6000, 500):  # Beyond the window of every partition.
                producer.send([good(100 + start + n, 1) for n in range(500)], partition=start // 500 % 4)
            wait_landed(marquee)
            # As left by a replay that died after it had sent, or before: only that it began is known.
            marquee.sql("ALTER TABLE marquee.dead_letter_replays DELETE WHERE outcome != 'begun' SETTINGS mutations_sync = 2")
            before = events(marquee)
            for one in mended:  # Mended in another way this time.
                one["event"]["seq"] = 2
            done = replay(marquee, letters=mended)
            self.assertEqual((done["tried"], done["already_counted"], done["replayed"]), (40, 30, 10))
            wait_landed(marquee)
            self.assertEqual(events(marquee), (before[0] + 10, before[1] + 10))
            self.assertEqual(replay(marquee, letters=mended)["replayed_before"], 40)
            self.assertEqual(letters(marquee)["unreplayed"], 0)

    def test_a_missing_topic_of_dead_letters_stalls_no_partition(self) -> None:
        with KafkaMarquee(self.cluster, {"MARQUEE_KAFKA_ACKNOWLEDGE": "2s"}, loaders=0) as marquee:
            import confluent_kafka.admin
            admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": self.cluster.bootstrap})
            admin.delete_topics([marquee.topic.replace(".events", ".dead_letters")])[marquee.topic.replace(".events", ".dead_letters")].result(30)
            marquee.loaders.append(marquee.add("load"))
            producer = TopicProducer(self.cluster, marquee.topic)
            producer.send([b"broken", good(1, 1)])
            wait_until(lambda: events(marquee) == (1, 1), 60, "the good event")
            self.assertEqual(letters(marquee)["count"], 1)
            wait_until(lambda: "run `marquee migrate up`" in marquee.loaders[0].log_tail(200), 30, "the loader to name the topic")


class OnTheLocalLog(unittest.TestCase):
    """What the store refuses, and a store that takes it later: a column of an operator's own that holds only what it knows."""

    STRICT = ("ALTER TABLE marquee.events ADD COLUMN strict Enum8('' = 0, 'law' = 1, 'art' = 2) DEFAULT "
              "CAST(search_query, 'Enum8(\\'\\' = 0, \\'law\\' = 1, \\'art\\' = 2)')")

    def search(self, number: int, query: str) -> dict[str, Any]:
        return {"type": "search", "session_id": f"s{number}", "seq": 1, "search_query": query, "user_id": f"u{number}", "consent": "full"}

    def test_what_the_store_refused_is_replayed_when_it_takes_it_and_counts_once(self) -> None:
        with Marquee() as marquee:
            marquee.sql(self.STRICT)
            marquee.post_events([self.search(n, "law" if n % 10 else "poison") for n in range(100)])
            wait_landed(marquee)
            self.assertEqual(events(marquee), (90, 90))
            listed = letters(marquee)
            self.assertEqual((listed["count"], {one["topic"] for one in listed["letters"]}), (10, {""}))
            self.assertEqual({json.loads(one["text"])["search_query"] for one in listed["letters"]}, {"poison"})
            # A replay while nothing has changed makes letters of its own.
            self.assertEqual(replay(marquee, reason="refuses it")["replayed"], 10)
            wait_until(lambda: letters(marquee)["count"] == 20, 30, "letters of the replay")
            self.assertEqual(letters(marquee)["unreplayed"], 10)
            marquee.sql("ALTER TABLE marquee.events DROP COLUMN strict")
            self.assertEqual(import_letters(marquee)["left"], 0)
            self.assertEqual(events(marquee), (100, 100))
            self.assertEqual(import_letters(marquee)["tried"], 0)
            # The senders' own repeats are known, too.
            marquee.post_events([self.search(n, "poison") for n in range(0, 100, 10)])
            wait_landed(marquee)
            self.assertEqual(events(marquee), (100, 100))
            self.assertEqual(rollup_differences(marquee), [])

    def test_letters_are_listed_in_pages_and_by_reason_source_and_time(self) -> None:
        with Marquee() as marquee:
            rows = ",".join(f"('t.{n % 2}', {n % 3}, {n}, {n}, '{'odd' if n % 2 else 'even'}: {n}', 'x{n}', now64(3) - {n})" for n in range(25))
            marquee.sql("INSERT INTO marquee.dead_letters (source_topic, log_partition, log_offset, bytes_hash, reason, bytes, received_time) "
                        "VALUES " + rows)
            seen: list[int] = []
            after = ""
            while True:
                page = marquee.api(f"/v1/dead-letters?limit=7{after}").json()
                self.assertEqual(page["count"], 25)
                seen += [one["offset"] for one in page["letters"]]
                if page["next"] is None:
                    break
                after = "&after=" + page["next"]
            self.assertEqual(seen, list(range(25)))  # Newest first.
            self.assertEqual([(k["reason"], k["count"]) for k in letters(marquee)["by_reason"]], [("even", 13), ("odd", 12)])
            self.assertEqual(letters(marquee, "&source=t.1")["count"], 12)
            self.assertEqual(letters(marquee, "&source=")["count"], 0)
            since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 10))
            self.assertLess(letters(marquee, "&since=" + since)["count"], 13)
            self.assertEqual(letters(marquee, "&replayed=yes")["letters"], [])
            # Of topics that nobody here can read.
            answer = replay(marquee, source="t.1")
            self.assertEqual((answer["tried"], answer["replayed"], len(answer["unreadable"])), (12, 0, 12))
            self.assertEqual(answer["unreadable"][0]["reason"], "topic t.1 is not one that this Marquee reads")
            # Large letters come in small pages, none is left out.
            marquee.sql("INSERT INTO marquee.dead_letters SELECT 'big', 0, number, number, 'big', repeat('x', 1000000), now64(3) FROM numbers(20)")
            sizes, after = [], ""
            while True:
                page = marquee.api(f"/v1/dead-letters?source=big{after}").json()
                sizes.append(len(page["letters"]))
                if page["next"] is None:
                    break
                after = "&after=" + page["next"]
            self.assertEqual((sum(sizes), max(sizes) <= 9), (20, True), sizes)

    def test_a_mended_file_names_what_is_wrong_with_it_line_by_line(self) -> None:
        with Marquee() as marquee, tempfile.TemporaryDirectory() as directory:
            marquee.sql("INSERT INTO marquee.dead_letters VALUES ('', 0, 5, 1, 'broken', 'x', now64(3)), ('', 0, 6, 2, 'broken', 'y', now64(3))")
            event = {"type": "click", "site_id": "campus", "session_id": "s", "seq": 1}
            path = os.path.join(directory, "letters.ndjson")
            with open(path, "w") as file:
                for line in ({"topic": "", "partition": 0, "offset": 5, "event": event}, {"topic": "", "partition": 0, "offset": 99, "event": event},
                             {"topic": "", "partition": 0, "offset": 6, "text": '{"type":"click"}'}, {"topic": "", "partition": 0, "offset": 6},
                             {"topic": "", "partition": 0}):
                    file.write(json.dumps(line) + "\n")
                file.write("{\n")
            done = marquee.run("import", "--dead-letters", path, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("6 tried, 1 replayed, 5 cannot be read", done.stdout)
            for text in ("there is no such dead letter  (/0/99)", "site_id: missing  (/0/6)", "needs one of event, text and bytes_base64  (line 4)",
                         "offset: missing  (line 5)", "not a JSON object  (line 6)", "1 dead letters are left"):
                self.assertIn(text, done.stdout)
            self.assertEqual(events(marquee), (1, 1))
            self.assertEqual(marquee.run("import", check=False).returncode, 1)


if __name__ == "__main__":
    unittest.main()
