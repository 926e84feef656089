"""The campus demo as `make run` turns it on: its pages, its campaigns, and what it tells a visitor and nobody else."""

from __future__ import annotations

import json
import unittest
from typing import Any

from tests.support.marquee import ROOT, Answer, Marquee, request, wait_until

MARQUEE: Marquee
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"


def setUpModule() -> None:
    global MARQUEE
    MARQUEE = Marquee({"MARQUEE_DEMO_ENABLED": "true"})
    MARQUEE.start()
    MARQUEE.run("campaigns", "import", "--missing", str(ROOT / "web/demo/campaigns.json"))


def tearDownModule() -> None:
    MARQUEE.__exit__(None, None, None)


def send(path: str, body: Any = None, key: str = "", method: str = "POST") -> Answer:
    headers = {"User-Agent": BROWSER, **({"Authorization": "Bearer " + key} if key else {})}
    return request(MARQUEE.url + path, method, None if body is None else json.dumps(body).encode(), headers)


def begin() -> dict[str, str]:
    visit: dict[str, str] = send("/v1/demo/visits").json()
    return visit


def profile(user: str, **more: Any) -> Answer:
    names = {"category": ["law", "medicine"], "course": ["course-17"], "word": ["moot"], "campaign": ["law-2027"], "ad": ["law-2027-hero"]}
    return send("/v1/demo/profile", {"user_id": user, "consent": "full", "age": 22, "names": names, **more})


def decide(key: str, user: str, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = send("/v1/decisions", {"placements": [{"slot_id": "home-top"}, {"slot_id": "home-feed"}, {"slot_id": "home-side"}], "page_id": "home",
                                                    "user_id": user, "consent": "full", "age": 22, "college_id": "chennai-law", **more}, key).json()
    return answer


class Demo(unittest.TestCase):
    def test_what_a_student_does_is_known_a_moment_later_and_changes_what_is_shown_and_why(self) -> None:
        visit = begin()
        user, key = visit["visit"] + ".imran", visit["key"]
        wait_until(lambda: decide(key, user)["placements"][0]["ad"], 20, "the campaigns to be served")
        views = [{"type": "course_view", "session_id": user, "seq": seq, "user_id": user, "consent": "full", "age": 22, "course_id": "course-17", "category": "law"}
                 for seq in range(1, 4)]
        views.append({**views[0], "type": "search", "seq": 4, "search_query": "moot court"})
        self.assertEqual(send("/v1/events", views, key).status, 200)
        known = wait_until(lambda: (found := profile(user).json()["profile"]) and found["words"] and found, 20, "the profile")
        self.assertEqual([one["name"] for one in known["categories"] + known["courses"] + known["words"]], ["law", "course-17", "moot"])
        self.assertEqual(known["unnamed"], 1, "the word court, for which nobody gave a name")
        decision = decide(key, user)
        self.assertEqual(decision["placements"][0]["ad"]["campaign_id"], "law-2027")
        why = send(f"/v1/demo/decisions/{decision['decision_id']}", method="GET").json()
        top = why["placements"][0]
        self.assertEqual({one["campaign"] for one in top["candidates"]}, {"Law 2027"})
        self.assertIn("lower_tier", {one["because"] for one in top["excluded"]})
        self.assertIn({"field": "college", "value": "chennai-law"}, why["known"])
        # It is of who has no profile all the same: what is left is the page.
        other = decide(key, user, age=17)
        self.assertFalse(other["personal"])
        self.assertNotIn("college", {one["field"] for one in send(f"/v1/demo/decisions/{other['decision_id']}", method="GET").json()["known"]})
        self.assertEqual(profile(user, age=17).json(), {"personal": False})

    def test_a_click_leads_to_a_page_of_the_demo(self) -> None:
        visit = begin()
        shown = wait_until(lambda: (found := decide(visit["key"], visit["visit"] + ".asha")["placements"][0]) and found["ad"] and found, 20, "an ad")
        self.assertEqual(send(shown["impression_url"], method="GET").status, 200)
        click = send(shown["click_url"], method="GET")
        self.assertEqual(click.status, 302)
        page = send(click.headers["location"], method="GET")
        self.assertIn("<title>Banyan Campus", page.body.decode())
        self.assertIn("default-src 'self'", page.headers["content-security-policy"])

    def test_nobody_but_students_of_visits_is_told_of(self) -> None:
        trusted = MARQUEE.runtime["write_keys"]["campus"]
        event = {"type": "course_view", "session_id": "real", "seq": 1, "user_id": "student-7", "consent": "full", "age": 22, "course_id": "course-17"}
        self.assertEqual(send("/v1/events", [event], trusted).status, 200)
        visit = begin()["visit"]
        swapped = visit[:-1] + ("0" if visit[-1] != "0" else "1")
        for user in ("student-7", visit, swapped + ".asha", "demo-" + "0" * 32 + "-" + "0" * 32 + ".asha", visit + ".student-7"):
            with self.subTest(user):
                self.assertEqual(profile(user).status, 403)
        # Nor of decisions that others ask for, even of the same site.
        asked = decide(trusted, "student-7")
        self.assertEqual(send(f"/v1/demo/decisions/{asked['decision_id']}", method="GET").status, 404)

    def test_its_write_key_is_no_servers(self) -> None:
        key = begin()["key"]
        self.assertNotIn(key, json.dumps(MARQUEE.runtime))
        answer = send("/v1/decisions", {"placements": [{"slot_id": "home-top"}], "why": True}, key)
        self.assertEqual(answer.status, 400)
        self.assertEqual(request(MARQUEE.url + "/v1/sites", headers={"Authorization": "Bearer " + key}).status, 401)

    def test_without_the_setting_there_is_nothing_of_it(self) -> None:
        key = begin()["key"]
        with Marquee() as other:
            for method, path in (("POST", "/v1/demo/visits"), ("POST", "/v1/demo/profile"), ("GET", "/v1/demo/decisions/0")):
                self.assertIn(request(other.url + path, method, b"{}").status, (404, 405))
            self.assertNotIn("Banyan", request(other.url + "/demo/").body.decode())
            self.assertEqual(request(other.url + "/v1/events", "POST", b"[]", {"Authorization": "Bearer " + key}).status, 403)

    def test_its_campaigns_leave_alone_what_somebody_changed_or_removed(self) -> None:
        file = str(ROOT / "web/demo/campaigns.json")
        self.assertEqual(MARQUEE.run("campaigns", "import", "--missing", file).stdout.strip(), "0 campaigns and slots imported")
        admin = {"Authorization": "Bearer " + MARQUEE.runtime["admin_token"]}
        path = "/v1/campaigns/film-2027?site=campus"
        film = request(MARQUEE.url + path, headers=admin).json()["definition"]
        self.assertEqual(request(MARQUEE.url + path, "PUT", json.dumps({**film, "name": "Mine"}).encode(), admin).status, 200)
        self.assertEqual(request(MARQUEE.url + "/v1/campaigns/travel-2027?site=campus", "DELETE", headers=admin).status, 204)
        self.assertEqual(MARQUEE.run("campaigns", "import", "--missing", file).stdout.strip(), "0 campaigns and slots imported")
        self.assertEqual(request(MARQUEE.url + path, headers=admin).json()["name"], "Mine")
        self.assertEqual(request(MARQUEE.url + "/v1/campaigns/travel-2027?site=campus", headers=admin).status, 404)


if __name__ == "__main__":
    unittest.main()
