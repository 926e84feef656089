"""A refresh of a segment shows whole or not at all, by itself, beside readers, and killed."""

from __future__ import annotations

import collections
import itertools
import json
import os
import random
import threading
import time
import unittest

from tests.support.marquee import Answer, request, wait_until
from tests.support.reports import import_events, text_time
from tests.support.segment_site import END, SegmentSite
from tests.support.segments import users_with_key

SEED = int(os.environ.get("SEED", "1"))
SITE: SegmentSite


def setUpModule() -> None:
    global SITE
    SITE = SegmentSite(SEED)


def tearDownModule() -> None:
    SITE.close()


class Refreshes(unittest.TestCase):
    def test_an_answer_is_known_until_the_segment_has_other_users(self) -> None:
        names = sorted(users_with_key(SITE.events))
        segment = SITE.made("Known", SITE.list_of(set(names[:50])))
        query = f"/v1/reports/metrics?site=campus&metrics=reach&filter=segment%3D{segment['id']}&to={text_time(END)}"

        def asked() -> tuple[float, int]:
            """The reach, and how many rows the store read for it."""
            before = SITE.marquee.count("SELECT value FROM system.events WHERE event = 'SelectedRows'")
            value = SITE.marquee.api(query).json()["total"]["values"][0]["value"]
            return value, SITE.marquee.count("SELECT value FROM system.events WHERE event = 'SelectedRows'") - before

        SITE.marquee.sql("OPTIMIZE TABLE marquee.events FINAL")
        wait_until(lambda: SITE.marquee.count("SELECT count() FROM system.merges WHERE table = 'events'") == 0, 30, "merges")
        first, rows_of_first = asked()
        again, rows_of_again = asked()
        self.assertEqual(first, again)
        self.assertGreater(rows_of_first, len(SITE.events) // 2)
        self.assertLess(rows_of_again, len(SITE.events) // 2)
        SITE.put(segment, SITE.list_of(set(names[:20])))
        other, _ = asked()
        expected = {event["user_id"] for event in SITE.events if event["type"] == "impression" and event.get("user_id") in names[:20] and not event["is_bot"]}
        self.assertEqual(other, len(expected))
        self.assertNotEqual(other, first)
        SITE.removed(segment)

    def test_what_lands_is_found_by_itself(self) -> None:
        rule = {"kind": "rule", "rule": {"types": ["course_click"], "last": "7d"}}
        segment = SITE.made("By itself", rule)
        self.assertEqual(segment["size"], 0)
        event = {"type": "course_click", "session_id": "late", "seq": 1, "event_time": int(time.time() * 1000), "user_id": "late", "consent": "full", "is_bot": False,
                 "device": "phone", "college_id": "c0", "props": {"name": "late"}}
        import_events(SITE.marquee, [event])
        SITE.events.append(event)
        SITE.learn_keys()
        path = f"/v1/segments/{segment['id']}"
        refreshed = wait_until(lambda: (one := SITE.marquee.api(path).json())["size"] == 1 and one, 15, "the refresh")
        self.assertGreater(refreshed["version"], segment["version"])
        self.assertEqual(SITE.users_of(refreshed), SITE.keys_of({"late"}))
        self.assertGreater(SITE.marquee.api(path + "/refresh", "POST").json()["version"], refreshed["version"])
        SITE.removed(segment)

    def test_readers_see_the_users_before_or_after_and_none_in_between(self) -> None:
        names = sorted(users_with_key(SITE.events))
        sets = [set(names[:120]), set(names[100:])]
        shown = {event["user_id"] for event in SITE.events if event["type"] == "impression" and event.get("user_id") and not event["is_bot"]}
        allowed = {float(len(one & shown)) for one in sets}
        self.assertEqual(len(allowed), 2)
        definitions = [{"kind": "rule", "rule": {"types": [], "filter": [f"props.name={','.join(sorted(one))}"]}} for one in sets]
        segment = SITE.made("Flips", definitions[0])
        query = f"/v1/reports/metrics?site=campus&metrics=reach&filter=segment%3D{segment['id']}"
        seen: collections.Counter[float] = collections.Counter()
        wrong: list[Answer] = []
        stopped = threading.Event()

        def read() -> None:
            while not stopped.is_set():
                answer = SITE.marquee.api(query)
                if answer.status != 200:
                    wrong.append(answer)
                    return
                seen[answer.json()["total"]["values"][0]["value"]] += 1

        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for turn in range(30):
            SITE.put(segment, definitions[(turn + 1) % 2])
            if turn % 5 == 0:
                SITE.marquee.api(f"/v1/segments/{segment['id']}/refresh", "POST")
        stopped.set()
        for reader in readers:
            reader.join()
        self.assertFalse(wrong, wrong[:1] and wrong[0].body)
        self.assertEqual(set(seen), allowed, seen)
        SITE.removed(segment)


def store_answers() -> bool:
    try:
        return SITE.marquee.sql("SELECT 1") == "1\n"
    except (OSError, AssertionError):
        return False


class Killed(unittest.TestCase):
    def test_a_refresh_that_is_killed_leaves_the_users_of_one_definition_whole(self) -> None:
        draw = random.Random(SEED + 8)
        names = sorted(users_with_key(SITE.events))
        sets = [set(names[:120]), set(names[100:])]
        definitions = [{"kind": "rule", "rule": {"types": [], "filter": [f"props.name={','.join(sorted(one))}"]}} for one in sets]
        segment = SITE.made("Killed", definitions[0])
        for round_number in range(3):
            stopped = threading.Event()

            def flip(stopped: threading.Event = stopped) -> None:
                for turn in itertools.count():
                    body = json.dumps({"site": "campus", "title": "Killed", "definition": definitions[turn % 2]}).encode()
                    try:
                        request(f"{SITE.marquee.url}/v1/segments/{segment['id']}", "PUT", body, {"Authorization": "Bearer " + SITE.marquee.runtime["admin_token"]}, timeout=5)
                    except OSError:
                        return
                    if stopped.is_set():
                        return

            flipping = threading.Thread(target=flip)
            flipping.start()
            time.sleep(0.1 + draw.random() * 0.4)
            if round_number == 1:
                SITE.marquee.signal_store(9)  # The store alone: it comes back by itself.
                stopped.set()
                flipping.join()
                wait_until(store_answers, 30, "the store")
                SITE.marquee.wait_ready()
            else:
                SITE.marquee.kill()
                flipping.join()
                SITE.marquee.start()
            kept = SITE.marquee.api(f"/v1/segments/{segment['id']}").json()
            expected = sets[definitions.index(kept["definition"])]
            self.assertEqual(SITE.users_of(kept), SITE.keys_of(expected))
            self.assertEqual(kept["size"], len(expected))
            shown = {event["user_id"] for event in SITE.events if event["type"] == "impression" and event.get("user_id") in expected and not event["is_bot"]}
            self.assertEqual(SITE.ask("metrics", metrics="reach", filter=f"segment={segment['id']}")["total"]["values"][0]["value"], len(shown))
        again = SITE.marquee.api(f"/v1/segments/{segment['id']}/refresh", "POST").json()
        self.assertGreater(again["version"], kept["version"])
        self.assertEqual(SITE.users_of(again), SITE.keys_of(expected))
        SITE.removed(segment)


if __name__ == "__main__":
    unittest.main()
