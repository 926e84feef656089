"""Profiles in `marquee serve`: what a user did is in the next decision, of adults who agree alone; it is back after kill -9, or made anew from the
store; and what is erased stays erased."""

from __future__ import annotations

import json
import pathlib
import shutil
import tempfile
import time
import unittest
from typing import Any

from tests.e2e import test_decisions as decisions
from tests.support.marquee import Marquee, request, wait_until


def setUpModule() -> None:
    decisions.MARQUEE = Marquee({"MARQUEE_PROFILES_SNAPSHOT": "1s", "MARQUEE_PROFILES_CLUSTERS": "1s"})
    decisions.MARQUEE.start()


def tearDownModule() -> None:
    decisions.MARQUEE.__exit__(None, None, None)


def metric(name: str, marquee: Marquee | None = None) -> float:
    lines = request((marquee or decisions.MARQUEE).url + "/metrics").body.decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name + " "))


def event(user: str, seq: int, **fields: Any) -> dict[str, Any]:
    return {"type": "search", "session_id": "s-" + user, "seq": seq, "user_id": user, "search_query": "Data science", **decisions.FULL, **fields}


def send(key: str, *events: dict[str, Any], marquee: Marquee | None = None) -> None:
    answer = request((marquee or decisions.MARQUEE).url + "/v1/events", "POST", json.dumps(events).encode(), {"Authorization": "Bearer " + key})
    assert answer.status == 200 and answer.json()["accepted"] == len(events), answer.body


AIMED = decisions.campaign("aimed", tier="sponsorship", targeting={"field": "interest", "in": ["word:science"]})


def of_user(site: decisions.Site, user: str, **fields: Any) -> str:
    """The campaign that the user is shown; nothing of it is counted, so it may be asked as often as one likes."""
    return str(site.ad(user_id=user, **{**decisions.FULL, **fields})["ad"]["campaign_id"])


def known(site: decisions.Site, user: str) -> dict[str, list[str]]:
    """What the log says was known of the user at a decision just now, but for the page's own."""
    answer = site.ask(["top"], user_id=user, **decisions.FULL)
    where = f"FROM marquee.decisions FINAL WHERE decision_id = '{answer['decision_id']}'"
    wait_until(lambda: decisions.MARQUEE.count(f"SELECT count() {where}"), 20, "the decision to land")
    context = json.loads(next(iter(decisions.MARQUEE.rows(f"SELECT toJSONString(context) {where}")))[0])
    return {field: sorted(values) for field, values in context.items() if field in ("interest", "seen_campaign", "seen_ad", "segment")}


def ready_again(site: decisions.Site) -> None:
    wait_until(lambda: site.ad().get("because") not in ("unknown_slot", "not_ready"), 20, "the engine to be ready")


class Profiles(unittest.TestCase):
    def test_a_search_or_a_click_is_in_the_next_decision_within_a_second(self) -> None:
        site = decisions.Site(AIMED, decisions.campaign("open", category="law"))
        took = []
        for number in range(8):  # The quickest counts: a busy machine may hold up any one of them.
            user = f"u{number}"
            self.assertEqual(of_user(site, user), "open")
            began = time.monotonic()
            send(site.key, event(user, 1))
            wait_until(lambda user=user: of_user(site, user) == "aimed", 20, "the search in a decision", 0.005)
            took.append(time.monotonic() - began)
        self.assertLess(min(took), 1, took)
        self.assertEqual(of_user(site, "someone else"), "open")
        before = known(site, "clicker")
        self.assertEqual(before, {})
        shown = site.ad(user_id="clicker", **decisions.FULL)
        decisions.get(shown["impression_url"])
        decisions.get(shown["click_url"])
        wait_until(lambda: "interest" in known(site, "clicker"), 20, "the click in a decision")
        after = known(site, "clicker")
        self.assertTrue(after["interest"][0].startswith("category:"), after)
        self.assertTrue(after["seen_ad"][0].endswith(":1") and after["seen_campaign"][0].endswith(":1"), after)

    def test_are_of_adults_who_agree_alone(self) -> None:
        site = decisions.Site(AIMED, decisions.campaign("open"))
        before = metric("marquee_profiles")
        send(site.key, event("young", 1, age=17), event("ageless", 1, age=None), event("contextual", 1, consent="contextual"),
             event("denied", 1, consent="denied"), event("unknown", 1, consent="unknown"), event("nobody", 1, user_id=None), event("text", 1, age="20"),
             event("changed", 1))
        wait_until(lambda: of_user(site, "changed") == "aimed", 20, "the one who may be known")
        for user in ("young", "ageless", "contextual", "denied", "unknown", "text"):
            self.assertEqual(of_user(site, user), "open", user)
        for fields in ({"age": 17}, {"age": None}, {"consent": "contextual"}, {"consent": "denied"}):
            self.assertEqual(of_user(site, "changed", **fields), "open", fields)
        wait_until(lambda: metric("marquee_profiles") == before + 1 and metric("marquee_profile_lag_events") == 0, 20, "one profile more")
        send(site.key, event("changed", 2, age=16))  # Who turns out to be young is forgotten.
        wait_until(lambda: of_user(site, "changed") == "open", 20, "the profile to go")

    def test_are_as_they_were_after_kill_9(self) -> None:
        site = decisions.Site(AIMED, decisions.campaign("open", 3, category="law"))
        for number in range(5):
            shown = site.ad(user_id=f"u{number}", **decisions.FULL)
            decisions.get(shown["impression_url"])
            decisions.get(shown["click_url"])
            send(site.key, event(f"u{number}", 1, search_query=f"law {number}"))
        users = [f"u{number}" for number in range(5)]
        wait_until(lambda: all(len(known(site, user).get("interest", [])) >= 2 for user in users), 20, "what they did")
        before = {user: known(site, user) for user in users}
        snapshot = pathlib.Path(decisions.MARQUEE.data_dir, "profiles", "snapshot")
        wait_until(snapshot.exists, 20, "a snapshot")
        for removed in (None, snapshot):  # From the snapshot and the log after it; from the log alone.
            decisions.MARQUEE.kill()
            if removed:
                removed.unlink()
            decisions.MARQUEE.start()
            ready_again(site)
            wait_until(lambda: metric("marquee_profiles") and metric("marquee_profile_lag_events") == 0, 20, "the log to be read")
            self.assertEqual({user: known(site, user) for user in users}, before, removed)

    def test_who_was_erased_stays_erased(self) -> None:
        site = decisions.Site(AIMED, decisions.campaign("open"))
        for user in ("a/b c", "by command", "stays"):
            send(site.key, event(user, 1))
            wait_until(lambda user=user: of_user(site, user) == "aimed", 20, "the search")
        refused = decisions.MARQUEE.api("/v1/profiles/x?site=nowhere", "DELETE")
        self.assertEqual(refused.status, 400, refused.body)
        self.assertEqual(request(f"{decisions.MARQUEE.url}/v1/profiles/x?site={site.id}", "DELETE").status, 401)
        self.assertEqual(decisions.MARQUEE.api(f"/v1/profiles/a%2Fb%20c?site={site.id}", "DELETE").status, 204)
        self.assertEqual(decisions.MARQUEE.api(f"/v1/profiles/never-seen?site={site.id}", "DELETE").status, 204)
        decisions.MARQUEE.run("profiles", "erase", "--site", site.id, "by command")

        def shown() -> list[str]:
            return [of_user(site, user) for user in ("a/b c", "by command", "stays")]
        self.assertEqual(shown(), ["open", "open", "aimed"])
        decisions.MARQUEE.kill()
        pathlib.Path(decisions.MARQUEE.data_dir, "profiles", "snapshot").unlink()  # All of the log is read again.
        decisions.MARQUEE.start()
        ready_again(site)
        wait_until(lambda: of_user(site, "stays") == "aimed" and metric("marquee_profile_lag_events") == 0, 20, "the log to be read")
        self.assertEqual(shown(), ["open", "open", "aimed"])
        send(site.key, event("by command", 2))
        wait_until(lambda: of_user(site, "by command") == "aimed", 20, "who comes again to be someone new")

    def test_a_segment_is_reached_by_targeting(self) -> None:
        site = decisions.Site(decisions.campaign("open"))
        send(site.key, event("keen", 1, type="course_view", course_id="c1"), event("other", 1))
        wait_until(lambda: site.count("1") == 2, 20, "the events to land")
        made = decisions.MARQUEE.api("/v1/segments", "POST", {"site": site.id, "title": "Keen", "definition":
                                     {"kind": "rule", "rule": {"types": ["course_view"]}}})
        self.assertEqual((made.status, made.json().get("size")), (201, 1), made.body)
        site.put(decisions.campaign("members", tier="sponsorship", targeting={"field": "segment", "in": [made.json()["id"]]}))
        wait_until(lambda: of_user(site, "keen") == "members", 20, "the segment in a decision")
        self.assertEqual(of_user(site, "other"), "open")
        self.assertEqual(of_user(site, "keen", age=17), "open")
        self.assertEqual(known(site, "keen")["segment"], [made.json()["id"]])

    def test_a_live_segment_holds_in_the_next_decision_within_a_second(self) -> None:
        site = decisions.Site(decisions.campaign("open"))
        rule = {"all": [{"profile": "word:science"}, {"profile": "last_seen", "within": "1d"}, {"not": {"profile": "word:law", "at_least": 2}}]}
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"kind": "live", "rule": rule}, file)
            file.flush()
            made = json.loads(decisions.MARQUEE.run("segments", "add", "--site", site.id, "--title", "Keen", "--definition", file.name,
                                                    "--format", "json").stdout)
        self.assertEqual((made["definition"]["rule"], made["size"], made["version"]), (rule, 0, 0))
        site.put(decisions.campaign("keen", tier="sponsorship", targeting={"field": "segment", "in": [made["id"]]}))
        send(site.key, event("ready", 1))
        wait_until(lambda: of_user(site, "ready") == "keen", 20, "the segment to be known")
        took = []
        for number in range(8):
            user = f"u{number}"
            self.assertEqual(of_user(site, user), "open")
            began = time.monotonic()
            send(site.key, event(user, 1))
            wait_until(lambda user=user: of_user(site, user) == "keen", 20, "the search in a decision", 0.005)
            took.append(time.monotonic() - began)
        self.assertLess(min(took), 1, took)
        self.assertEqual(known(site, "u0")["segment"], [made["id"]])
        for fields in ({"age": 17}, {"age": None}, {"consent": "contextual"}):
            self.assertEqual(of_user(site, "u0", **fields), "open", fields)
        send(site.key, event("u0", 2, search_query="law"), event("u0", 3, search_query="law"))
        wait_until(lambda: of_user(site, "u0") == "open", 20, "who looks for law to be out of it")
        self._change_live(site, made)

    def _change_live(self, site: decisions.Site, made: dict[str, Any]) -> None:
        """A change holds, a mistake is refused with its place, reports say that they have no users of it."""
        path = f"/v1/segments/{made['id']}"
        listed = decisions.MARQUEE.api(f"/v1/segments?site={site.id}").json()["segments"]
        self.assertEqual([one["id"] for one in listed], [made["id"]])
        wrong = {"site": site.id, "title": "Keen", "definition": {"kind": "live", "rule": {"all": [{"profile": "clicks", "days": 9}]}}}
        refused = decisions.MARQUEE.api(path, "PUT", wrong)
        self.assertEqual((refused.status, refused.json()["error"]["message"]),
                         (400, "definition: rule.all[0].days: expected a whole number from 1 to 7"))
        report = decisions.MARQUEE.api(f"/v1/reports/ctr?site={site.id}&filter=segment%3D{made['id']}")
        self.assertEqual(report.status, 400)
        self.assertIn("a live one is for targeting alone", report.json()["error"]["message"])
        self.assertEqual(decisions.MARQUEE.api(path + "/refresh", "POST", {}).status, 200)
        changed = decisions.MARQUEE.api(path, "PUT", {**wrong, "definition": {"kind": "live", "rule": {"profile": "word:law"}}})
        self.assertEqual(changed.status, 200, changed.body)
        wait_until(lambda: (of_user(site, "u0"), of_user(site, "u1")) == ("keen", "open"), 20, "the change to hold")
        self.assertEqual(decisions.MARQUEE.api(path, "DELETE").status, 204)
        wait_until(lambda: of_user(site, "u0") == "open", 20, "the segment to go")

    def test_users_of_like_interests_are_a_segment_with_a_name(self) -> None:
        site = decisions.Site(decisions.campaign("open"))
        for category in ("astronomy", "botany"):
            send(site.key, *[event(f"{category}-{number}", seq, type="course_view", course_id=f"{category}-{seq}", category=category)
                             for number in range(40) for seq in (1, 2, 3)])

        def clusters() -> dict[str, int]:
            return {one["segment"]: one["users"] for one in decisions.MARQUEE.api("/v1/clusters").json()["clusters"]}
        wait_until(lambda: {"cluster:astronomy", "cluster:botany"} <= clusters().keys(), 30, "both clusters")
        self.assertEqual((clusters()["cluster:astronomy"], clusters()["cluster:botany"]), (40, 40))
        self.assertIn("cluster:botany", decisions.MARQUEE.run("profiles", "clusters").stdout)
        site.put(decisions.campaign("stars", tier="sponsorship", targeting={"field": "segment", "in": ["cluster:astronomy"]}))
        wait_until(lambda: of_user(site, "astronomy-3") == "stars", 20, "the cluster in a decision")
        self.assertEqual(of_user(site, "botany-3"), "open")
        send(site.key, event("new", 1, type="course_view", course_id="astronomy-1", category="astronomy"))
        wait_until(lambda: of_user(site, "new") == "stars", 20, "who is new to be in it")

    def test_are_made_from_the_store_where_the_log_keeps_the_events_no_longer(self) -> None:
        with Marquee({"MARQUEE_LOG_KEEP_CONFIRMED": "1s"}) as marquee:
            key = marquee.runtime["write_keys"]["campus"]
            send(key, *[event(f"u{user}", 1) for user in range(30)], event("young", 1, age=17), event("text", 1, age="20"), marquee=marquee)
            wait_until(lambda: metric("marquee_profiles", marquee) == 30, 20, "the profiles")
            wait_until(lambda: marquee.count("SELECT count() FROM marquee.events") == 32, 20, "the events")

            def kept() -> int:
                return sum(part["end"] - part["begin"] for part in marquee.api("/v1/status").json()["log"]["partitions"])
            self.assertGreater(kept(), 0)
            wait_until(lambda: kept() == 0, 60, "the log to let go of them")
            marquee.stop()
            shutil.rmtree(pathlib.Path(marquee.data_dir, "profiles"))
            marquee.start()
            wait_until(lambda: metric("marquee_profiles", marquee) == 30, 20, "the profiles again")
            send(key, event("another", 1), marquee=marquee)
            wait_until(lambda: metric("marquee_profiles", marquee) == 31, 20, "what comes now")


if __name__ == "__main__":
    unittest.main()
