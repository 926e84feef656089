"""Profiles of two deciders over Kafka: each knows what users did, also after kill -9, and forgets whom anybody was told to forget.

    python3 -m unittest -v tests.faults.test_decider_profiles
"""

from __future__ import annotations

import json
import pathlib
import time
import unittest
import urllib.parse
from typing import Any

from tests.support.deciders import FULL, AdSite, campaign
from tests.support.kafka import Cluster, KafkaMarquee, Role
from tests.support.marquee import request, wait_until

CLUSTER: Cluster
MARQUEE: KafkaMarquee


def setUpModule() -> None:
    global CLUSTER, MARQUEE
    CLUSTER = Cluster().__enter__()
    MARQUEE = KafkaMarquee(CLUSTER, {"MARQUEE_PROFILES_SNAPSHOT": "1s"}, deciders=2).__enter__()


def tearDownModule() -> None:
    MARQUEE.__exit__(None, None, None)
    CLUSTER.__exit__()


class ProfiledSite:
    """Its sponsor is for who searched for science; everyone else is shown what is open."""

    def __init__(self, **aimed: Any) -> None:
        targeting = {"field": "interest", "in": ["word:science"]}
        self.ads = AdSite(MARQUEE, [one.url for one in MARQUEE.deciders], campaign("open"),
                          campaign("aimed", tier="sponsorship", targeting=targeting, **aimed))
        self._seq = 0

    def search(self, user: str) -> None:
        """At the collector."""
        self._seq += 1
        event = {"type": "search", "session_id": "s-" + user, "seq": self._seq, "user_id": user, "search_query": "Data science", **FULL}

        def is_taken() -> bool:  # A collector hears of a new key a moment later.
            answer = request(MARQUEE.collectors[0].url + "/v1/events", "POST", json.dumps([event]).encode(),
                             {"Authorization": "Bearer " + self.ads.key})
            assert answer.status in (200, 403), answer.body
            return answer.status == 200 and answer.json()["accepted"] == 1
        wait_until(is_taken, 20, "the collector to take the search")

    def knows(self, decider: Role, user: str, **fields: Any) -> bool:
        ad = self.ads.ask(decider.url, user_id=user, **{**FULL, **fields})["ad"]
        return ad is not None and ad["campaign_id"] == "aimed"

    def erase(self, user: str) -> None:
        answer = MARQUEE.api(f"/v1/profiles/{urllib.parse.quote(user, safe='')}?site={self.ads.id}", "DELETE")
        assert answer.status == 204, answer.body


def profiles_of(decider: Role) -> pathlib.Path:
    """The directory in which it keeps them: in the place that it has locked."""
    assert decider.process is not None
    for link in pathlib.Path(f"/proc/{decider.process.pid}/fd").iterdir():
        try:
            target = link.readlink()
        except OSError:
            continue
        if target.name == "lock" and target.parent.parent.parent.name == "deciders":
            return target.parent / "profiles"
    raise AssertionError("it has no place")


class DeciderProfiles(unittest.TestCase):
    def test_an_event_at_a_collector_is_in_the_next_decision_of_each_within_a_second(self) -> None:
        site = ProfiledSite()
        took = []
        for number in range(8):  # The quickest counts: a busy machine may hold up any one of them.
            user = f"u{number}"
            self.assertFalse(any(site.knows(one, user) for one in MARQUEE.deciders))
            began = time.monotonic()
            site.search(user)
            wait_until(lambda user=user: all(site.knows(one, user) for one in MARQUEE.deciders), 20, "both to know", 0.005)
            took.append(time.monotonic() - began)
        self.assertLess(min(took), 1, took)
        print(f"both deciders know after {min(took) * 1000:.0f} to {max(took) * 1000:.0f} ms")
        for fields in ({"age": 17}, {"age": None}, {"consent": "contextual"}, {"consent": "denied"}):
            self.assertFalse(any(site.knows(one, "u0", **fields) for one in MARQUEE.deciders), fields)

    def test_a_live_segment_holds_at_each_within_a_second_of_the_event(self) -> None:
        site = ProfiledSite()
        made = MARQUEE.api("/v1/segments", "POST", {"site": site.ads.id, "title": "Keen", "definition": {
            "kind": "live", "rule": {"all": [{"profile": "word:science", "at_least": 1.5}, {"profile": "visits"}]}}})
        self.assertEqual(made.status, 201, made.body)
        site.ads.put(campaign("aimed", tier="sponsorship", targeting={"field": "segment", "in": [made.json()["id"]]}))

        def search_until_keen(user: str) -> float:
            site.search(user)
            wait_until(lambda: not any(site.knows(one, user) for one in MARQUEE.deciders), 20, "once to be too little")
            began = time.monotonic()
            site.search(user)
            wait_until(lambda: all(site.knows(one, user) for one in MARQUEE.deciders), 20, "both to know", 0.005)
            return time.monotonic() - began
        took = [search_until_keen(f"u{number}") for number in range(8)]
        self.assertLess(min(took[1:]), 1, took)  # The first waits for the segment, too.

    def test_one_that_was_killed_knows_what_it_knew_when_it_is_ready(self) -> None:
        site = ProfiledSite()
        site.search("u")
        first, second = MARQUEE.deciders
        wait_until(lambda: site.knows(first, "u") and site.knows(second, "u"), 20, "both to know")
        snapshot = profiles_of(first) / "snapshot"
        wait_until(snapshot.exists, 20, "a snapshot")
        for keeps_snapshots in (True, False):  # From a snapshot and the log after it; from the log alone.
            first.kill()
            if not keeps_snapshots:
                second.kill()
                for path in snapshot.parent.parent.parent.glob("*/profiles/snapshot"):
                    path.unlink()
                second.start()
            site.search("meanwhile")
            first.start()
            site.ads.wait_served(first.url)
            self.assertTrue(site.knows(first, "u"), keeps_snapshots)
            self.assertTrue(site.knows(first, "meanwhile"), keeps_snapshots)
            site.ads.urls = [first.url, second.url]

    def test_who_is_erased_is_erased_everywhere_and_for_good(self) -> None:
        site = ProfiledSite(caps=[{"scope": "campaign", "count": 1, "window": "1h"}])
        first, second = MARQUEE.deciders
        users = ("erased by api", "erased/by command", "stays")
        for user in users:  # Each sees what is for them as often as they may.
            site.search(user)
            wait_until(lambda user=user: self._is_shown(site, first, user), 20, "the ad to be shown")
            wait_until(lambda user=user: not site.knows(second, user), 20, "the other to have counted it")
        first.kill()  # It is away while they are erased, with a snapshot and counts of before.
        site.erase(users[0])
        MARQUEE.run("profiles", "erase", "--site", site.ads.id, users[1])
        first.start()
        site.ads.wait_served(first.url)
        self.assertFalse(any(site.knows(first, user) for user in users))
        # Caps forget as well: who searches again is someone new, who may see it again; who stays has seen it.
        for user in users:
            site.search(user)
        for decider, user in zip((first, second), users, strict=False):
            wait_until(lambda decider=decider, user=user: self._is_shown(site, decider, user), 20, "someone new to be known")
            self.assertFalse(self._is_shown(site, decider, users[2]))

    def test_who_is_erased_stays_so_when_all_is_read_again_and_who_comes_again_stays_known(self) -> None:
        site = ProfiledSite()
        for user in ("gone", "again", "stays"):
            site.search(user)
            wait_until(lambda user=user: all(site.knows(one, user) for one in MARQUEE.deciders), 20, "the search")
        site.erase("gone")
        site.erase("again")
        wait_until(lambda: not any(site.knows(one, user) for one in MARQUEE.deciders for user in ("gone", "again")), 20, "both to forget")
        site.search("again")
        wait_until(lambda: all(site.knows(one, "again") for one in MARQUEE.deciders), 20, "both to know who comes again")
        places = profiles_of(MARQUEE.deciders[0]).parent.parent
        for keeps_snapshots in (True, False):
            for one in MARQUEE.deciders:
                one.kill()
            if not keeps_snapshots:
                for path in places.glob("*/profiles/snapshot"):
                    path.unlink()
            for one in MARQUEE.deciders:
                one.start()
                site.ads.wait_served(one.url)
                self.assertEqual([site.knows(one, user) for user in ("gone", "again", "stays")], [False, True, True], keeps_snapshots)

    @staticmethod
    def _is_shown(site: ProfiledSite, decider: Role, user: str) -> bool:
        one = site.ads.ask(decider.url, user_id=user, **FULL)
        if one["ad"] is None or one["ad"]["campaign_id"] != "aimed":
            return False
        return site.ads.show(decider.url, one["impression_url"]).status == 200


if __name__ == "__main__":
    unittest.main()
