"""Campaigns and slots as a campaign manager keeps them: over the API, with versions and a history, and as files with `marquee campaigns`."""

from __future__ import annotations

import copy
import json
import pathlib
import re
import subprocess
import threading
import unittest
from typing import Any

from tests.support.marquee import BINARY, ROOT, Answer, Marquee, request

MARQUEE: Marquee


def setUpModule() -> None:
    global MARQUEE
    MARQUEE = Marquee()
    MARQUEE.start()


def tearDownModule() -> None:
    MARQUEE.__exit__(None, None, None)


def documented() -> list[dict[str, Any]]:
    """The definitions that docs/campaigns.md shows: a campaign, then a slot."""
    text = pathlib.Path(ROOT, "docs/campaigns.md").read_text()
    blocks = [json.loads(block) for block in re.findall(r"(?:^    .*\n)+", text, re.MULTILINE) if block.lstrip().startswith("{")]
    return [block for block in blocks if "id" in block]  # A segment's has none.


def campaign(identifier: str, **members: Any) -> dict[str, Any]:
    return {**copy.deepcopy(documented()[0]), "id": identifier,
            "ads": [{"id": identifier + "-1", "name": "First", "creative": {"kind": "text", "landing_url": "https://campus.example/"}}], **members}


def send(method: str, path: str, body: Any = None, if_match: str | None = None) -> Answer:
    headers = {"Authorization": "Bearer " + MARQUEE.runtime["admin_token"], **({"If-Match": if_match} if if_match else {})}
    return request(MARQUEE.url + path, method, None if body is None else json.dumps(body).encode(), headers)


def new_site(name: str) -> str:
    assert send("POST", "/v1/sites", {"id": name}).status == 201
    return name


def marquee(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([BINARY, "campaigns", *arguments], env=MARQUEE.environment, input=text, capture_output=True, text=True, timeout=60)


class Campaigns(unittest.TestCase):
    def test_what_the_documentation_shows_is_kept_as_it_says(self) -> None:
        law, top = documented()
        site = new_site("documented")
        for kind, shown in (("campaigns", law), ("slots", top)):
            made = send("POST", f"/v1/{kind}?site={site}", shown)
            self.assertEqual(made.status, 201, made.body)
            kept = made.json()["definition"]
            for name in set(shown) - {"ads", "targeting", "schedule"}:
                self.assertEqual(kept[name], shown[name], name)
            self.assertEqual(send("GET", f"/v1/{kind}/{shown['id']}?site={site}").json(), made.json())
        kept = send("GET", f"/v1/campaigns/law?site={site}").json()["definition"]
        self.assertEqual(kept["targeting"], law["targeting"])
        self.assertEqual(kept["schedule"], [{**law["schedule"][0], "zone": "Asia/Kolkata"}])
        self.assertEqual([ad["creative"]["fields"] for ad in kept["ads"]], [ad["creative"]["fields"] for ad in law["ads"]])
        # What is given back is taken, and is the same.
        again = send("PUT", f"/v1/campaigns/law?site={site}", kept)
        self.assertEqual((again.status, again.json()["definition"]), (200, kept))

    def test_names_of_campaigns_ads_and_slots_are_those_of_reports(self) -> None:
        site = new_site("names")
        self.assertEqual(send("PUT", f"/v1/campaigns/law?site={site}", campaign("law", name="The law school")).status, 200)
        self.assertEqual(send("PUT", f"/v1/slots/top?site={site}", {"id": "top", "name": "Top"}).status, 200)
        items = {kind: send("GET", f"/v1/sites/{site}/{kind}").json()["items"] for kind in ("campaigns", "ads", "slots")}
        self.assertEqual(items, {"campaigns": [{"id": "law", "name": "The law school"}], "ads": [{"id": "law-1", "name": "First", "campaign_id": "law"}],
                                 "slots": [{"id": "top", "name": "Top"}]})

    def test_a_change_that_came_first_is_not_written_over(self) -> None:
        site = new_site("versions")
        path = f"/v1/campaigns/law?site={site}"
        first = send("POST", f"/v1/campaigns?site={site}", campaign("law"))
        self.assertEqual(send("POST", f"/v1/campaigns?site={site}", campaign("law")).status, 409)
        tag = first.headers["etag"]
        self.assertEqual(tag, f'"{first.json()["version"]}"')
        same = send("PUT", path, campaign("law"), tag)
        self.assertEqual((same.status, same.headers["etag"]), (200, tag))
        answers: list[Answer] = []
        writers = [threading.Thread(target=lambda n=n: answers.append(send("PUT", path, campaign("law", name=f"By {n}"), tag))) for n in range(6)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        self.assertEqual(sorted(answer.status for answer in answers), [200] + [412] * 5)
        winner = next(answer for answer in answers if answer.status == 200)
        now = send("GET", path)
        self.assertEqual((now.json(), now.headers["etag"]), (winner.json(), winner.headers["etag"]))
        self.assertEqual(send("DELETE", path, if_match=tag).status, 412)
        self.assertEqual(send("DELETE", path, if_match=now.headers["etag"]).status, 204)
        self.assertEqual(send("PUT", path, campaign("law"), now.headers["etag"]).status, 404)

    def test_history_tells_what_it_was_and_restores_it_also_after_its_removal(self) -> None:
        site = new_site("history")
        path = "/v1/campaigns/law"
        versions = [send("PUT", f"{path}?site={site}", campaign("law", bid_micros=bid)).json()["version"] for bid in (1, 2)]
        self.assertEqual(send("DELETE", f"{path}?site={site}").status, 204)
        self.assertEqual(send("GET", f"{path}?site={site}").status, 404)
        history = send("GET", f"{path}/history?site={site}").json()["history"]
        self.assertEqual([(state["definition"]["bid_micros"], state["is_removal"], state["changed_by"]) for state in history],
                         [(2, True, "admin"), (2, False, "admin"), (1, False, "admin")])
        self.assertEqual([state["version"] for state in history][1:], versions[::-1])
        self.assertEqual(history, sorted(history, key=lambda state: -state["version"]))
        back = send("POST", f"{path}/restore?site={site}", {"version": versions[0]})
        self.assertEqual((back.status, back.json()["definition"]["bid_micros"]), (200, 1))
        self.assertGreater(back.json()["version"], history[0]["version"])
        self.assertEqual(send("POST", f"{path}/restore?site={site}", {"version": versions[1]}, '"1"').status, 412)
        removed = send("POST", f"{path}/restore?site={site}", {"version": history[0]["version"]}, back.headers["etag"])
        self.assertEqual((removed.status, removed.json()["definition"]["bid_micros"]), (200, 2))
        for wrong in ({"version": 7}, {"version": "1"}, {}, {"version": 1, "colour": 2}):
            self.assertEqual(send("POST", f"{path}/restore?site={site}", wrong).status, 400, wrong)
        for missing in (send("GET", f"/v1/campaigns/art/history?site={site}"), send("POST", f"/v1/campaigns/art/restore?site={site}", {"version": 1})):
            self.assertEqual(missing.status, 404)

    def test_what_is_wrong_is_refused_with_its_place_and_nothing_is_kept(self) -> None:
        site = new_site("refusals")
        good = campaign("law")
        deep: dict[str, Any] = {"field": "page", "in": ["home"]}
        for _ in range(12):
            deep = {"not": deep}
        for wrong, field in (({"colour": 1}, "colour"), ({"zone": "Mars/Olympus"}, "zone"), ({"status": "on"}, "status"), ({"bid_micros": 2.5}, "bid_micros"),
                             ({"from": "2026-12-01T00:00:00"}, "from"), ({"to": good["from"]}, "to"), ({"caps": [{"scope": "user", "count": 1, "window": "1d"}]}, "caps[0].scope"),
                             ({"targeting": {"any": [{"field": "page", "in": ["a"]}, {"field": "hat", "in": ["a"]}]}}, "targeting.any[1].field"),
                             ({"targeting": deep}, "targeting" + ".not" * 12), ({"schedule": [{"days": ["someday"]}]}, "schedule[0].days"),
                             ({"budget": {"daily": {"clicks": 0}}}, "budget.daily.clicks"), ({"ads": good["ads"] * 2}, "ads[1].id"),
                             ({"ads": [{**good["ads"][0], "creative": {"kind": "text", "landing_url": "javascript:1"}}]}, "ads[0].creative.landing_url"),
                             ({"id": "other"}, "id"), ({"name": ""}, "name")):
            with self.subTest(field):
                answer = send("PUT", f"/v1/campaigns/law?site={site}", {**good, **wrong})
                self.assertEqual((answer.status, answer.json()["error"].get("field")), (400, field), answer.body)
        self.assertEqual(send("GET", f"/v1/campaigns?site={site}").json(), {"campaigns": []})
        self.assertEqual(send("GET", f"/v1/sites/{site}/campaigns").json(), {"items": []})
        self.assertEqual(send("PUT", f"/v1/campaigns/law?site={site}", good).status, 200)
        taken = send("PUT", f"/v1/campaigns/art?site={site}", {**campaign("art"), "ads": good["ads"]})
        self.assertEqual((taken.status, taken.json()["error"]["field"]), (400, "ads[0].id"), taken.body)
        for nowhere in ("", "?site=nowhere"):
            self.assertEqual(send("GET", "/v1/campaigns" + nowhere).json()["error"]["field"], "site")
        self.assertEqual(request(MARQUEE.url + f"/v1/campaigns?site={site}").status, 401)

    def test_all_of_a_site_is_exported_and_is_the_same_in_another(self) -> None:
        site, other = new_site("from-here"), new_site("to-there")
        for name in ("law", "art & design", "समाचार"):
            self.assertEqual(marquee("put", "--site", site, "-", text=json.dumps(campaign(name))).returncode, 0)
        self.assertEqual(send("PUT", f"/v1/slots/top?site={site}", documented()[1]).status, 200)
        exported = marquee("export", "--site", site)
        self.assertEqual(exported.returncode, 0, exported.stderr)
        self.assertEqual({kind: len(all_of) for kind, all_of in json.loads(exported.stdout).items()}, {"campaigns": 3, "slots": 1})
        # One that is wrong keeps all others out.
        spoilt = json.loads(exported.stdout)
        spoilt["campaigns"][2]["caps"][1]["count"] = 0
        refused = marquee("import", "--site", other, "-", text=json.dumps(spoilt))
        self.assertIn("campaigns[2]: caps[1].count: expected a whole number", refused.stderr)
        self.assertNotEqual(refused.returncode, 0)
        self.assertEqual(send("GET", f"/v1/campaigns?site={other}").json(), {"campaigns": []})
        for _ in range(2):  # The second time changes nothing.
            imported = marquee("import", "--site", other, "-", text=exported.stdout)
            self.assertEqual((imported.returncode, imported.stdout), (0, "4 campaigns and slots imported\n"), imported.stderr)
        self.assertEqual(marquee("export", "--site", other).stdout, exported.stdout)
        self.assertEqual(len(send("GET", f"/v1/campaigns/law/history?site={other}").json()["history"]), 1)

    def test_the_command_line_changes_shows_restores_and_removes(self) -> None:
        site = new_site("by-hand")
        self.assertEqual(marquee("put", "--site", site, "-", text=json.dumps(campaign("law"))).returncode, 0)
        shown = marquee("show", "--site", site, "law").stdout
        self.assertEqual(json.loads(shown), send("GET", f"/v1/campaigns/law?site={site}").json()["definition"])
        self.assertEqual(marquee("put", "--site", site, "-", text=shown.replace('"active"', '"paused"')).returncode, 0)
        self.assertRegex(marquee("list", "--site", site).stdout, r"law +Open day of the law school +paused")
        rows = marquee("history", "--site", site, "law").stdout.splitlines()
        self.assertEqual([row.split()[-1] for row in rows if row.split()[-1] in ("active", "paused")], ["paused", "active"])
        oldest = json.loads(marquee("history", "--site", site, "law", "--format", "json").stdout)["history"][-1]["version"]
        self.assertEqual(marquee("restore", "--site", site, "law", str(oldest)).returncode, 0)
        self.assertEqual(marquee("show", "--site", site, "law").stdout, shown)
        self.assertEqual(marquee("remove", "--site", site, "law").returncode, 0)
        gone = marquee("show", "--site", site, "law")
        self.assertEqual((gone.returncode != 0, "there is no campaign" in gone.stderr), (True, True))
        wrong = marquee("put", "--site", site, "-", text='{"id": "law"}')
        self.assertEqual((wrong.returncode != 0, "name: missing" in wrong.stderr), (True, True))

    def test_definitions_outlive_the_process(self) -> None:
        site = new_site("restarted")
        self.assertEqual(send("PUT", f"/v1/campaigns/law?site={site}", campaign("law")).status, 200)
        before = send("GET", f"/v1/campaigns/law?site={site}").json()
        MARQUEE.kill()
        MARQUEE.start(ready=False)
        self.assertEqual(send("GET", f"/v1/campaigns/law?site={site}").json(), before)


if __name__ == "__main__":
    unittest.main()
