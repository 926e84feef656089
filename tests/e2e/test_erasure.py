"""A user is erased: from every table, every report, the log, decisions, profiles, dead letters, and from the bytes on the disk; others are as they
were; what ends the process ends no erasure; who comes back is someone new; and the user can read all that is known before."""

from __future__ import annotations

import json
import pathlib
import random
import time
import unittest
import urllib.parse
from typing import Any

from tests.e2e import test_decisions as decisions
from tests.support.kafka import Cluster, KafkaMarquee
from tests.support.kept_bytes import forms, places_of
from tests.support.ledger import rollup_differences
from tests.support.marquee import Marquee, request, wait_until

FULL = {"consent": "full", "age": 21}
ANA = "ana.example/7731"  # Nobody else's bytes look like this.
OTHERS = [f"other-{n}" for n in range(6)]
DAY_MS = 86_400_000
STRICT = ("ALTER TABLE marquee.events ADD COLUMN strict Enum8('' = 0, 'art' = 1) DEFAULT "
          "CAST(if(search_query = 'poison', 'poison', ''), 'Enum8(\\'\\' = 0, \\'art\\' = 1)')")


def path_of(user: str) -> str:
    return urllib.parse.quote(user, safe="")


class Life:
    """A Marquee on which Ana and others did the same things."""

    def __init__(self, marquee: Marquee) -> None:
        self.marquee = marquee
        decisions.MARQUEE = marquee
        capped = decisions.campaign("law", 2, bid_micros=2_500_000, caps=[{"scope": "ad", "count": 50, "window": "1d"}])
        self.site = decisions.Site(capped)
        self.seq = 0

    def send(self, *events: dict[str, Any]) -> None:
        answer = request(self.marquee.url + "/v1/events", "POST", json.dumps(events).encode(), {"Authorization": "Bearer " + self.site.key})
        assert answer.status == 200 and answer.json()["accepted"] == len(events), answer.body

    def event(self, user: str, days_ago: int = 0, **fields: Any) -> dict[str, Any]:
        self.seq += 1
        now = int(time.time() * 1000)
        return {"type": "search", "session_id": "session of " + user, "seq": self.seq, "user_id": user, "search_query": "Data science",
                "event_time": now - days_ago * DAY_MS, "sent_at": now, **FULL, **fields}

    def live(self, user: str) -> None:
        """Events of three days, an ad that is shown and clicked, a record that the store refuses."""
        for days_ago in (0, 1, 2):
            self.send(*[self.event(user, days_ago, type=kind, course_id="c1", page_id="home") for kind in ("page_view", "course_view")],
                      self.event(user, days_ago),
                      *[self.event(user, days_ago, type=kind, campaign_id="art", ad_id="art-1", slot_id="top", x=10, y=20)
                        for kind in ("impression", "hover", "click")])
        self.send(self.event(user, search_query="poison"))
        shown = self.site.ad(user_id=user, **FULL)
        decisions.get(shown["impression_url"])
        decisions.get(shown["click_url"])

    def landed(self) -> None:
        wait_until(lambda: self.marquee.api("/v1/status").json()["loader"]["lag_events"] == 0, 60, "every record to be loaded")

    def key(self, user: str) -> int:
        return int(self.export(user)["user_key"], 16)

    def export(self, user: str) -> Any:
        answer = self.marquee.api(f"/v1/users/{path_of(user)}/export?site={self.site.id}")
        assert answer.status == 200, answer.body
        return answer.json()

    def rows_of(self, key: int) -> dict[str, int]:
        """Rows by table, of every table that says of which user a row is."""
        tables = [row[0] for row in self.marquee.rows(
            "SELECT table FROM system.columns WHERE database = 'marquee' AND name = 'user_key' AND table IN (SELECT name FROM system.tables "
            "WHERE database = 'marquee' AND engine LIKE '%MergeTree') ORDER BY table")]
        return {table: self.marquee.count(f"SELECT count() FROM marquee.{table} WHERE user_key = {key}") for table in tables}

    def of_others(self, key: int) -> dict[str, str]:
        """Every row of everybody else, by table, as a count and a sum that tells rows apart."""
        return {table: self.marquee.sql(f"SELECT count(), sum(cityHash64(* EXCEPT ({left_out}))) FROM marquee.{table} FINAL WHERE user_key != {key}"
                                        if table in ("decisions", "user_days", "user_features") else
                                        f"SELECT count(), sum(cityHash64(* EXCEPT ({left_out}))) FROM marquee.{table} WHERE user_key != {key}")
                for table, left_out in (("events", "props"), ("user_features", "count"), ("decisions", "policy"), ("segment_users", "version"))}

    def letters(self) -> list[str]:
        return [one["text"] for one in self.marquee.api("/v1/dead-letters?limit=1000").json()["letters"]]

    def report(self, name: str, rest: str = "") -> Any:
        answer = self.marquee.api(f"/v1/reports/{name}?site={self.site.id}&last=30d{rest}", "GET")
        assert answer.status == 200, answer.body
        return answer.json()

    def clicks(self) -> dict[str, int]:
        return {row["keys"][0]: row["clicks"] for row in self.report("ctr", "&by=campaign_id")["rows"]}

    def erase(self, user: str) -> str:
        answer = self.marquee.api(f"/v1/users/{path_of(user)}?site={self.site.id}", "DELETE")
        assert answer.status == 202, answer.body
        assert answer.headers["location"] == "/v1/erasures/" + answer.json()["id"]
        return str(answer.json()["id"])

    def state(self, erasure: str) -> Any:
        answer = self.marquee.api("/v1/erasures/" + erasure)
        assert answer.status == 200, answer.body
        return answer.json()

    def done(self, erasure: str) -> Any:
        try:
            wait_until(lambda: self.state(erasure)["state"] == "done", 240, "the erasure")
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.state(erasure)}") from error
        return self.state(erasure)


def lived(marquee: Marquee) -> Life:
    life = Life(marquee)
    marquee.sql(STRICT)
    for user in [ANA, *OTHERS]:
        life.live(user)
    made = marquee.api("/v1/segments", "POST", {"site": life.site.id, "title": "Keen", "definition":
                                                {"kind": "rule", "rule": {"types": ["course_view"]}}})
    assert made.status == 201, made.body
    life.landed()
    marquee.sql("ALTER TABLE marquee.events DROP COLUMN strict")
    marquee.api(f"/v1/segments/{made.json()['id']}/refresh", "POST")
    wait_until(lambda: marquee.count("SELECT uniqExact(user_key) FROM marquee.segment_users") == 1 + len(OTHERS), 30, "the segment")
    wait_until(lambda: marquee.count(f"SELECT uniqExact(user_key) FROM marquee.decisions WHERE site_id = '{life.site.id}' AND user_key != 0")
               == 1 + len(OTHERS), 30, "the decisions")
    wait_until(lambda: life.export(ANA)["profile"], 30, "the profile")
    return life


class Erasure(unittest.TestCase):
    def assert_gone(self, life: Life, key: int) -> None:
        self.assertEqual(set(life.rows_of(key).values()), {0}, life.rows_of(key))
        known = life.export(ANA)
        self.assertEqual([known[what] for what in ("events", "profile", "segments", "interests_by_day", "decisions", "not_loaded", "erasures")],
                         [[], None, [], [], [], [], []])
        self.assertEqual(rollup_differences(life.marquee), [])

    def assert_no_bytes(self, marquee: Marquee, key: int, but: tuple[str, ...] = ()) -> None:
        found = places_of(marquee.data_dir, {**forms(key), "id": ANA.encode()})
        left = {form: [name for name in names if not name.startswith(but)] if but else names for form, names in found.items()}
        self.assertEqual({form: names for form, names in left.items() if names}, {})

    def test_nothing_of_the_user_is_left_and_everything_of_others(self) -> None:
        with Marquee({"MARQUEE_PROFILES_SNAPSHOT": "1s"}) as marquee:
            life = lived(marquee)
            key = life.key(ANA)
            before, clicks = life.of_others(key), life.clicks()
            self.assertEqual(clicks, {"law": 1 + len(OTHERS), "art": 3 * (1 + len(OTHERS))})
            self.assertEqual(len(life.letters()), 1 + len(OTHERS))
            rows = life.rows_of(key)
            for table in ("events", "user_days", "user_features", "decisions", "segment_users"):
                self.assertGreater(rows[table], 0, rows)
            # The search can fail: before, the key is in the log, in the decisions' log and in the store, in the forms that these have.
            # Only once the disk has it: profiles' snapshot, and the parts of tables.
            found = places_of(marquee.data_dir, forms(key))
            for form, place in (("varint", "log/"), ("little", "decisions/log/"), ("little", "store/")):
                self.assertTrue([name for name in found[form] if name.startswith(place)], (form, place, found))

            done = marquee.run("erase", "--site", life.site.id, ANA, "--format", "json")
            receipt = json.loads(done.stdout)
            self.assertEqual(receipt["state"], "done")
            self.assertEqual(receipt["parts_done"], receipt["parts_total"])
            self.assertEqual({what: receipt["receipt"][what] for what in ("events", "decisions", "dead_letters", "profiles", "segment_users",
                                                                          "days_rebuilt")},
                             {"events": rows["events"], "decisions": rows["decisions"], "dead_letters": 1, "profiles": 1,
                              "segment_users": rows["segment_users"], "days_rebuilt": 3})
            self.assertGreater(receipt["receipt"]["bytes_rewritten"], 0)
            self.assertGreater(receipt["receipt"]["log_records"], rows["events"])  # The poison as well.
            text = json.dumps(receipt)
            for form, as_bytes in {**forms(key), "id": ANA.encode()}.items():
                if form not in ("little", "big", "varint"):
                    self.assertNotIn(as_bytes.decode(), text)

            self.assert_gone(life, key)
            self.assertEqual(life.of_others(key), before)
            self.assertEqual(life.clicks(), {"law": len(OTHERS), "art": 3 * len(OTHERS)})
            self.assertEqual(len(life.letters()), len(OTHERS))
            self.assert_no_bytes(marquee, key)
            # Nor after everything was read again, and with the process's last files.
            marquee.kill()
            self.assert_no_bytes(marquee, key)
            pathlib.Path(marquee.data_dir, "profiles", "snapshot").unlink()
            marquee.start()
            wait_until(lambda: life.site.ad(user_id=OTHERS[0], **FULL).get("because") not in ("unknown_slot", "not_ready"), 30, "deciding")
            life.landed()
            self.assert_gone(life, key)
            self.assertTrue(life.export(OTHERS[0])["profile"])
            self.assertEqual(life.of_others(key)["events"], before["events"])
            self.assertEqual(marquee.api("/v1/erasures").json()["erasures"][0]["id"], receipt["id"])
            marquee.stop()
            self.assert_no_bytes(marquee, key)

    def test_goes_on_after_kill_9_at_any_moment_and_who_comes_back_is_someone_new(self) -> None:
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        with Marquee({"MARQUEE_PROFILES_SNAPSHOT": "1s"}) as marquee, self.subTest(seed=seed):
            life = lived(marquee)
            key = life.key(ANA)
            before = life.of_others(key)
            rows = life.rows_of(key)
            erasure = life.erase(ANA)
            back = [life.event(ANA, type="page_view", page_id="back"), life.event(ANA, search_query="Sculpture")]
            life.send(*back)
            cut_off = 0
            while life.state(erasure)["state"] != "done":
                time.sleep(moments.uniform(0, 1.6))
                if cut_off < 8:
                    cut_off += life.state(erasure)["state"] != "done"
                    marquee.kill()
                    marquee.start()
            self.assertGreater(cut_off, 1)
            state = life.done(erasure)
            self.assertEqual(state["receipt"]["events"], rows["events"], state)
            self.assertEqual(state["receipt"]["decisions"], rows["decisions"], state)
            life.landed()
            known = life.export(ANA)
            self.assertEqual([event.get("page_id", event.get("search_query")) for event in known["events"]], ["back", "Sculpture"])
            self.assertEqual(known["decisions"], [])
            self.assertEqual(known["not_loaded"], [])
            self.assertEqual([one["value"] for one in known["interests_by_day"]], ["sculpture"])
            # What came before the profile was forgotten may be missing from it, not what comes now; and nothing of before is in it.
            life.send(life.event(ANA, search_query="Sculpture"))
            life.landed()
            profile = wait_until(lambda: life.export(ANA)["profile"], 20, "the new profile")
            self.assertEqual({word["name"] for word in profile["words"]}, {"sculpture"})
            self.assertEqual(profile["courses"], [])
            self.assertEqual(life.of_others(key)["events"], before["events"])
            self.assertEqual(life.of_others(key)["decisions"], before["decisions"])
            self.assertEqual(rollup_differences(marquee), [])
            # Once more, with what came back: then there is nothing.
            life.done(life.erase(ANA))
            self.assert_gone(life, key)
            self.assert_no_bytes(marquee, key)

    def test_wrong_questions_are_refused_and_names_of_nobody_are_erased_like_others(self) -> None:
        with Marquee() as marquee:
            life = Life(marquee)
            self.assertEqual(marquee.api("/v1/users/x?site=nowhere", "DELETE").status, 400)
            self.assertEqual(marquee.api("/v1/users/x/export?site=nowhere").status, 400)
            self.assertEqual(marquee.api("/v1/erasures/0123456789abcdef").status, 404)
            self.assertEqual(marquee.api("/v1/erasures?limit=0").status, 400)
            for path, method in ((f"/v1/users/x?site={life.site.id}", "DELETE"), (f"/v1/users/x/export?site={life.site.id}", "GET"),
                                 ("/v1/erasures", "GET"), ("/v1/erasures/x", "GET")):
                self.assertEqual(request(marquee.url + path, method).status, 401, path)
            receipt = life.done(life.erase("never seen"))["receipt"]
            self.assertEqual((receipt["events"], receipt["decisions"], receipt["dead_letters"], receipt["profiles"]), (0, 0, 0, 0))


class Export(unittest.TestCase):
    def test_tells_all_that_is_known_and_nothing_of_others(self) -> None:
        with Marquee({"MARQUEE_PROFILES_SNAPSHOT": "1s"}) as marquee:
            life = lived(marquee)
            known = json.loads(marquee.run("export", "--site", life.site.id, "--user", ANA).stdout)
            self.assertEqual(len(known["events"]), life.rows_of(life.key(ANA))["events"])
            self.assertEqual({event["event_type"] for event in known["events"]},
                             {"page_view", "course_view", "search", "impression", "hover", "click"})
            self.assertEqual([segment["title"] for segment in known["segments"]], ["Keen"])
            self.assertIn("data", {word["name"] for word in known["profile"]["words"]})
            self.assertEqual({one["campaign_id"] for one in known["decisions"]}, {"law"})
            self.assertEqual([letter["event"]["search_query"] for letter in known["not_loaded"]], ["poison"])
            self.assertIn({"day": time.strftime("%Y-%m-%d", time.gmtime()), "feature": "course", "value": "c1", "count": "1"},
                          known["interests_by_day"])
            text = json.dumps(known)
            for other in OTHERS:
                self.assertNotIn(f"{life.key(other):016x}", text)


class Consent(unittest.TestCase):
    def test_after_consent_is_withdrawn_nothing_of_the_user_is_written_and_the_raw_id_never_is(self) -> None:
        with Marquee() as marquee:
            life = Life(marquee)
            life.send(life.event(ANA))
            life.landed()
            key = life.key(ANA)
            self.assertEqual(life.rows_of(key)["events"], 1)
            for consent in ("denied", "contextual", False):
                life.send(life.event(ANA, consent=consent, college_id="ana's college", search_query="ana's words", city="ana's city"))
                life.site.ad(user_id=ANA, consent=consent if isinstance(consent, str) else "denied", age=21)
            life.landed()
            wait_until(lambda: marquee.count(f"SELECT count() FROM marquee.decisions WHERE site_id = '{life.site.id}' AND user_key = 0") > 0, 20,
                       "the decisions")
            self.assertEqual(life.rows_of(key)["events"], 1)
            self.assertEqual(life.rows_of(key)["decisions"], 0)
            denied = list(marquee.rows(f"SELECT user_key, college_id, search_query, city, toJSONString(props) FROM marquee.events WHERE site_id = "
                                       f"'{life.site.id}' AND consent = 'denied'"))
            self.assertEqual(denied, [["0", "", "", "", "{}"]] * 2)
            sessions = marquee.count(f"SELECT uniqExact(session_id) FROM marquee.events WHERE site_id = '{life.site.id}' AND consent IN "
                                     "('denied', 'full')")
            self.assertEqual(sessions, 2)  # What is denied is of a session of that day alone, and of none of before.
            self.assertEqual(places_of(marquee.data_dir, {"id": ANA.encode()}), {"id": []})
            marquee.stop()
            self.assertEqual(places_of(marquee.data_dir, {"id": ANA.encode()}), {"id": []})


class OnKafka(unittest.TestCase):
    def test_is_refused_with_the_reason_and_what_is_known_is_told_all_the_same(self) -> None:
        with Cluster() as cluster, KafkaMarquee(cluster) as marquee:
            refused = marquee.api("/v1/users/ana?site=campus", "DELETE")
            self.assertEqual(refused.status, 501, refused.body)
            self.assertIn("retention", refused.json()["error"]["message"])
            done = marquee.run("erase", "ana", check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("Kafka", done.stderr)
            self.assertEqual(marquee.api("/v1/erasures").json(), {"erasures": []})
            self.assertEqual(marquee.api("/v1/users/ana/export?site=campus").json()["events"], [])


class Retention(unittest.TestCase):
    def test_terms_that_cannot_hold_are_refused_at_the_start(self) -> None:
        for terms, why in (({"MARQUEE_RETENTION_KINDS": "hover=5"}, "collector.max_event_age"), ({"MARQUEE_RETENTION_EVENTS": "12h"}, "whole days"),
                           ({"MARQUEE_RETENTION_KINDS": "hovers=50"}, "no type of events")):
            marquee = Marquee(terms)
            with self.assertRaisesRegex(AssertionError, why):
                marquee.start()
            marquee.__exit__()

    def test_each_kind_goes_in_its_time_by_the_terms_of_the_latest_start_which_doctor_shows(self) -> None:
        with Marquee({"MARQUEE_RETENTION_EVENTS": "400d", "MARQUEE_RETENTION_KINDS": "hover=31,scroll=40"}) as marquee:
            marquee.sql("INSERT INTO marquee.events_in (site_id, session_id, seq, event_type, user_key, event_time, received_time, slot_id) SELECT "
                        "'campus', number, 1, ['hover', 'scroll', 'click'][number % 3 + 1], 7, now64(3) - toIntervalDay([1, 35, 50, 500][intDiv(number, 3) + 1]), "
                        "now64(3), 'top' FROM numbers(12)")
            marquee.sql("OPTIMIZE TABLE marquee.events FINAL")
            left = list(marquee.rows("SELECT dateDiff('day', event_time, now64(3)) AS age, arraySort(groupArray(event_type::String)) FROM marquee.events "
                                     "GROUP BY age ORDER BY age"))
            self.assertEqual(left, [["1", "['click','hover','scroll']"], ["35", "['click','scroll']"], ["50", "['click']"]])
            shown = marquee.run("doctor").stdout
            self.assertIn("toIntervalDay(31) WHERE event_type = 'hover'", shown)
            marquee.stop()
            marquee.environment |= {"MARQUEE_RETENTION_KINDS": "", "MARQUEE_RETENTION_EVENTS": "45d"}
            marquee.start()
            self.assertNotIn("hover", marquee.run("doctor").stdout)
            marquee.sql("OPTIMIZE TABLE marquee.events FINAL")
            self.assertEqual(marquee.count("SELECT count() FROM marquee.events WHERE event_time < now64(3) - toIntervalDay(46)"), 0)
            self.assertGreater(marquee.count("SELECT count() FROM marquee.events"), 0)


if __name__ == "__main__":
    unittest.main()
