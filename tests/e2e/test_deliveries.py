"""Saved reports sent to webhooks, and alerts: real receivers over HTTP and HTTPS, that fail, stay silent, or are not to be trusted."""

from __future__ import annotations

import datetime
import os
import pathlib
import ssl
import subprocess
import tempfile
import time
import unittest
import uuid
from typing import Any

from tests.support.marquee import Marquee, request, wait_until
from tests.support.webhooks import Receiver, is_signed

MARQUEE: Marquee
RECEIVER: Receiver
CERTIFICATES: tempfile.TemporaryDirectory[str]
SCHEDULE = {"every": "minutes", "minutes": 1440}
SETTINGS = {"MARQUEE_WEBHOOKS_ALLOW_PRIVATE": "true", "MARQUEE_WEBHOOKS_RETRY": "100ms", "MARQUEE_WEBHOOKS_TIMEOUT": "1s",
            "MARQUEE_WEBHOOKS_MAX_TRIES": "4", "MARQUEE_WEBHOOKS_MAX_FAILURES": "2"}


def setUpModule() -> None:
    global MARQUEE, RECEIVER, CERTIFICATES
    CERTIFICATES = tempfile.TemporaryDirectory(prefix="marquee-certificates-")
    for name in ("known", "unknown"):
        make_certificates(name)
    MARQUEE = Marquee({**SETTINGS, "MARQUEE_WEBHOOKS_CA_FILE": certificate("known", "ca.pem")})
    MARQUEE.start()
    RECEIVER = Receiver().__enter__()
    MARQUEE.post_events([event(i, "impression" if i % 4 else "click", campaign="law" if i % 2 else "art") for i in range(1, 201)])
    wait_until(lambda: MARQUEE.count("SELECT count() FROM marquee.events") == 200, 20, "the events")


def tearDownModule() -> None:
    MARQUEE.__exit__(None, None, None)
    RECEIVER.__exit__(None, None, None)
    CERTIFICATES.cleanup()


def certificate(name: str, file: str) -> str:
    return str(pathlib.Path(CERTIFICATES.name, name + "-" + file))


def openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def make_certificates(name: str) -> None:
    """An authority, and a certificate for localhost that it signs."""
    ca, ca_key, key, asked, signed, names = (certificate(name, file) for file in ("ca.pem", "ca.key", "key.pem", "request.pem", "cert.pem", "names"))
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *curve, "-keyout", ca_key, "-out", ca, "-days", "2", "-subj", f"/CN={name} authority")
    openssl("req", *curve, "-keyout", key, "-out", asked, "-subj", "/CN=receiver")
    pathlib.Path(names).write_text("subjectAltName=DNS:localhost\n")
    openssl("x509", "-req", "-in", asked, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "2", "-extfile", names, "-out", signed)


def tls_of(name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(name, "cert.pem"), certificate(name, "key.pem"))
    return context


def event(seq: int, kind: str, campaign: str = "law", age: float = 0, session: str = "") -> dict[str, Any]:
    return {"type": kind, "session_id": session or "s", "seq": seq, "campaign_id": campaign, "ad_id": "a", "slot_id": "top", "position": 1,
            "consent": "full", "user_id": "u1", "event_time": int((time.time() - age) * 1000)}


def save(kind: str = "ctr", **parameters: Any) -> dict[str, Any]:
    answer = MARQUEE.api("/v1/saved-reports", "POST", {"name": "CTR of Käse", "kind": kind, "parameters": {"site": "campus", "last": "7d", **parameters}})
    assert answer.status == 201, answer.body
    return answer.json()


def deliver(path: str, report: str, schedule: dict[str, Any] | None = None, url: str = "", **more: Any) -> dict[str, Any]:
    answer = MARQUEE.api("/v1/deliveries", "POST", {"report": report, "url": url or f"http://127.0.0.1:{RECEIVER.port}{path}",
                                                    "schedule": schedule or SCHEDULE, **more})
    assert answer.status == 201, answer.body
    return answer.json()


def send(delivery: dict[str, Any]) -> None:
    assert MARQUEE.api(f"/v1/deliveries/{delivery['id']}/send", "POST").status == 202


def notices(delivery: dict[str, Any]) -> list[dict[str, Any]]:
    return list(MARQUEE.api(f"/v1/deliveries/{delivery['id']}").json()["notices"])


def done(delivery: dict[str, Any], count: int = 1, timeout: float = 15) -> list[dict[str, Any]]:
    """The delivery's notices, once so many are done."""
    wait_until(lambda: len([one for one in notices(delivery) if one["done"]]) >= count, timeout, f"{count} notices to be done: {notices(delivery)}")
    return notices(delivery)


class Deliveries(unittest.TestCase):
    def test_sends_the_report_signed_and_with_its_numbers(self) -> None:
        report = save(by=["campaign_id"], filter=["campaign_id=law,art"])
        delivery = deliver("/json", report["id"])
        send(delivery)
        got = RECEIVER.wait("/json", 1)[0]
        self.assertTrue(is_signed(got, delivery["secret"]))
        self.assertFalse(is_signed(got, deliver("/other", report["id"])["secret"]))
        body = got.json()
        self.assertEqual((body["type"], body["data"]["id"], body["data"]["report"]["address"]), ("report.test", got.id, report["address"]))
        self.assertEqual(body["data"]["answer"], MARQUEE.api(f"/v1/saved-reports/{report['id']}/answer").json())
        self.assertEqual(sorted(row["impressions"] for row in body["data"]["answer"]["rows"]), [50, 100])
        self.assertEqual(got.headers["content-type"], "application/json")
        only = done(delivery)
        self.assertEqual([(one["status"], one["tries"], one["http_status"], one["id"]) for one in only], [("sent", 1, 204, got.id)])
        self.assertNotIn("secret", MARQUEE.api(f"/v1/deliveries/{delivery['id']}").json())

    def test_sends_files_as_the_api_gives_them(self) -> None:
        report = save(by=["campaign_id"])
        for form, begin in (("csv", b"campaign_id,"), ("parquet", b"PAR1"), ("png", b"\x89PNG")):
            delivery = deliver("/" + form, report["id"], format=form)
            send(delivery)
            got = RECEIVER.wait("/" + form, 1)[0]
            self.assertTrue(is_signed(got, delivery["secret"]))
            asked = MARQUEE.api(f"/v1/saved-reports/{report['id']}/answer?format={form}")
            for name in ("content-type", "content-disposition"):
                self.assertEqual(got.headers[name], asked.headers[name])
            self.assertEqual(got.body[:len(begin)], begin)
            if form == "csv":
                self.assertEqual(got.body, asked.body)

    def test_tries_again_with_the_same_id_and_the_same_body(self) -> None:
        RECEIVER.answer = lambda received, number: 503 if received.path == "/fails-twice" and number < 2 else 204
        delivery = deliver("/fails-twice", save()["id"])
        send(delivery)
        got = RECEIVER.wait("/fails-twice", 3)
        self.assertEqual({(one.id, one.body) for one in got}, {(got[0].id, got[0].body)})
        self.assertTrue(all(is_signed(one, delivery["secret"]) for one in got))
        self.assertGreaterEqual(got[2].at - got[1].at, 0.1)
        self.assertEqual([(one["status"], one["tries"], one["error"]) for one in done(delivery)], [("sent", 3, "")])

    def test_a_receiver_that_never_answers_holds_up_no_other(self) -> None:
        RECEIVER.answer = lambda received, number: None if received.path == "/silent" else 204
        report = save()["id"]
        silent = deliver("/silent", report)
        send(silent)
        RECEIVER.wait("/silent", 1)
        other = deliver("/meanwhile", report)
        send(other)
        RECEIVER.wait("/meanwhile", 1)
        self.assertEqual(notices(silent)[0]["status"], "waiting")
        last = done(silent)[0]
        self.assertEqual((last["status"], last["tries"]), ("failed", 4))
        self.assertIn("did not answer in time", last["error"])

    def test_follows_no_redirect(self) -> None:
        RECEIVER.answer = lambda received, number: 302 if received.path == "/moved" else 204
        delivery = deliver("/moved", save()["id"])
        send(delivery)
        last = done(delivery)[0]
        self.assertEqual((last["status"], last["http_status"]), ("failed", 302))
        self.assertEqual(RECEIVER.at("/elsewhere"), [])

    def test_over_tls_to_whom_a_known_authority_vouches_for(self) -> None:
        report = save()["id"]
        with Receiver(tls_of("known")) as known, Receiver(tls_of("unknown")) as unknown:
            fine = deliver("", report, url=f"https://localhost:{known.port}/tls")
            untrusted = deliver("", report, url=f"https://localhost:{unknown.port}/tls")
            misnamed = deliver("", report, url=f"https://127.0.0.1:{known.port}/misnamed")
            for delivery in (fine, untrusted, misnamed):
                send(delivery)
            self.assertTrue(is_signed(known.wait("/tls", 1)[0], fine["secret"]))
            for delivery in (untrusted, misnamed):
                last = done(delivery)[0]
                self.assertEqual(last["status"], "failed")
                self.assertIn("no safe connection", last["error"])
            self.assertEqual((unknown.received, known.at("/misnamed")), ([], []))

    def test_what_cannot_be_made_is_given_up_and_says_why(self) -> None:
        delivery = deliver("/no-picture", save(filter=["city=nowhere"])["id"], format="png")
        send(delivery)
        last = done(delivery)[0]
        self.assertEqual((last["status"], last["tries"]), ("failed", 1))
        self.assertIn("no picture", last["error"])

    def test_a_receiver_that_is_gone_pauses_it(self) -> None:
        RECEIVER.answer = lambda received, number: 410 if received.path == "/gone" else 204
        delivery = deliver("/gone", save()["id"])
        path = f"/v1/deliveries/{delivery['id']}"
        due_now(delivery["id"])
        wait_until(lambda: MARQUEE.api(path).json()["is_paused"], 10, "the pause")
        self.assertIn("gone", MARQUEE.api(path).json()["pause_reason"])
        again = {name: delivery[name] for name in ("report", "url", "schedule")}
        resumed = MARQUEE.api(path, "PUT", again).json()
        self.assertEqual((resumed["is_paused"], resumed["pause_reason"], resumed["failures"]), (False, "", 0))

    def test_sends_what_was_due_when_it_was_killed_once_it_is_back(self) -> None:
        RECEIVER.answer = lambda received, number: None if received.path == "/killed" and number == 0 else 204
        delivery = deliver("/killed", save()["id"])
        due = due_now(delivery["id"])
        RECEIVER.wait("/killed", 1)
        MARQUEE.kill()
        time.sleep(0.2)
        MARQUEE.start()
        first, second = RECEIVER.wait("/killed", 2)
        self.assertEqual((first.id, first.body), (second.id, second.body))
        self.assertEqual(first.id, f"msg_{delivery['id']}_{due}")
        self.assertEqual([(one["status"], one["id"]) for one in done(delivery)], [("sent", first.id)])
        self.assertEqual(len(RECEIVER.at("/killed")), 2)

    def test_says_what_it_has_done_to_prometheus(self) -> None:
        delivery = deliver("/measured", save()["id"])
        send(delivery)
        done(delivery)
        text = request(MARQUEE.url + "/metrics").body.decode()
        for name in ("marquee_webhook_sent_total", "marquee_webhook_failed_total", "marquee_webhook_late_seconds_count"):
            self.assertIn(name, text)

    def test_the_command_line_lists_adds_and_removes(self) -> None:
        report = save()["id"]
        url = f"http://127.0.0.1:{RECEIVER.port}/cli"
        added = MARQUEE.run("report", "deliveries", "add", report, url, "--at", "08:00", "--zone", "Asia/Kolkata", "--format", "csv").stdout
        self.assertIn("whsec_", added)
        line = next(line for line in MARQUEE.run("report", "deliveries").stdout.splitlines() if url in line)
        MARQUEE.run("report", "deliveries", "remove", line.split()[0])
        self.assertNotIn(url, MARQUEE.run("report", "deliveries").stdout)
        rule = ("--metric", "ctr", "--fell", "30", "--window", "1h", "--every", "5m", "--filter", "campaign_id=law", "--min-count", "100")
        self.assertIn("whsec_", MARQUEE.run("alerts", "add", "CTR of law", url, "--site", "campus", *rule).stdout)
        line = next(line for line in MARQUEE.run("alerts").stdout.splitlines() if "CTR of law" in line)
        MARQUEE.run("alerts", "remove", line.split()[0])
        self.assertNotIn("CTR of law", MARQUEE.run("alerts").stdout)


def due_now(delivery: str) -> int:
    """Makes it due by its catalog, as if its time had come; the due time. (The clock of a process cannot be set.)"""
    due = int(time.time() * 1000) // 86_400_000 * 86_400_000
    program = ("import sqlite3, sys; c = sqlite3.connect(sys.argv[1], timeout=10); "
               "c.execute('UPDATE deliveries SET next_due_ms = ? WHERE id = ?', (int(sys.argv[2]), sys.argv[3])); c.commit()")
    subprocess.run(["/usr/bin/python3", "-c", program, os.path.join(MARQUEE.data_dir, "catalog.sqlite"), str(due), delivery], check=True)
    return due


class DefaultConfiguration(unittest.TestCase):
    def test_sends_nothing_to_addresses_that_are_not_public(self) -> None:
        with Marquee() as marquee, Receiver() as receiver:
            report = marquee.api("/v1/saved-reports", "POST", {"name": "x", "kind": "ctr", "parameters": {"site": "campus"}}).json()["id"]

            def add(host: str) -> Any:
                return marquee.api("/v1/deliveries", "POST", {"report": report, "url": f"http://{host}:{receiver.port}/", "schedule": SCHEDULE})

            for host in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "[fd00::1]"):
                answer = add(host)
                self.assertEqual((answer.status, answer.json()["error"]["field"]), (400, "url"), host)
            # A name, and ways to write an address that are none of text, are seen through when they are resolved.
            for host in ("localhost", "0x7f.1", "2130706433"):
                delivery = add(host).json()
                self.assertEqual(marquee.api(f"/v1/deliveries/{delivery['id']}/send", "POST").status, 202)
                path = f"/v1/deliveries/{delivery['id']}"
                wait_until(lambda path=path: marquee.api(path).json()["notices"][0]["done"], 10, "the notice")
                last = marquee.api(path).json()["notices"][0]
                self.assertEqual((last["status"], last["tries"]), ("failed", 1))
                self.assertIn("no public address", last["error"])
            self.assertEqual(receiver.received, [])


class Alerts(unittest.TestCase):
    """Windows of some seconds, so that all of it is seen while the test waits."""

    def setUp(self) -> None:
        RECEIVER.answer = lambda received, number: 204

    def alert(self, path: str, campaign: str, **rule: Any) -> dict[str, Any]:
        answer = MARQUEE.api("/v1/alerts", "POST", {
            "name": path, "url": f"http://127.0.0.1:{RECEIVER.port}{path}",
            "rule": {"site": "campus", "filter": [f"campaign_id={campaign}"], "every": "1s", **rule}})
        self.assertEqual(answer.status, 201, answer.body)
        return answer.json()

    def post(self, campaign: str, impressions: int, clicks: int, age: float = 0) -> None:
        session = uuid.uuid4().hex
        events = [event(i + 1, "impression" if i < impressions else "click", campaign, age, session) for i in range(impressions + clicks)]
        before = MARQUEE.count(f"SELECT count() FROM marquee.events WHERE campaign_id = '{campaign}'")
        self.assertEqual(MARQUEE.post_events(events).status, 200)
        wait_until(lambda: MARQUEE.count(f"SELECT count() FROM marquee.events WHERE campaign_id = '{campaign}'") == before + len(events), 10, "the events")

    def told(self, path: str, count: int) -> list[str]:
        return [one.json()["type"] for one in RECEIVER.wait(path, count, 20)]

    def checks(self, alert: dict[str, Any], count: int) -> None:
        """Waits for so many checks more."""
        for _ in range(count):
            last = self.state(alert)["checked"]
            wait_until(lambda last=last: self.state(alert)["checked"] != last, 10, "a check")

    def state(self, alert: dict[str, Any]) -> dict[str, Any]:
        return dict(MARQUEE.api(f"/v1/alerts/{alert['id']}").json()["state"])

    def test_a_ctr_that_falls_is_told_once_and_once_when_it_is_back(self) -> None:
        campaign = "falls-" + uuid.uuid4().hex[:6]
        self.post(campaign, 1000, 200, age=40)
        self.post(campaign, 1000, 20, age=0.5)
        alert = self.alert("/falls", campaign, metric="ctr", condition="fell", threshold=50, window="30s", min_count=500)
        self.assertEqual(self.told("/falls", 1), ["alert.firing"])
        fallen = RECEIVER.at("/falls")[0]
        self.assertTrue(is_signed(fallen, alert["secret"]))
        self.assertEqual((fallen.json()["data"]["now"]["value"], fallen.json()["data"]["before"]["value"]), (0.02, 0.2))
        self.checks(alert, 2)
        self.assertEqual((self.state(alert)["status"], len(RECEIVER.at("/falls"))), ("firing", 1))
        self.post(campaign, 3000, 900)
        self.assertEqual(self.told("/falls", 2), ["alert.firing", "alert.resolved"])
        self.checks(alert, 2)
        self.assertEqual((self.state(alert)["status"], len(RECEIVER.at("/falls"))), ("ok", 2))

    def test_few_impressions_and_what_may_be_chance_tell_nothing(self) -> None:
        campaign = "few-" + uuid.uuid4().hex[:6]
        self.post(campaign, 3, 0)
        few = self.alert("/few", campaign, metric="ctr", condition="below", threshold=0.9, window="1m", min_count=100)
        chance = self.alert("/chance", campaign, metric="ctr", condition="below", threshold=0.1, window="1m")
        self.checks(few, 1)
        self.checks(chance, 1)
        self.assertEqual((self.state(few)["verdict"], self.state(few)["now"]["count"]), ("no_data", 3))
        self.assertEqual(self.state(chance)["verdict"], "unclear")
        self.assertEqual(RECEIVER.at("/few") + RECEIVER.at("/chance"), [])

    def test_a_delivery_that_stalls_is_told_and_one_that_never_was_is_not(self) -> None:
        campaign, silent = "stalls-" + uuid.uuid4().hex[:6], "silent-" + uuid.uuid4().hex[:6]
        self.post(campaign, 50, 0, age=10)
        stall = {"metric": "impressions", "condition": "stalled", "window": "5s"}
        alert, never = self.alert("/stalls", campaign, **stall), self.alert("/never", silent, **stall)
        self.assertEqual(self.told("/stalls", 1), ["alert.firing"])
        self.checks(alert, 2)
        self.post(campaign, 5, 0)
        self.assertEqual(self.told("/stalls", 2), ["alert.firing", "alert.resolved"])
        self.checks(never, 1)
        self.assertEqual((self.state(never)["verdict"], RECEIVER.at("/never")), ("no_data", []))

    def test_its_state_outlives_the_process_and_nothing_is_told_twice(self) -> None:
        campaign = "outlives-" + uuid.uuid4().hex[:6]
        self.post(campaign, 50, 0)
        alert = self.alert("/outlives", campaign, metric="impressions", condition="above", threshold=10, window="9m")
        self.told("/outlives", 1)
        wait_until(lambda: MARQUEE.api(f"/v1/alerts/{alert['id']}").json()["notices"][0]["done"], 10, "the notice to be written down")
        since = self.state(alert)["since"]
        MARQUEE.kill()
        MARQUEE.start()
        back = datetime.datetime.now(datetime.timezone.utc).isoformat()
        wait_until(lambda: self.state(alert)["checked"] > back and not self.state(alert)["error"], 20, "a check")
        self.checks(alert, 2)
        self.assertEqual((self.state(alert)["status"], self.state(alert)["since"], len(RECEIVER.at("/outlives"))), ("firing", since, 1))


if __name__ == "__main__":
    unittest.main()
