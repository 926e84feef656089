"""Ads as a page gets them: campaigns through the catalog's API, a decision, its impression, its click, and what reports count of it."""

from __future__ import annotations

import collections
import concurrent.futures
import json
import math
import unittest
import uuid
from typing import Any

from tests.support.marquee import Answer, Marquee, request, wait_until

MARQUEE: Marquee
FULL = {"consent": "full", "age": 21}
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"}


def setUpModule() -> None:
    global MARQUEE
    MARQUEE = Marquee()
    MARQUEE.start()


def tearDownModule() -> None:
    MARQUEE.__exit__(None, None, None)


def campaign(identifier: str, ads: int = 1, **members: Any) -> dict[str, Any]:
    return {"id": identifier, "name": identifier, "status": "active", "pacing": "none",
            "ads": [{"id": f"{identifier}-{i}", "name": f"{identifier} {i}",
                     "creative": {"kind": "card", "landing_url": f"https://campus.example/{identifier}/{i}",
                                  "fields": {"title": f"{identifier} {i}"}}} for i in range(ads)], **members}


class Site:
    """A site of its own, so that one test's campaigns are not another's."""

    def __init__(self, *campaigns: dict[str, Any], slots: tuple[str, ...] = ("top", "side")) -> None:
        self.id = "s" + uuid.uuid4().hex[:12]
        self.send("POST", "/v1/sites", {"id": self.id, "name": self.id})
        self.key = self.send("POST", f"/v1/sites/{self.id}/keys", {}).json()["key"]
        for one in campaigns:
            self.put(one)
        # The engine takes over all that the catalog has at a moment: once it knows the last slot, it knows the rest.
        for slot in slots:
            self.send("PUT", f"/v1/slots/{slot}?site={self.id}", {"id": slot, "name": slot})
        wait_until(lambda: self.ask([slots[-1]])["placements"][0].get("because") != "unknown_slot", 10, "the campaigns to be served")

    @staticmethod
    def send(method: str, path: str, body: Any) -> Answer:
        answer = MARQUEE.api(path, method, body)
        assert answer.status in (200, 201), f"{method} {path}: {answer.status} {answer.body!r}"
        return answer

    def put(self, one: dict[str, Any]) -> None:
        self.send("PUT", f"/v1/campaigns/{one['id']}?site={self.id}", one)

    def post(self, slots: list[str], **fields: Any) -> Answer:
        body = {"placements": [{"slot_id": slot} for slot in slots], **fields}
        return request(MARQUEE.url + "/v1/decisions", "POST", json.dumps(body).encode(),
                       {"Authorization": "Bearer " + self.key, **BROWSER})

    def ask(self, slots: list[str], **fields: Any) -> Any:
        answer = self.post(slots, **fields)
        assert answer.status == 200, answer.body
        return answer.json()

    def ad(self, **fields: Any) -> Any:
        return self.ask(["top"], **fields)["placements"][0]

    def count(self, what: str) -> int:
        return MARQUEE.count(f"SELECT count() FROM marquee.events WHERE site_id = '{self.id}' AND {what}")


def get(path: str, **headers: str) -> Answer:
    return request(MARQUEE.url + path, "GET", None, {**BROWSER, **headers})


def outcomes(kind: str) -> dict[str, float]:
    found: dict[str, float] = collections.defaultdict(float)
    for line in request(MARQUEE.url + "/metrics").body.decode().splitlines():
        if line.startswith("marquee_served_events_total{") and f'type="{kind}"' in line:
            found[line.split('outcome="')[1].split('"')[0]] = float(line.rsplit(" ", 1)[1])
    return found


class Serving(unittest.TestCase):
    def test_an_ad_is_decided_shown_clicked_and_counted_once(self) -> None:
        site = Site(campaign("law", 2, bid_micros=2_500_000))
        answer = site.ask(["top", "side"], user_id="u1", page_id="home", query="Law school", **FULL)
        self.assertTrue(answer["personal"])
        first, second = answer["placements"]
        self.assertEqual({first["ad"]["id"], second["ad"]["id"]}, {"law-0", "law-1"})
        self.assertEqual((first["propensity"], second["propensity"]), (0.5, 1.0))
        self.assertIn("title", first["ad"]["creative"]["fields"])
        for _ in range(3):
            shown = get(first["impression_url"])
            self.assertEqual((shown.status, shown.headers["content-type"]), (200, "image/gif"))
            clicked = get(first["click_url"])
            self.assertEqual((clicked.status, clicked.headers["location"]),
                             (302, "https://campus.example/" + first["ad"]["id"].replace("-", "/")))
        def reported() -> list[tuple[int, int]]:
            rows = MARQUEE.api(f"/v1/reports/ctr?site={site.id}&last=1h&by=ad_id").json()["rows"]
            return [(row["impressions"], row["clicks"]) for row in rows]
        wait_until(lambda: any(clicks for _, clicks in reported()) and site.count("1") >= 2, 20, "the click")
        self.assertEqual(reported(), [(1, 1)])
        columns = "event_type, decision_id, ad_id, campaign_id, slot_id, policy, propensity, value, page_id, position, user_key != 0"
        rows = list(MARQUEE.rows(f"SELECT {columns} FROM marquee.events WHERE site_id = '{site.id}' ORDER BY event_type"))
        same = [answer["decision_id"], first["ad"]["id"], "law", "top", answer["policy"].rsplit("-", 1)[0], "0.5"]
        self.assertEqual(rows, [["impression", *same, "0.0025", "home", "1", "1"], ["click", *same, "0", "home", "1", "1"]])
        # What was decided lands beside what came of it.
        decided = f"FROM marquee.decisions FINAL WHERE site_id = '{site.id}' AND decision_id = '{answer['decision_id']}'"
        wait_until(lambda: MARQUEE.count(f"SELECT count() {decided}") == 2, 20, "the decision")
        rows = list(MARQUEE.rows(f"SELECT ad_id, propensity, length(candidate_ads), arraySum(candidate_propensities), context['search_term'] "
                                 f"{decided} ORDER BY placement"))
        self.assertEqual(rows, [[first["ad"]["id"], "0.5", "2", "1", "['law','school']"], [second["ad"]["id"], "1", "1", "1", "['law','school']"]])

    def test_what_is_forged_late_or_of_a_bot_is_answered_and_not_counted(self) -> None:
        site = Site(campaign("law"))
        before = outcomes("impression"), outcomes("click")
        one = site.ad()
        token = one["impression_url"].rsplit("/", 1)[1]
        changed = token[:40] + ("A" if token[40] != "A" else "B") + token[41:]
        for forged in ("x", changed, one["click_url"].rsplit("/", 1)[1]):
            self.assertEqual(get("/v1/impression/" + forged).status, 200)
        self.assertEqual(get("/v1/click/" + token).status, 404)
        self.assertEqual(get(one["impression_url"], **{"User-Agent": "Googlebot/2.1"}).status, 200)
        self.assertEqual(get(one["click_url"]).headers["location"], "https://campus.example/law/0")  # Without its impression.
        after = outcomes("impression"), outcomes("click")
        self.assertEqual(after[0]["forged"] - before[0]["forged"], 3)
        self.assertEqual(after[0]["bot"] - before[0]["bot"], 1)
        self.assertEqual(after[1]["forged"] - before[1]["forged"], 1)
        self.assertEqual(after[1]["no_impression"] - before[1]["no_impression"], 1)
        # What is sent as an event with the same decision is an event like any other, and spends nothing.
        self.assertEqual(get(one["impression_url"]).status, 200)
        wait_until(lambda: site.count("event_type = 'impression'"), 20, "the one that counts")
        self.assertEqual(site.count("1"), 1)

    def test_minors_and_who_has_not_consented_are_answered_from_context(self) -> None:
        to_students = {"field": "college", "in": ["law"]}
        site = Site(campaign("open"), campaign("students", tier="sponsorship", targeting=to_students),
                    campaign("page", tier="sponsorship", targeting={"field": "page", "in": ["exam"]}))
        who = {"user_id": "u1", "session_id": "s1", "college_id": "law", "city": "Pune"}
        self.assertEqual(site.ad(**who, **FULL)["ad"]["campaign_id"], "students")
        for permission in ({}, {"consent": "full"}, {"consent": "full", "age": 17}, {"age": 21}, {"consent": "denied", "age": 21},
                           {"consent": "contextual", "age": 21}):
            answer = site.ask(["top"], **who, **permission)
            self.assertEqual((answer["personal"], answer["placements"][0]["ad"]["campaign_id"]), (False, "open"), permission)
            self.assertEqual(site.ad(page_id="exam", **who, **permission)["ad"]["campaign_id"], "page", permission)
            self.assertEqual(get(answer["placements"][0]["impression_url"]).status, 200)
        wait_until(lambda: site.count("event_type = 'impression'") == 6, 20, "impressions")
        self.assertEqual(site.count("user_key != 0 OR session_id != 0 OR college_id != '' OR city != ''"), 0)
        wait_until(lambda: MARQUEE.count(f"SELECT count() FROM marquee.decisions FINAL WHERE site_id = '{site.id}' AND NOT mapContains(context, "
                                         f"'college') AND ad_id = 'page-0'") == 6, 20, "decisions")
        self.assertEqual(MARQUEE.count(f"SELECT countIf(user_key != 0) FROM marquee.decisions WHERE site_id = '{site.id}' AND NOT mapContains("
                                       "context, 'college')"), 0)

    def test_a_change_in_the_catalog_is_served_at_once(self) -> None:
        site = Site(campaign("law"))
        self.assertEqual(site.ad()["ad"]["id"], "law-0")
        site.put(campaign("law", status="paused"))
        wait_until(lambda: site.ad()["ad"] is None, 2, "the pause")
        self.assertEqual(site.ad()["because"], "no_candidate")
        site.put(campaign("law"))
        wait_until(lambda: site.ad()["ad"], 2, "the end of the pause")

    def test_frequencies_are_the_propensities_that_are_logged(self) -> None:
        site = Site(campaign("sponsor", 2, tier="sponsorship", share_of_voice=0.4), campaign("law", 3))
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            decisions = list(pool.map(lambda _: site.ask(["top"]), range(2_000)))
        seen = collections.Counter(one["placements"][0]["ad"]["id"] for one in decisions)
        logged = f"FROM marquee.decisions FINAL WHERE site_id = '{site.id}' AND slot_id = 'top' AND ad_id != ''"
        wait_until(lambda: MARQUEE.count(f"SELECT count() {logged}") == 2_000, 30, "decisions")
        # Every served ad has its decision in the log.
        rows = {(row[0], row[1]) for row in MARQUEE.rows(f"SELECT decision_id, ad_id {logged}")}
        self.assertEqual(rows, {(one["decision_id"], one["placements"][0]["ad"]["id"]) for one in decisions})
        expected = {row[0]: float(row[1]) for row in MARQUEE.rows(
            f"SELECT candidate, sum(propensity) FROM (SELECT arrayJoin(arrayZip(candidate_ads, candidate_propensities)) AS pair, pair.1 AS "
            f"candidate, pair.2 AS propensity {logged}) GROUP BY candidate")}
        self.assertAlmostEqual(expected["sponsor-0"], 400, delta=0.1)
        self.assertAlmostEqual(sum(expected.values()), 2_000, delta=0.1)
        chi_square = sum((seen[ad] - often) ** 2 / often for ad, often in expected.items())
        degrees = len(expected) - 1
        limit = degrees * (1 - 2 / (9 * degrees) + 3.72 * math.sqrt(2 / (9 * degrees))) ** 3  # 99.99 %, Wilson and Hilferty.
        self.assertLess(chi_square, limit, seen)


class Limits(unittest.TestCase):
    def test_caps_and_budgets_hold_over_kill_9(self) -> None:
        capped = campaign("capped", 2, caps=[{"scope": "campaign", "count": 3, "window": "1h"}])
        small = campaign("small", budget={"total": {"impressions": 10}}, tier="house")
        site = Site(capped, small)
        shown: dict[str, set[str]] = collections.defaultdict(set)

        def show(user: str, times: int) -> None:
            for _ in range(times):
                one = site.ad(user_id=user, **FULL)
                if one["ad"] is None:
                    continue
                get(one["impression_url"])
                shown[one["ad"]["campaign_id"]].add(one["impression_url"])

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda user: show(user, 2), [f"u{i}" for i in range(4)]))
            unseen = [site.ad(user_id=f"v{i}", **FULL)["ad"]["id"] for i in range(2)]  # Reserved when it is killed.
        self.assertEqual(len(unseen), 2)
        MARQUEE.kill()
        MARQUEE.start()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda user: show(user, 8), [f"u{i}" for i in range(4)]))
        self.assertEqual({name: len(of_it) for name, of_it in shown.items()}, {"capped": 12, "small": 10})
        wait_until(lambda: site.count("event_type = 'impression'") == 22, 20, "impressions")
        of_user = MARQUEE.rows(f"SELECT max(c) FROM (SELECT count() AS c FROM marquee.events WHERE site_id = '{site.id}' AND campaign_id = "
                               "'capped' GROUP BY user_key)")
        self.assertEqual(next(of_user), ["3"])
        # A token that was spent before stays spent.
        before = outcomes("impression")["replayed"]
        self.assertEqual(get(next(iter(shown["small"]))).status, 200)
        self.assertEqual(outcomes("impression")["replayed"], before + 1)


if __name__ == "__main__":
    unittest.main()
