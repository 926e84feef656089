"""Every operation of api/openapi.yaml, asked for and answered as it says: requests and answers are validated against it."""

from __future__ import annotations

import datetime
import json
import threading
import time
import unittest
import urllib.parse
import urllib.request
import uuid
from typing import Any

import jsonschema

from tests.support.marquee import Answer, Marquee, request, wait_until

MARQUEE: Marquee
DOCUMENT: dict[str, Any]
SEEN: set[tuple[str, str]] = set()


def setUpModule() -> None:
    global MARQUEE, DOCUMENT
    MARQUEE = Marquee({"MARQUEE_DEMO_ENABLED": "true"})
    MARQUEE.start()
    DOCUMENT = request(MARQUEE.url + "/openapi.json").json()


def tearDownModule() -> None:
    MARQUEE.__exit__(None, None, None)


def schema_check(instance: Any, schema: dict[str, Any]) -> None:
    # The document is JSON Schema 2020-12 (OpenAPI 3.1); its references are resolved against itself.
    jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]},
                                    format_checker=jsonschema.FormatChecker()).validate(instance)


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def call(method: str, path: str, template: str | None = None, body: Any = None, headers: dict[str, str] | None = None,
         raw: bytes | None = None) -> Answer:
    """Sends a request that the document allows and checks the answer against what the document says of it."""
    template = template or path.split("?")[0]
    operation = DOCUMENT["paths"][template][method.lower()]
    if body is not None:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        schema_check(body, schema)
        raw = json.dumps(body).encode()
    known = [resolved(p)["name"] for p in operation.get("parameters", [])]
    if operation.get("security") != [{"write_key_query": []}]:
        for name, _ in urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query):
            assert name in known, f"{name} is no parameter of {method} {template}"
    answer = request(MARQUEE.url + path, method, raw, headers if headers is not None else admin())
    response = operation["responses"].get(str(answer.status))
    assert response is not None, f"{method} {path} answered {answer.status}, which is not documented: {answer.body[:300]!r}"
    content = resolved(response).get("content", {})
    kind = answer.headers.get("content-type", "").split(";")[0]
    if content:
        assert kind in content, f"{method} {path} answered {kind}, documented are {list(content)}"
        if kind.endswith("json"):
            schema_check(answer.json(), content[kind]["schema"])
    else:
        assert not answer.body, f"{method} {path} has a body that is not documented"
    SEEN.add((method.lower(), template))
    return answer


def admin() -> dict[str, str]:
    return {"Authorization": "Bearer " + MARQUEE.runtime["admin_token"]}


def writer(site: str = "campus") -> dict[str, str]:
    return {"Authorization": "Bearer " + MARQUEE.runtime["write_keys"][site]}


def impression(session: str, seq: int, **fields: Any) -> dict[str, Any]:
    return {"type": "impression", "session_id": session, "seq": seq, "campaign_id": "law", "ad_id": "law-1", "slot_id": "top",
            "position": 1, "consent": "full", "user_id": "u1", **fields}


class Contract(unittest.TestCase):
    def test_events(self) -> None:
        session = uuid.uuid4().hex
        both = {"sent_at": int(time.time() * 1000), "events": [impression(session, 1), {**impression(session, 2), "type": "click"}]}
        self.assertEqual(call("POST", "/v1/events", body=both, headers=writer()).json(), {"accepted": 2, "rejected": []})
        self.assertEqual(call("POST", "/v1/events", body=[impression(session, 3)], headers=writer()).status, 200)
        self.assertEqual(call("POST", "/v1/events", body=impression(session, 4), headers=writer()).status, 200)
        self.assertEqual(call("POST", "/v1/events", raw=b'[{"type":"nothing"}]', headers=writer()).status, 422)
        self.assertEqual(call("POST", "/v1/events", raw=b"{", headers=writer()).status, 400)
        self.assertEqual(call("POST", "/v1/events", raw=b"[]", headers={}).status, 401)
        self.assertEqual(call("POST", "/v1/events", raw=b"[]", headers={"Authorization": "Bearer x"}).status, 403)
        self.assertEqual(call("POST", "/v1/events", raw=b" " * (5 << 20), headers=writer()).status, 413)

    def test_beacon_and_pixel(self) -> None:
        key = MARQUEE.runtime["write_keys"]["campus"]
        session = uuid.uuid4().hex
        good, bad = impression(session, 1), {"type": "nothing"}
        for events, status in (([good], 204), ([impression(session, 2), bad], 200), ([bad], 422)):
            answer = call("POST", f"/v1/beacon?key={key}", raw=json.dumps(events).encode(), headers={"Content-Type": "text/plain"})
            self.assertEqual(answer.status, status)
        self.assertEqual(call("POST", "/v1/beacon", raw=b"[]", headers={}).status, 401)
        self.assertEqual(call("GET", f"/v1/pixel?key={key}&type=page_view&session_id={session}&seq=9", headers={}).status, 200)
        self.assertEqual(call("GET", f"/v1/pixel?key={key}&type=nothing", headers={}).status, 422)

    def test_decisions(self) -> None:
        asked = {"placements": [{"slot_id": "nowhere", "position": 2}], "query": "law", "consent": "full", "age": 20, "user_id": "u1", "runner_ups": 2,
                 "filters": {"blocked_categories": ["x"]}, "attributes": {"grade": "a"}, "why": True}
        answer = call("POST", "/v1/decisions", body=asked, headers=writer()).json()
        self.assertEqual((answer["personal"], answer["placements"][0]["because"]), (True, "unknown_slot"))
        self.assertEqual(call("POST", "/v1/decisions", raw=b'{"placements":[]}', headers=writer()).status, 400)
        self.assertEqual(call("POST", "/v1/decisions", body=asked, headers={}).status, 401)
        self.assertEqual(call("POST", "/v1/decisions", body=asked, headers={"Authorization": "Bearer x"}).status, 403)
        self.assertEqual(call("POST", "/v1/decisions", raw=b" " * (1 << 17), headers=writer()).status, 413)
        self.assertEqual(call("GET", "/v1/impression/x", "/v1/impression/{token}", headers={}).status, 200)
        self.assertEqual(call("GET", "/v1/click/x", "/v1/click/{token}", headers={}).status, 404)

    def test_privacy(self) -> None:
        call("POST", "/v1/events", body=[impression(uuid.uuid4().hex, 1, user_id="erased/one")], headers=writer())
        wait_until(lambda: call("GET", "/v1/users/erased%2Fone/export?site=campus", "/v1/users/{user_id}/export").json()["events"], 10, "the event")
        self.assertEqual(call("GET", "/v1/users/x/export?site=nowhere", "/v1/users/{user_id}/export").status, 400)
        self.assertEqual(call("GET", "/v1/users/x/export?site=campus", "/v1/users/{user_id}/export", headers={}).status, 401)
        self.assertEqual(call("DELETE", "/v1/users/x?site=nowhere", "/v1/users/{user_id}").status, 400)
        self.assertEqual(call("DELETE", "/v1/users/x?site=campus", "/v1/users/{user_id}", headers={}).status, 401)
        asked = call("DELETE", "/v1/users/erased%2Fone?site=campus", "/v1/users/{user_id}")
        self.assertEqual((asked.status, asked.json()["receipt"]), (202, {}))
        path = asked.headers["location"]
        wait_until(lambda: call("GET", path, "/v1/erasures/{id}").json()["state"] == "done", 60, "the erasure")
        self.assertEqual(call("GET", path, "/v1/erasures/{id}").json()["receipt"]["events"], 1)
        self.assertEqual(call("GET", path, "/v1/erasures/{id}", headers={}).status, 401)
        self.assertEqual(call("GET", "/v1/erasures/x", "/v1/erasures/{id}").status, 404)
        self.assertEqual(call("GET", "/v1/erasures?limit=1").json()["erasures"][0]["id"], asked.json()["id"])
        self.assertEqual(call("GET", "/v1/erasures?limit=0").status, 400)
        self.assertEqual(call("GET", "/v1/erasures", headers={}).status, 401)
        self.assertEqual(call("GET", "/v1/users/erased%2Fone/export?site=campus", "/v1/users/{user_id}/export").json()["events"], [])

    def test_sql(self) -> None:
        asked = {"sql": "SELECT 1 AS one, 'x' AS two"}
        self.assertEqual(call("POST", "/v1/sql", body=asked).json()["rows"], [[1, "x"]])
        for form in ("csv", "parquet"):
            self.assertEqual(call("POST", f"/v1/sql?format={form}", body=asked).status, 200)
        self.assertEqual(call("POST", "/v1/sql", body={"sql": "SELECT ("}).json()["error"]["position"]["line"], 1)
        self.assertEqual(call("POST", "/v1/sql", raw=b"{}").status, 400)
        self.assertEqual(call("POST", "/v1/sql", body=asked, headers={}).status, 401)
        self.assertIn("events", [table["name"] for table in call("GET", "/v1/sql/schema").json()["tables"]])
        self.assertEqual(call("GET", "/v1/sql/schema", headers={}).status, 401)

    def test_reports(self) -> None:
        call("POST", "/v1/events", body=[impression(uuid.uuid4().hex, i + 1) for i in range(20)], headers=writer())
        wait_until(lambda: MARQUEE.count("SELECT count() FROM marquee.events WHERE campaign_id = 'law'") >= 20, 10, "events")
        for path in ("searches?site=campus&limit=3", "retention?site=campus&from=2026-01-05T00:00:00Z&to=2026-01-19T00:00:00Z&interval=week",
                     "retention?site=campus&from=2026-01-05T00:00:00Z&to=2026-01-19T00:00:00Z&start=search&back=click&filter=device=phone",
                     "paths?site=campus&events=page_view,click&start=home&steps=3&places=2&filter=device=phone", "paths?site=campus&by=slot_id&events=",
                     "model", "metrics?site=campus&metrics=ctr,reach", "metrics?site=campus&metrics=ecpm&by=device,props.x&filter=os!=a,b&filter=city=c",
                     "metrics?site=campus&metrics=ctr&by=day&compare=previous&from=2026-01-01T00:00:00Z&to=2036-01-01T00:00:00Z",
                     "ctr?site=campus&compare=previous&from=2026-01-01T00:00:00Z&to=2036-01-01T00:00:00Z",
                     "ctr?site=campus", "ctr?site=campus&by=campaign_id,ad_id,slot_id&min_impressions=1&limit=5", "heatmap?site=campus",
                     "heatmap?site=campus&mode=cells&slot=top", "heatmap?site=campus&mode=page&page=home&filter=layout=wide", "funnel?site=campus&steps=impression,click&window_seconds=60&order=strict",
                     "funnel?site=campus&steps=impression,hover,click&optional=2&exclude=search&order=ordered&by=device&dropped_after=1&filter=os!=a&limit=1&key_limit=1",
                     "funnel?site=campus&steps=impression,click&order=any&by=day&compare=previous&from=2026-01-01T00:00:00Z&to=2036-01-01T00:00:00Z",
                     "campaigns?site=campus&interval=minute", "ctr?site=campus&from=2026-01-01T00:00:00Z&to=2036-01-01T00:00:00Z"):
            with self.subTest(path):
                self.assertEqual(call("GET", "/v1/reports/" + path).status, 200)
        whole = {"site": "campus", "from": "2026-01-01T00:00:00Z", "to": "2036-01-01T00:00:00Z", "filter": ["device!=x"], "window_seconds": 60, "order": "ordered",
                 "by": "campaign_id", "compare": "previous", "dropped_after": 1, "limit": 5, "key_limit": 5,
                 "steps": [{"types": ["impression", "hover"], "filter": ["campaign_id=law"]}, {"types": ["hover"], "optional": True}, {"types": ["click"]}],
                 "exclude": [{"types": ["search"], "filter": ["device=phone"], "after_step": 1, "before_step": 3}]}
        self.assertEqual(call("POST", "/v1/reports/funnel", body=whole).status, 200)
        self.assertEqual(call("POST", "/v1/reports/funnel", raw=b'{"site":"campus","steps":[]}').status, 400)
        for path in ("ctr?site=nowhere", "ctr?site=campus&by=colour", "heatmap?site=campus&mode=x", "funnel?site=campus&steps=click",
                     "campaigns?site=campus&interval=week", "ctr?site=campus&limit=0", "ctr?site=campus&from=x"):
            with self.subTest(path):
                answer = call("GET", "/v1/reports/" + path)
                self.assertEqual(answer.status, 400)
                self.assertIn("field", answer.json()["error"])
        self.assertEqual(call("GET", "/v1/reports/metrics?site=campus&metrics=ctr,reach&by=device&sample=0.5").json()["sample"], 0.5)
        self.assertEqual(call("GET", "/v1/reports/metrics/stream?site=campus&metrics=ctr&sample=0.5").status, 200)
        for report in ("heatmap", "heatmap?mode=page&page=home", "funnel?steps=impression,click&by=device&compare=previous&last=4w", "searches?limit=3",
                       "paths?steps=3", "retention?last=4w&interval=week&back=click"):
            with self.subTest(report, sample=0.5):
                path, _, query = report.partition("?")
                self.assertEqual(call("GET", f"/v1/reports/{path}?site=campus&sample=0.5&{query}").json()["sample"], 0.5)
                self.assertEqual(call("GET", f"/v1/reports/{path}/stream?site=campus&sample=0.5&{query}").status, 200)
        self.assertEqual(call("POST", "/v1/reports/funnel/stream?sample=0.5", body=whole).status, 200)
        for report in ("ctr", "heatmap", "funnel", "campaigns", "metrics/stream", "heatmap/stream", "funnel/stream", "searches/stream"):
            self.assertEqual(call("GET", f"/v1/reports/{report}?site=campus", headers={}).status, 401)

    def test_formats_of_reports(self) -> None:
        call("POST", "/v1/events", body=[impression(uuid.uuid4().hex, i + 1) for i in range(3)], headers=writer())
        wait_until(lambda: MARQUEE.count("SELECT count() FROM marquee.events WHERE campaign_id = 'law'") >= 3, 10, "events")
        for form, begin in (("json", b"{"), ("table", b"{"), ("csv", b"campaign_id,"), ("parquet", b"PAR1"), ("png", b"\x89PNG")):
            answer = call("GET", f"/v1/reports/ctr?site=campus&last=4w&format={form}")
            self.assertEqual((answer.status, answer.body[:len(begin)]), (200, begin))
        self.assertEqual(call("GET", "/v1/reports/ctr?site=campus&format=xlsx").status, 400)
        self.assertEqual(call("GET", "/v1/reports/ctr?site=campus&filter=city=nowhere&format=png").status, 422)
        funnel = {"site": "campus", "last": "7d", "steps": [{"types": ["impression"]}, {"types": ["click"]}]}
        self.assertTrue(call("POST", "/v1/reports/funnel?format=csv", body=funnel).body.startswith(b"step,name,"))

    def test_saved_reports(self) -> None:
        call("POST", "/v1/events", body=[impression(uuid.uuid4().hex, 1, campaign_id="kept")], headers=writer())
        wait_until(lambda: MARQUEE.count("SELECT count() FROM marquee.events WHERE campaign_id = 'kept'") == 1, 10, "the event")
        one, answers = "/v1/saved-reports/{id}", "/v1/saved-reports/{id}/answer"
        new = {"name": "CTR der Hochschulen", "kind": "ctr", "owner": "ana", "parameters": {"site": "campus", "by": ["campaign_id", "device"], "last": "7d", "limit": 5,
                                                                                         "filter": ["device!=x", "campaign_id=kept"]}}
        made = call("POST", "/v1/saved-reports", body=new)
        self.assertEqual(made.status, 201)
        saved = made.json()
        self.assertEqual({name: saved[name] for name in new}, new)
        path = "/v1/saved-reports/" + saved["id"]
        self.assertEqual(call("GET", path, one).json(), saved)
        self.assertEqual(saved["address"], "/r/" + saved["id"])
        asked = call("GET", "/v1/reports/ctr?site=campus&by=campaign_id,device&last=7d&limit=5&filter=device!%3Dx&filter=campaign_id%3Dkept").json()
        self.assertEqual(call("GET", path + "/answer", answers).json(), asked)
        self.assertEqual([row["keys"][0] for row in asked["rows"]], ["kept"])
        for form, begin in (("table", b"{"), ("csv", b"campaign_id,device,"), ("parquet", b"PAR1"), ("png", b"\x89PNG")):
            answer = call("GET", f"{path}/answer?format={form}", answers)
            self.assertEqual((answer.status, answer.body[:len(begin)]), (200, begin))
        self.assertIn('filename="CTR_der_Hochschulen.png"', answer.headers["content-disposition"])
        funnel = {"name": "Funnel", "kind": "funnel", "parameters": {"site": "campus", "steps": [{"types": ["impression"]}, {"types": ["click"]}]}}
        changed = call("PUT", path, one, body=funnel).json()
        self.assertEqual((changed["id"], changed["kind"], changed["owner"], changed["made"]), (saved["id"], "funnel", "admin", saved["made"]))
        self.assertEqual(len(call("GET", path + "/answer", answers).json()["steps"]), 2)
        self.assertIn(changed, call("GET", "/v1/saved-reports?site=campus").json()["saved_reports"])
        self.assertEqual(call("GET", "/v1/saved-reports?site=moodle").json()["saved_reports"], [])
        self.assertEqual(call("DELETE", path, one).status, 204)
        for method, template, raw in (("GET", one, None), ("DELETE", one, None), ("PUT", one, json.dumps(new).encode())):
            self.assertEqual(call(method, path, template, raw=raw).status, 404)
        self.assertEqual(call("GET", path + "/answer", answers).status, 404)
        for wrong, named in (({"kind": "ctr", "parameters": {"site": "campus", "by": "colour"}}, "colour"), ({"kind": "ctr", "parameters": {"site": "nowhere"}}, "site"),
                             ({"kind": "ctr", "parameters": {"site": "campus", "filtre": "a=b"}}, "filtre"), ({"kind": "ctr", "parameters": []}, "parameters"),
                             ({"kind": "ctr", "parameters": {"site": "campus", "format": "csv"}}, "format"), ({"kind": "nonsense", "parameters": {"site": "campus"}}, "kind"),
                             ({"kind": "sql", "parameters": {"site": "campus"}}, "sql"),
                             ({"kind": "metrics", "parameters": {"site": "campus"}}, "metrics"), ({"kind": "retention", "parameters": {"site": "campus"}}, "from"),
                             ({"kind": "funnel", "parameters": {"site": "campus", "step": []}}, "step"), ({"kind": "ctr", "parameters": {"site": "campus", "by": {}}}, "by"),
                             ({"kind": "ctr", "parameters": {"site": "campus"}, "name": ""}, "name"), ({"kind": "ctr", "parameters": {"site": "campus"}, "colour": 1}, "colour")):
            with self.subTest(wrong):
                answer = call("POST", "/v1/saved-reports", raw=json.dumps({"name": "x", **wrong}).encode())
                self.assertEqual((answer.status, named in answer.json()["error"]["message"]), (400, True), answer.body)
        self.assertEqual(call("GET", "/v1/saved-reports").json()["saved_reports"], [])
        for method, template in (("GET", "/v1/saved-reports"), ("POST", "/v1/saved-reports"), ("GET", one), ("PUT", one), ("DELETE", one), ("GET", answers)):
            self.assertEqual(call(method, template.replace("{id}", "x"), template, raw=b"{}" if method in ("POST", "PUT") else None, headers={}).status, 401)

    def test_profiles(self) -> None:
        one = "/v1/profiles/{user_id}"
        self.assertEqual(call("DELETE", "/v1/profiles/u1?site=campus", one).status, 204)
        self.assertEqual(call("DELETE", "/v1/profiles/u1?site=nowhere", one).json()["error"]["field"], "site")
        self.assertEqual(call("DELETE", "/v1/profiles/u1?site=campus", one, headers={}).status, 401)
        self.assertEqual(call("GET", "/v1/clusters").status, 200)
        self.assertEqual(call("GET", "/v1/clusters", headers={}).status, 401)

    def test_segments(self) -> None:
        call("POST", "/v1/events", body=[impression(uuid.uuid4().hex, 1, user_id="in"), {**impression(uuid.uuid4().hex, 1, user_id="in"), "type": "exposure",
                                                                                         "props": {"experiment": "layout", "arm": "wide"}}], headers=writer())
        wait_until(lambda: MARQUEE.count("SELECT count() FROM marquee.events WHERE event_type = 'exposure'") == 1, 10, "the exposure")
        one, refresh = "/v1/segments/{id}", "/v1/segments/{id}/refresh"
        condition = {"types": ["impression"], "filter": ["device!=x"], "at_least": 1, "last": "7d"}
        rule = {"all": [condition, {"any": [{"types": ["click"], "fewer_than": 9}, {}]}, {"not": {"types": ["search"], "from": "2026-01-01", "to": "2026-01-02"}}]}
        funnel = {"steps": [{"types": ["impression"]}, {"types": ["conversion"]}], "dropped_after": 1, "last": "7d"}
        new = {"site": "campus", "title": "Saw an ad", "definition": {"kind": "rule", "rule": rule}}
        made = call("POST", "/v1/segments", body=new)
        self.assertEqual(made.status, 201)
        segment = made.json()
        self.assertEqual({name: segment[name] for name in new}, new)
        self.assertGreaterEqual(segment["size"], 1)
        path = "/v1/segments/" + segment["id"]
        self.assertEqual(call("GET", path, one).json(), segment)
        other = call("POST", "/v1/segments", body={**new, "title": "List", "definition": {"kind": "list", "users": ["00000000000000ff"]}}).json()
        self.assertEqual([entry["id"] for entry in call("GET", "/v1/segments?site=campus").json()["segments"]], [other["id"], segment["id"]])
        changed = call("PUT", path, one, body={**new, "definition": {"kind": "drop_off", "funnel": funnel}}).json()
        self.assertEqual((changed["id"], changed["definition"]["kind"], changed["size"] >= 1), (segment["id"], "drop_off", True))
        self.assertGreater(call("POST", path + "/refresh", refresh).json()["version"], changed["version"])
        for query in ("segments?site=campus&last=7d", f"segments?site=campus&segments={segment['id']}", "ctr?site=campus&by=arm.layout", "metrics?site=campus&metrics=reach&by=segment",
                      f"campaigns?site=campus&filter=segment={segment['id']}", f"searches?site=campus&filter=segment={segment['id']}", "funnel?site=campus&steps=exposure,click&by=arm.layout"):
            self.assertEqual(call("GET", "/v1/reports/" + query).status, 200)
        self.assertEqual(call("GET", "/v1/reports/segments?site=campus&segments=nowhere").json()["error"]["field"], "segments")
        self.assertEqual(call("GET", "/v1/reports/segments?site=moodle&format=png").status, 422)
        self.assertEqual(call("POST", "/v1/segments", raw=json.dumps({**new, "site": "nowhere"}).encode()).json()["error"]["field"], "site")
        self.assertEqual(call("PUT", path, one, raw=json.dumps({**new, "site": "moodle"}).encode()).status, 400)
        for gone in (path, "/v1/segments/" + other["id"]):
            self.assertEqual(call("DELETE", gone, one).status, 204)
        for method, which, template, raw in (("GET", path, one, None), ("DELETE", path, one, None), ("PUT", path, one, json.dumps(new).encode()), ("POST", path + "/refresh", refresh, None)):
            self.assertEqual(call(method, which, template, raw=raw).status, 404)
        for method, template in (("GET", "/v1/segments"), ("POST", "/v1/segments"), ("GET", one), ("PUT", one), ("DELETE", one), ("POST", refresh)):
            self.assertEqual(call(method, template.replace("{id}", "x"), template, raw=b"{}" if method in ("POST", "PUT") else None, headers={}).status, 401)

    def test_a_change_that_came_first_is_not_written_over(self) -> None:
        one = "/v1/saved-reports/{id}"
        new = {"name": "Mine", "kind": "ctr", "parameters": {"site": "campus"}}
        made = call("POST", "/v1/saved-reports", body=new)
        path, tag = "/v1/saved-reports/" + made.json()["id"], made.headers["etag"]
        self.assertEqual(call("GET", path, one).headers["etag"], tag)
        changed = call("PUT", path, one, body={**new, "name": "Theirs"}, headers={**admin(), "If-Match": tag})
        self.assertEqual(changed.status, 200)
        self.assertNotEqual(changed.headers["etag"], tag)
        for stale in (tag, 'W/' + changed.headers["etag"], '"x"'):
            self.assertEqual(call("PUT", path, one, body=new, headers={**admin(), "If-Match": stale}).status, 412)
            self.assertEqual(call("DELETE", path, one, headers={**admin(), "If-Match": stale}).status, 412)
        self.assertEqual(call("GET", path, one).json()["name"], "Theirs")
        self.assertEqual(call("DELETE", path, one, headers={**admin(), "If-Match": changed.headers["etag"]}).status, 204)

    def test_deliveries(self) -> None:
        one, send = "/v1/deliveries/{id}", "/v1/deliveries/{id}/send"
        report = call("POST", "/v1/saved-reports", body={"name": "Sent", "kind": "ctr", "parameters": {"site": "campus"}}).json()["id"]
        new = {"report": report, "url": "https://hooks.example.invalid/x", "format": "csv", "owner": "ana",
               "schedule": {"every": "week", "on": "monday", "at": "08:00", "zone": "Asia/Kolkata"}}
        made = call("POST", "/v1/deliveries", body=new)
        self.assertEqual((made.status, {name: made.json()[name] for name in new}), (201, new))
        path = "/v1/deliveries/" + made.json()["id"]
        self.assertEqual(call("GET", path, one).json()["notices"], [])
        self.assertEqual([each["id"] for each in call("GET", "/v1/deliveries?report=" + report).json()["deliveries"]], [made.json()["id"]])
        self.assertEqual(call("POST", path + "/send", send).status, 202)
        self.assertEqual(call("GET", path, one).json()["notices"][0]["event"], "report.test")
        self.assertEqual(call("DELETE", "/v1/saved-reports/" + report, "/v1/saved-reports/{id}").status, 409)
        hourly = {**new, "schedule": {"every": "hour"}, "is_paused": True}
        self.assertEqual(call("PUT", path, one, body=hourly, headers={**admin(), "If-Match": '"1"'}).status, 412)
        changed = call("PUT", path, one, body=hourly, headers={**admin(), "If-Match": made.headers["etag"]})
        self.assertEqual((changed.json()["schedule"], changed.json()["next_due"]), ({"every": "hour", "minute": 0, "zone": "UTC"}, None))
        self.assertEqual(call("DELETE", path, one, headers={**admin(), "If-Match": made.headers["etag"]}).status, 412)
        self.assertEqual(call("DELETE", path, one).status, 204)
        for method, template, raw in (("GET", one, None), ("DELETE", one, None), ("PUT", one, json.dumps(new).encode()), ("POST", send, None)):
            self.assertEqual(call(method, path + template.removeprefix(one), template, raw=raw).status, 404)
        for wrong, field in (({"report": "nowhere"}, "report"), ({"url": "http://127.0.0.1/"}, "url"), ({"url": "file:///etc/passwd"}, "url"), ({"format": "xlsx"}, "format"),
                             ({"schedule": {"every": "day", "at": "08:00", "zone": "Mars/Olympus"}}, "schedule"), ({"owner": ""}, "owner"), ({"is_paused": 1}, "is_paused"),
                             ({"colour": 1}, "colour"), ({"schedule": None}, "schedule")):
            with self.subTest(wrong):
                answer = call("POST", "/v1/deliveries", raw=json.dumps({**new, **wrong}).encode())
                self.assertEqual((answer.status, answer.json()["error"].get("field")), (400, field), answer.body)
        self.assertEqual(call("DELETE", "/v1/saved-reports/" + report, "/v1/saved-reports/{id}").status, 204)
        for method, template in (("GET", "/v1/deliveries"), ("POST", "/v1/deliveries"), ("GET", one), ("PUT", one), ("DELETE", one), ("POST", send)):
            self.assertEqual(call(method, template.replace("{id}", "x"), template, raw=b"{}" if method in ("POST", "PUT") else None, headers={}).status, 401)

    def test_alerts(self) -> None:
        one, test = "/v1/alerts/{id}", "/v1/alerts/{id}/test"
        rule = {"site": "campus", "metric": "ctr", "filter": ["campaign_id=law"], "condition": "fell", "threshold": 30, "window": "1h", "every": "5m", "for": 2,
                "min_count": 100, "no_data": "ok", "remind": "1d", "against": "week"}
        new = {"name": "CTR of law", "url": "https://hooks.example.invalid/x", "owner": "ana", "rule": rule}
        made = call("POST", "/v1/alerts", body=new)
        self.assertEqual((made.status, {name: made.json()[name] for name in new}), (201, new))
        path = "/v1/alerts/" + made.json()["id"]
        self.assertEqual((call("GET", path, one).json()["notices"], made.json()["state"]["status"]), ([], "ok"))
        self.assertIn(made.json()["id"], [each["id"] for each in call("GET", "/v1/alerts?site=campus").json()["alerts"]])
        self.assertEqual(call("GET", "/v1/alerts?site=moodle").json()["alerts"], [])
        self.assertEqual(call("POST", path + "/test", test).status, 202)
        self.assertEqual(call("GET", path, one).json()["notices"][0]["event"], "alert.test")
        stalled = {**new, "rule": {"site": "campus", "metric": "impressions", "condition": "stalled", "window": "90s", "every": "1m"}, "is_paused": True}
        self.assertEqual(call("PUT", path, one, body=stalled, headers={**admin(), "If-Match": '"1"'}).status, 412)
        self.assertEqual(call("PUT", path, one, body=stalled, headers={**admin(), "If-Match": made.headers["etag"]}).json()["rule"]["window"], "90s")
        self.assertEqual(call("DELETE", path, one, headers={**admin(), "If-Match": made.headers["etag"]}).status, 412)
        self.assertEqual(call("DELETE", path, one).status, 204)
        for method, template, raw in (("GET", one, None), ("DELETE", one, None), ("PUT", one, json.dumps(new).encode()), ("POST", test, None)):
            self.assertEqual(call(method, path + template.removeprefix(one), template, raw=raw).status, 404)
        for wrong in ({"rule": {**rule, "metric": "fame"}}, {"rule": {**rule, "site": "nowhere"}}, {"rule": {**rule, "filter": ["colour=red"]}}, {"rule": {**rule, "window": "1w"}},
                      {"rule": {**rule, "condition": "stalled"}}, {"rule": {**rule, "colour": 1}}, {"url": "http://[::1]/"}, {"name": ""}, {"colour": 1}, {"rule": None}):
            with self.subTest(wrong):
                self.assertEqual(call("POST", "/v1/alerts", raw=json.dumps({**new, **wrong}).encode()).status, 400)
        for method, template in (("GET", "/v1/alerts"), ("POST", "/v1/alerts"), ("GET", one), ("PUT", one), ("DELETE", one), ("POST", test)):
            self.assertEqual(call(method, template.replace("{id}", "x"), template, raw=b"{}" if method in ("POST", "PUT") else None, headers={}).status, 401)

    def test_catalog(self) -> None:
        site = "site-" + uuid.uuid4().hex[:8]
        self.assertEqual(call("POST", "/v1/sites", body={"id": site, "name": "A site", "allowed_origin": "https://a.example"}).status, 201)
        self.assertEqual(call("POST", "/v1/sites", body={"id": site}).status, 409)
        self.assertEqual(call("POST", "/v1/sites", raw=b'{"id":"Not An Id"}').status, 400)
        self.assertEqual(call("POST", "/v1/sites", raw=b'{"id":"a","colour":1}').status, 400)
        self.assertIn(site, [s["id"] for s in call("GET", "/v1/sites").json()["sites"]])
        key = call("POST", f"/v1/sites/{site}/keys", "/v1/sites/{site}/keys").json()["key"]
        self.assertEqual(call("POST", "/v1/sites/nowhere/keys", "/v1/sites/{site}/keys").status, 404)
        own = {"Authorization": "Bearer " + key}
        self.assertEqual(call("POST", "/v1/events", body=impression("s", 1), headers=own).status, 200)
        self.assertEqual(call("POST", "/v1/events", body=impression("s", 2), headers={**own, "Origin": "https://b.example"}).status, 403)
        answer = call("POST", "/v1/events", body=impression("s", 3), headers={**own, "Origin": "https://a.example"})
        self.assertEqual((answer.status, answer.headers["access-control-allow-origin"]), (200, "https://a.example"))
        self.change_site(site, own)
        self.end_keys(site, own)
        for kind, item in (("slots", {"id": "top", "name": "Top"}), ("campaigns", {"id": "law", "name": "Law"}),
                           ("ads", {"id": "law-1", "name": "Law 1", "campaign_id": "law"})):
            template = "/v1/sites/{site}/{kind}"
            self.assertEqual(call("POST", f"/v1/sites/{site}/{kind}", template, body=item).json(), item)
            self.assertEqual(call("GET", f"/v1/sites/{site}/{kind}", template).json()["items"], [item])
            self.assertEqual(call("POST", f"/v1/sites/{site}/{kind}", template, raw=b"[]").status, 400)
        self.assertEqual(call("GET", "/v1/sites/nowhere/slots", "/v1/sites/{site}/{kind}").status, 404)

    def change_site(self, site: str, own: dict[str, str]) -> None:
        """A site has other origins and another rule of consent from the next event on; what is left out stays."""
        put = call("PUT", f"/v1/sites/{site}", "/v1/sites/{site}", body={"allowed_origin": "https://b.example", "consent_required": True})
        self.assertEqual(put.json(), {"id": site, "name": "A site", "allowed_origin": "https://b.example", "consent_required": True})
        told = next(one for one in call("GET", "/v1/sites").json()["sites"] if one["id"] == site)
        self.assertEqual((told["name"], told["allowed_origin"], told["consent_required"]), ("A site", "https://b.example", True))
        for origin, status in (("https://a.example", 403), ("https://b.example", 200)):
            self.assertEqual(call("POST", "/v1/events", body=impression("s", 4), headers={**own, "Origin": origin}).status, status)
        self.assertEqual(call("PUT", "/v1/sites/nowhere", "/v1/sites/{site}", body={"name": "x"}).status, 404)
        for wrong in ({"id": "other"}, {"name": "n" * 201}, {"consent_required": "yes"}):
            self.assertEqual(call("PUT", f"/v1/sites/{site}", "/v1/sites/{site}", raw=json.dumps(wrong).encode()).status, 400)
        call("PUT", f"/v1/sites/{site}", "/v1/sites/{site}", body={"allowed_origin": "https://a.example", "consent_required": False})

    def end_keys(self, site: str, own: dict[str, str]) -> None:
        """A key is told by what it is for, never itself, and opens nothing once it is ended; others go on."""
        path, one = f"/v1/sites/{site}/keys", "/v1/sites/{site}/keys/{key}"
        second = call("POST", path, "/v1/sites/{site}/keys", body={"label": "the app"}).json()["key"]
        listed = call("GET", path, "/v1/sites/{site}/keys")
        self.assertNotIn(second, listed.body.decode())
        first, last = listed.json()["keys"]
        self.assertEqual((first["label"], last["label"], last["is_trusted"], last["made_by"]), ("", "the app", False, "admin"))
        self.assertEqual(call("DELETE", f"{path}/{last['id']}", one).status, 204)
        self.assertEqual(call("DELETE", f"{path}/{last['id']}", one).status, 404)
        self.assertEqual(call("DELETE", f"/v1/sites/nowhere/keys/{first['id']}", one).status, 404)
        self.assertEqual(call("POST", "/v1/events", body=impression("s", 5), headers={"Authorization": "Bearer " + second}).status, 403)
        self.assertEqual(call("POST", "/v1/events", body=impression("s", 5), headers=own).status, 200)
        trusted = [key for key in call("GET", "/v1/sites/campus/keys", "/v1/sites/{site}/keys").json()["keys"] if key["is_trusted"]]
        self.assertEqual(call("DELETE", f"/v1/sites/campus/keys/{trusted[0]['id']}", one).status, 409)
        self.assertEqual(call("POST", path, "/v1/sites/{site}/keys", raw=json.dumps({"label": "n" * 201}).encode()).status, 400)
        self.assertEqual(call("GET", "/v1/retention").json(),
                         {"is_by_hand": False, "events_days": 0, "kinds": {}, "decisions_days": 0, "dead_letters_days": 0})

    def test_campaigns_and_slots(self) -> None:
        site = "site-" + uuid.uuid4().hex[:8]
        self.assertEqual(call("POST", "/v1/sites", body={"id": site}).status, 201)
        ad = {"id": "law-1", "name": "Law", "weight": 2, "is_paused": True,
              "creative": {"kind": "image", "width": 970, "height": 250, "landing_url": "https://a.example/", "fields": {"alt": "Law"}}}
        law = {"id": "law", "name": "Law", "status": "active", "tier": "house", "advertiser": "school", "category": "education", "excludes": ["art"], "zone": "Asia/Kolkata",
               "from": "2026-12-01T00:00:00+05:30", "to": "2026-12-02T00:00:00Z", "schedule": [{"days": ["mon"], "from": "22:00", "to": "06:00", "zone": "UTC"}],
               "targeting": {"all": [{"any": [{"field": "college", "in": ["c1"]}]}, {"not": {"attribute": "grade", "in": ["a"]}}, {"within": {"days": ["sun"]}}]},
               "caps": [{"scope": "ad", "count": 2, "window": "1d"}], "budget": {"daily": {"impressions": 1, "clicks": 2}, "total": {"spend_micros": 3}}, "pacing": "none",
               "price": "cpc", "bid_micros": 5, "share_of_voice": 0.5, "is_roadblock": True, "companions": ["law-1", "law-2"], "ads": [ad, {**ad, "id": "law-2"}]}
        top = {"id": "top", "name": "Top", "page": "home", "kinds": ["image"], "width": 970, "height": 250, "floor_micros": 5, "examination": 0.5}
        for kind, definition in (("campaigns", law), ("slots", top)):
            with self.subTest(kind):
                whole, one = f"/v1/{kind}", f"/v1/{kind}/{{id}}"
                path = f"{whole}/{definition['id']}"
                made = call("POST", f"{whole}?site={site}", body=definition)
                self.assertEqual(made.status, 201, made.body)
                self.assertEqual(call("POST", f"{whole}?site={site}", body=definition).status, 409)
                self.assertEqual([each["id"] for each in call("GET", f"{whole}?site={site}").json()[kind]], [definition["id"]])
                self.assertEqual(call("GET", f"{path}?site={site}", one).json(), made.json())
                changed = call("PUT", f"{path}?site={site}", one, body={**definition, "name": "Other"}, headers={**admin(), "If-Match": made.headers["etag"]})
                self.assertEqual(changed.json()["definition"]["name"], "Other")
                history = call("GET", f"{path}/history?site={site}", one + "/history").json()["history"]
                self.assertEqual([state["version"] for state in history], [changed.json()["version"], made.json()["version"]])
                restore = (f"{path}/restore?site={site}", one + "/restore")
                self.assertEqual(call("POST", *restore, body={"version": 1}).status, 400)
                for method, headers in (("PUT", {**admin(), "If-Match": made.headers["etag"]}), ("DELETE", {**admin(), "If-Match": made.headers["etag"]})):
                    self.assertEqual(call(method, f"{path}?site={site}", one, raw=json.dumps(definition).encode(), headers=headers).status, 412)
                self.assertEqual(call("POST", *restore, body={"version": history[1]["version"]}, headers={**admin(), "If-Match": '"1"'}).status, 412)
                self.assertEqual(call("POST", *restore, body={"version": history[1]["version"]}).json()["definition"], made.json()["definition"])
                self.assertEqual(call("DELETE", f"{path}?site={site}", one).status, 204)
                for method, tail in (("GET", ""), ("DELETE", "")):
                    self.assertEqual(call(method, f"{path}{tail}?site={site}", one).status, 404)
                for method, tail in (("GET", "/history"), ("POST", "/restore")):
                    raw = b'{"version": 1}' if method == "POST" else None
                    self.assertEqual(call(method, f"{whole}/nothing{tail}?site={site}", one + tail, raw=raw).status, 404)
                for method, tail, template in (("GET", "", whole), ("POST", "", whole), ("GET", "/x", one), ("PUT", "/x", one), ("DELETE", "/x", one),
                                               ("GET", "/x/history", one + "/history"), ("POST", "/x/restore", one + "/restore")):
                    raw = json.dumps({"version": 1} if "restore" in tail else {**definition, "id": "x"}).encode() if method in ("POST", "PUT") else None
                    self.assertEqual(call(method, f"{whole}{tail}?site={site}", template, raw=raw, headers={}).status, 401)
                    self.assertEqual(call(method, f"{whole}{tail}?site=nowhere", template, raw=raw).status, 400)

    def test_the_demo(self) -> None:
        visit = call("POST", "/v1/demo/visits", headers={}).json()
        asked = {"user_id": visit["visit"] + ".asha", "consent": "full", "age": 20, "names": {"category": ["law"], "word": ["jury"], "course": ["course-1"]}}
        self.assertEqual(call("POST", "/v1/demo/profile", body=asked, headers={}).json(), {"personal": True, "profile": None, "segments": []})
        events = [impression("demo", seq, user_id=asked["user_id"], consent="full", age=20) for seq in (1, 2)]
        self.assertEqual(call("POST", "/v1/events", body=events, headers={"Authorization": "Bearer " + visit["key"]}).status, 200)
        wait_until(lambda: call("POST", "/v1/demo/profile", body=asked, headers={}).json()["profile"], 20, "the profile")
        self.assertEqual(call("POST", "/v1/demo/profile", body={"user_id": "student-1"}, headers={}).status, 403)
        self.assertEqual(call("POST", "/v1/demo/profile", raw=b"[]", headers={}).status, 400)
        self.assertEqual(call("GET", "/v1/demo/decisions/0", "/v1/demo/decisions/{id}", headers={}).status, 404)
        decision = call("POST", "/v1/decisions", body={"placements": [{"slot_id": "home-top"}]}, headers={"Authorization": "Bearer " + visit["key"]}).json()
        explained = call("GET", f"/v1/demo/decisions/{decision['decision_id']}", "/v1/demo/decisions/{id}", headers={}).json()
        self.assertEqual(explained["placements"][0]["because"], decision["placements"][0]["because"])

    def test_operation(self) -> None:
        self.assertTrue(call("GET", "/v1/status").json()["is_ready"])
        wait_until(lambda: call("GET", "/v1/pipeline").json()["store_answers"], 20, "a look at the pipeline")
        pipeline = call("GET", "/v1/pipeline").json()
        self.assertEqual((len(pipeline["partitions"]), pipeline["log_kind"], len(pipeline["history"]) > 0), (1, "local", True))
        self.assertEqual(call("GET", "/v1/pipeline", headers={}).status, 401)
        wait_until(lambda: call("GET", "/v1/models").json()["versions"], 20, "the first version of the model")
        self.assertEqual(call("GET", "/v1/models", headers={}).status, 401)
        for path in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
            self.assertEqual(call("GET", path, headers={}).status, 200)

    def test_accounts_sessions_and_audit(self) -> None:
        """What it means is in test_sign_in.py and test_oidc.py."""
        good, one = "correct horse battery", "/v1/accounts/{name}"
        self.assertEqual(call("GET", "/v1/session", headers={}).json(), {"is_signed_in": False, "has_accounts": False})
        self.assertEqual(call("GET", "/v1/session").json()["name"], "admin")
        for name, role in (("root", "admin"), ("reader", "viewer")):
            self.assertEqual(call("POST", "/v1/accounts", body={"name": name, "role": role, "password": good}).status, 201)
        self.assertEqual(call("POST", "/v1/accounts", body={"name": "root", "role": "admin", "password": good}).status, 409)
        for wrong in ({"name": "Big"}, {"role": "root"}, {"password": "short"}, {"password": "x" * 300}, {"more": 1}):
            raw = json.dumps({"name": "x", "role": "viewer", "password": good, **wrong}).encode()
            self.assertEqual(call("POST", "/v1/accounts", raw=raw).json()["error"]["field"], next(iter(wrong)))
        self.assertEqual([account["name"] for account in call("GET", "/v1/accounts").json()["accounts"]], ["reader", "root"])

        signed_in = call("POST", "/v1/session", body={"name": "reader", "password": good}, headers={})
        self.assertEqual(signed_in.json()["role"], "viewer")
        cookie = {"Cookie": signed_in.headers["set-cookie"].split(";")[0], "Origin": MARQUEE.url}
        self.assertEqual(call("GET", "/v1/sites", headers=cookie).status, 200)
        self.assertEqual(call("GET", "/v1/accounts", headers=cookie).json()["error"]["role"], "admin")
        self.assertEqual(call("POST", "/v1/session", body={"name": "reader", "password": "wrong"}, headers={}).status, 401)
        self.assertEqual(call("POST", "/v1/session", raw=b"[]", headers={}).status, 400)
        changed = {"current": good, "password": good + "!"}
        self.assertEqual(call("PUT", "/v1/session/password", body=changed).status, 400)
        self.assertEqual(call("PUT", "/v1/session/password", body=changed, headers=cookie).status, 204)

        self.assertEqual(call("PUT", "/v1/accounts/reader/role", one + "/role", body={"role": "analyst"}).json()["role"], "analyst")
        self.assertEqual(call("PUT", "/v1/accounts/root/role", one + "/role", body={"role": "viewer"}).status, 409)
        self.assertEqual(call("PUT", "/v1/accounts/nobody/role", one + "/role", body={"role": "viewer"}).status, 404)
        self.assertEqual(call("DELETE", "/v1/accounts/reader/sessions", one + "/sessions").json(), {"ended": 1})
        self.assertEqual(call("DELETE", "/v1/accounts/nobody/sessions", one + "/sessions").status, 404)
        self.assertEqual(call("GET", "/v1/sites", headers=cookie).status, 401)
        self.assertEqual(call("PUT", "/v1/accounts/reader/password", one + "/password", body={"password": good}).status, 204)
        self.assertEqual(call("PUT", "/v1/accounts/nobody/password", one + "/password", body={"password": good}).status, 404)
        self.assertEqual(call("DELETE", "/v1/session", headers=cookie).status, 204)
        self.assertEqual(call("DELETE", "/v1/accounts/reader", one).status, 204)
        self.assertEqual(call("DELETE", "/v1/accounts/root", one).status, 409)

        entries = call("GET", "/v1/audit?actor=reader&limit=2").json()["entries"]
        self.assertEqual(entries[0]["actor"], "reader")
        self.assertEqual(call("GET", f"/v1/audit?before={entries[-1]['time']}").status, 200)
        for wrong in ("limit=0", "limit=1001", "before=soon"):
            self.assertEqual(call("GET", "/v1/audit?" + wrong).status, 400)
        self.assertEqual(call("GET", "/v1/session/oidc?to=/ctr", headers={}).status, 404)
        self.assertEqual(call("GET", "/v1/session/oidc/callback?code=c&state=s", headers={}).headers["location"], "/ctr#sign-in=failed")

    def test_dead_letters(self) -> None:
        MARQUEE.sql("INSERT INTO marquee.dead_letters VALUES ('t', 3, 7, 1, 'broken', unhex('00FF'), now64(3)), ('', 0, 8, 2, 'refused: x', "
                    "'{\"type\":\"click\",\"site_id\":\"campus\",\"session_id\":\"dead\",\"seq\":1}', now64(3))")
        listed = call("GET", "/v1/dead-letters").json()
        self.assertEqual((listed["count"], listed["unreplayed"], len(listed["letters"]), listed["next"]), (2, 2, 2, None))
        self.assertEqual(call("GET", "/v1/dead-letters?limit=0").json()["letters"], [])
        page = call("GET", "/v1/dead-letters?limit=1&reason=e&replayed=no&since=2026-01-01T00:00:00Z").json()
        self.assertEqual(call("GET", "/v1/dead-letters?limit=1&after=" + page["next"]).json()["count"], 2)
        self.assertEqual(call("GET", "/v1/dead-letters?source=t").json()["letters"][0]["text"], "00 ff")
        for query in ("limit=1001", "limit=x", "since=soon", "replayed=maybe", "after=x", "after=1/2/3/x/t"):
            with self.subTest(query):
                answer = call("GET", "/v1/dead-letters?" + query)
                self.assertEqual((answer.status, answer.json()["error"]["field"]), (400, query.split("=")[0]))
        template = "/v1/dead-letters/replay"
        answer = call("POST", template, body={"dry_run": True}).json()
        self.assertEqual((answer["tried"], answer["replayed"], len(answer["unreadable"])), (2, 1, 1))
        self.assertEqual(call("POST", template, body={"reason": "refused", "source": "", "since": "2026-01-01T00:00:00Z"}).json()["replayed"], 1)
        mended = {"topic": "t", "partition": 3, "offset": 7, "event": impression("dead", 2, site_id="campus")}
        self.assertEqual(call("POST", template, body={"letters": [mended]}).json()["replayed"], 1)
        self.assertEqual(call("POST", template, body={"letters": [{**mended, "offset": 9}]}).json()["unreadable"],
                         [{"topic": "t", "partition": 3, "offset": 9, "reason": "there is no such dead letter"}])
        self.assertEqual(call("GET", "/v1/dead-letters").json()["unreplayed"], 0)
        for raw in (b"[]", b'{"colour":1}', b'{"dry_run":1}', b'{"since":"soon"}', b'{"letters":[]}', b'{"letters":[{}]}', b'{"after":"x"}',
                    b'{"letters":[{"topic":"t","partition":-1,"offset":1,"event":{}}]}', b'{"letters":[{"topic":"t","partition":1,"offset":1}]}',
                    b'{"letters":[{"topic":"t","partition":1,"offset":1,"bytes_base64":"!"}]}', b'{"reason":"x","letters":[{}]}'):
            with self.subTest(raw):
                self.assertEqual(call("POST", template, raw=raw).status, 400)
        self.assertEqual(call("GET", "/v1/dead-letters", headers={}).status, 401)
        self.assertEqual(call("POST", template, raw=b"{}", headers={}).status, 401)

    def test_live_ticks_within_a_quarter_of_a_second(self) -> None:
        received = threading.Event()
        ticks: list[tuple[float, dict[str, Any]]] = []

        def listen() -> None:
            asked = urllib.request.Request(MARQUEE.url + "/v1/live?site=campus", headers=admin())
            with urllib.request.urlopen(asked, timeout=20) as stream:
                received.set()
                for line in stream:
                    if line.startswith(b"data: "):
                        ticks.append((time.monotonic(), json.loads(line[6:])))
                        if len(ticks) > 400 or stopped.is_set():
                            return

        stopped = threading.Event()
        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        self.assertTrue(received.wait(10))
        # What other tests sent has landed, and the next tick after that has told it.
        wait_until(lambda: MARQUEE.api("/v1/status").json()["loader"]["lag_events"] == 0, 30, "earlier events to land")
        landed = len(ticks)
        wait_until(lambda: len(ticks) >= landed + 2, 10, "two ticks")
        told, rounds, delays = len(ticks), 0, []
        # The machine may be busy with something else for a while: one round of three has to keep the bound.
        while rounds < 3 and (not delays or sorted(delays)[5] >= 0.25):
            rounds, delays = rounds + 1, []
            for i in range(10):
                before = sum(t["events"] for _, t in ticks)
                sent = time.monotonic()
                call("POST", "/v1/events", body=[impression(uuid.uuid4().hex, 1), {**impression("s", 1), "type": "click", "session_id": uuid.uuid4().hex}],
                     headers=writer())
                wait_until(lambda seen=before: sum(t["events"] for _, t in ticks) >= seen + 2, 5, "a tick", 0.005)
                delays.append(next(at for at, t in reversed(ticks) if t["events"]) - sent)
                time.sleep(0.13 + 0.01 * i)
        stopped.set()
        thread.join(5)
        for _, tick in ticks:
            schema_check(tick, DOCUMENT["components"]["schemas"]["LiveTick"])
        moved = [t for _, t in ticks[told:] if t["events"]]
        self.assertEqual(sum(t["by_type"].get("click", 0) for t in moved), 10 * rounds)
        self.assertEqual(sum(t["by_campaign"]["law"]["clicks"] for t in moved if "law" in t["by_campaign"]), 10 * rounds)
        print(f"\nlive, round {rounds}: from sent to seen, median {sorted(delays)[5] * 1000:.0f} ms, worst {max(delays) * 1000:.0f} ms")
        self.assertLess(sorted(delays)[5], 0.25)
        SEEN.add(("get", "/v1/live"))

    def test_live_campaigns_by_second_minute_and_day(self) -> None:
        """What every stream has told at last is what was sent, wherever it began to listen; days are what the report of metrics says."""
        told: dict[tuple[str, int], dict[tuple[str, str], dict[str, Any]]] = {}
        kinds: dict[tuple[str, int], list[str]] = {}
        stopped = threading.Event()

        def listen(unit: str, number: int) -> None:
            asked = urllib.request.Request(MARQUEE.url + f"/v1/live/campaigns?site=campus&unit={unit}", headers=admin())
            with urllib.request.urlopen(asked, timeout=20) as stream:
                for line in stream:
                    if stopped.is_set():
                        return
                    if line.startswith(b"event: "):
                        kinds.setdefault((unit, number), []).append(line[7:].decode().strip())
                    if line.startswith(b"data: "):
                        body = json.loads(line[6:])
                        schema_check(body, DOCUMENT["components"]["schemas"]["LiveCampaigns"])
                        self.assertEqual(body["unit"], unit)
                        cells = told.setdefault((unit, number), {})
                        cells.update({(id, point["time"]): point for id, points in body["campaigns"].items() for point in points})

        def start(number: int) -> list[threading.Thread]:
            threads = [threading.Thread(target=listen, args=(unit, number), daemon=True) for unit in ("second", "minute", "day")]
            for thread in threads:
                thread.start()
            wait_until(lambda: sum(n == number for _, n in list(told)) == 3, 20, "every window")
            return threads

        def of_chess(unit: str, number: int) -> list[int]:
            points = [point for (id, _), point in list(told.get((unit, number), {}).items()) if id == "chess"]
            return [sum(p[measure] for p in points) for measure in ("impressions", "clicks", "conversions")]

        def send(count: int, ago_seconds: float, kind: str = "impression") -> None:
            at = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=ago_seconds)
            for _ in range(count):
                event = {**impression(uuid.uuid4().hex, 1), "type": kind, "campaign_id": "chess", "ts": at.isoformat()}
                self.assertEqual(call("POST", "/v1/events", body=[event], headers=writer()).status, 200)

        threads = start(1)
        send(3, 0)
        send(1, 0, "click")
        send(2, 600)        # In the hour, and of today or yesterday, but not in the minute.
        send(1, 2 * 86400)  # In the thirty days only.
        wanted = {"second": [3, 1, 0], "minute": [5, 1, 0], "day": [6, 1, 0]}
        for unit, counts in wanted.items():
            wait_until(lambda unit=unit, counts=counts: of_chess(unit, 1) == counts, 15, f"{counts} by {unit}, not {of_chess(unit, 1)}")
        # Who comes later hears the same at once, and from then on what changes.
        threads += start(2)
        self.assertEqual({unit: of_chess(unit, 2) for unit in wanted}, wanted)
        send(1, 0, "conversion")
        for unit, (impressions, clicks, _) in wanted.items():
            for number in (1, 2):
                wait_until(lambda u=unit, n=number, c=[impressions, clicks, 1]: of_chess(u, n) == c, 15, f"the conversion by {unit}")
        for heard in kinds.values():
            self.assertEqual((heard[0], set(heard[1:])), ("window", {"changes"}))
        days = call("GET", "/v1/reports/metrics?site=campus&by=campaign_id&metrics=impressions,clicks,conversions").json()
        self.assertEqual([[m["value"] for m in row["values"]] for row in days["rows"] if row["keys"] == ["chess"]], [[6, 1, 1]])
        stopped.set()
        for thread in threads:
            thread.join(10)
        self.assertEqual(call("GET", "/v1/live/campaigns?site=campus&unit=week").status, 400)
        self.assertEqual(call("GET", "/v1/live/campaigns?site=nowhere").status, 400)
        self.assertEqual(call("GET", "/v1/live/campaigns?site=campus", headers={}).status, 401)
        SEEN.add(("get", "/v1/live/campaigns"))

    def test_zz_every_operation_was_called(self) -> None:
        documented = {(method, path) for path, item in DOCUMENT["paths"].items() for method in item if method in ("get", "post", "put", "delete")}
        self.assertEqual(documented - SEEN, set())


if __name__ == "__main__":
    unittest.main()
