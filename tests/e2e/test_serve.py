"""`marquee serve` as a user starts it: real HTTP, the real engine. One Marquee for the whole module."""

from __future__ import annotations

import gzip
import json
import os
import socket
import stat
import subprocess
import time
import unittest
import uuid
from typing import Any

from tests.support.marquee import BINARY, Marquee, request, wait_until

MARQUEE: Marquee


def setUpModule() -> None:
    global MARQUEE
    MARQUEE = Marquee()
    MARQUEE.start()


def tearDownModule() -> None:
    MARQUEE.__exit__(None, None, None)


def key(site: str = "campus") -> dict[str, str]:
    return {"Authorization": "Bearer " + MARQUEE.runtime["write_keys"][site]}


def events(count: int, session: str, **fields: Any) -> list[dict[str, Any]]:
    return [{"type": "page_view", "session_id": session, "seq": i + 1, "page_path": "/" + session, "consent": "full", **fields}
            for i in range(count)]


def landed(session: str) -> int:
    return MARQUEE.count(f"SELECT count() FROM marquee.events WHERE page_path = '/{session}'")


def wait_landed(session: str, count: int) -> None:
    wait_until(lambda: landed(session) >= count, 20, f"{count} events of {session}")
    assert landed(session) == count, f"{landed(session)} events of {session}, expected {count}"


class Collecting(unittest.TestCase):
    def setUp(self) -> None:
        self.session = uuid.uuid4().hex

    def post(self, body: bytes, headers: dict[str, str] | None = None, path: str = "/v1/events") -> Any:
        return request(MARQUEE.url + path, "POST", body, {**key(), **(headers or {})})

    def test_its_store_listens_where_it_is_told_to(self) -> None:
        with Marquee({"MARQUEE_STORE_LISTEN": "127.0.0.2"}) as other:
            url = other.runtime["store_url"]
            self.assertTrue(url.startswith("http://127.0.0.2:"), url)
            self.assertEqual(other.count("SELECT count() FROM marquee.events"), 0)
            self.assertIn(request(url + "/?query=SELECT+1").status, (401, 403, 516))  # It asks for a password.
            with self.assertRaises(OSError):
                request(url.replace("127.0.0.2", "127.0.0.1") + "/ping")

    def test_a_json_array_lands(self) -> None:
        answer = self.post(json.dumps(events(50, self.session)).encode())
        self.assertEqual((answer.status, answer.json()["accepted"]), (200, 50))
        wait_landed(self.session, 50)

    def test_ndjson_and_gzip_land(self) -> None:
        body = "\n".join(json.dumps(e) for e in events(20, self.session)).encode()
        answer = self.post(gzip.compress(body), {"Content-Encoding": "gzip", "Content-Type": "application/x-ndjson"})
        self.assertEqual((answer.status, answer.json()["accepted"]), (200, 20))
        wait_landed(self.session, 20)

    def test_zstd_lands(self) -> None:
        body = subprocess.run(["zstd", "-c"], input=json.dumps(events(20, self.session)).encode(), capture_output=True, check=True).stdout
        self.assertEqual(self.post(body, {"Content-Encoding": "zstd"}).json()["accepted"], 20)
        wait_landed(self.session, 20)

    def test_a_repeated_batch_lands_once(self) -> None:
        body = json.dumps(events(30, self.session)).encode()
        for _ in range(4):
            self.assertEqual(self.post(body).status, 200)
        other = uuid.uuid4().hex
        self.post(json.dumps(events(1, other)).encode())
        wait_landed(other, 1)
        wait_until(lambda: MARQUEE.api("/v1/status").json()["loader"]["lag_events"] == 0, 10, "the loader to catch up")
        self.assertEqual(landed(self.session), 30)

    def test_a_bad_event_is_named_and_its_neighbours_go_through(self) -> None:
        batch = events(5, self.session)
        batch[1]["type"] = "page_veiw"
        batch[3]["position"] = "first"
        answer = self.post(json.dumps(batch).encode())
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.json()["accepted"], 3)
        self.assertEqual([(r["index"], r["field"]) for r in answer.json()["rejected"]], [(1, "type"), (3, "position")])
        self.assertIn("page_view", answer.json()["rejected"][0]["reason"])
        wait_landed(self.session, 3)

    def test_what_is_not_json_is_refused(self) -> None:
        self.assertEqual(self.post(b"{{{").status, 400)

    def test_keys_are_required_and_checked(self) -> None:
        body = json.dumps(events(1, self.session)).encode()
        self.assertEqual(request(MARQUEE.url + "/v1/events", "POST", body).status, 401)
        self.assertEqual(request(MARQUEE.url + "/v1/events", "POST", body, {"Authorization": "Bearer mk_wrong"}).status, 403)

    def test_too_large_a_body_is_told_to_split(self) -> None:
        self.assertEqual(self.post(b"[" + b" " * (5 << 20) + b"]").status, 413)

    def test_a_beacon_lands(self) -> None:
        answer = request(MARQUEE.url + "/v1/beacon?key=" + MARQUEE.runtime["write_keys"]["campus"], "POST",
                         json.dumps(events(3, self.session)).encode(), {"Content-Type": "text/plain;charset=UTF-8"})
        self.assertIn(answer.status, (200, 204))
        wait_landed(self.session, 3)

    def test_a_pixel_lands(self) -> None:
        answer = request(f"{MARQUEE.url}/v1/pixel?key={MARQUEE.runtime['write_keys']['campus']}&type=page_view&page_path=/{self.session}")
        self.assertEqual((answer.status, answer.headers["content-type"]), (200, "image/gif"))
        self.assertTrue(answer.body.startswith(b"GIF89a"))
        wait_landed(self.session, 1)

    def test_cors_preflight_is_answered(self) -> None:
        answer = request(MARQUEE.url + "/v1/events", "OPTIONS", None, {
            "Origin": "https://campus.example", "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type"})
        self.assertEqual(answer.status, 204)
        self.assertIn("authorization", answer.headers["access-control-allow-headers"].lower())

    def test_the_raw_user_id_is_never_kept(self) -> None:
        self.post(json.dumps(events(1, self.session, user_id="raw-student-4711")).encode())
        wait_landed(self.session, 1)
        self.assertNotIn("4711", MARQUEE.sql(f"SELECT * EXCEPT props, toString(props) FROM marquee.events WHERE page_path = '/{self.session}'"))

    def test_unknown_fields_are_kept_in_props(self) -> None:
        self.post(json.dumps(events(1, self.session, colour="teal", props={"size": 3})).encode())
        wait_landed(self.session, 1)
        row = MARQUEE.sql(f"SELECT toString(props.colour), toString(props.size) FROM marquee.events WHERE page_path = '/{self.session}'")
        self.assertEqual(row.split(), ["teal", "3"])

    def test_a_wrong_client_clock_is_corrected(self) -> None:
        wrong = int(time.time() * 1000) - 5 * 3_600_000
        body = {"sent_at": wrong, "events": [{**e, "event_time": wrong - 2000} for e in events(1, self.session)]}
        self.assertEqual(self.post(json.dumps(body).encode()).json()["accepted"], 1)
        wait_landed(self.session, 1)
        late = MARQUEE.count(f"SELECT toInt64(toUnixTimestamp64Milli(received_time) - toUnixTimestamp64Milli(event_time)) FROM marquee.events WHERE page_path = '/{self.session}'")
        self.assertAlmostEqual(late, 2000, delta=500)

    def test_a_crawler_is_marked(self) -> None:
        self.post(json.dumps(events(1, self.session)).encode(), {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"})
        wait_landed(self.session, 1)
        self.assertEqual(MARQUEE.sql(f"SELECT is_bot FROM marquee.events WHERE page_path = '/{self.session}'").strip(), "true")

    def test_an_event_is_counted_within_a_second(self) -> None:
        started = time.monotonic()
        self.post(json.dumps(events(1, self.session)).encode())
        wait_until(lambda: landed(self.session) == 1, 5, "the event", 0.01)
        self.assertLess(time.monotonic() - started, 1.0)


class Operating(unittest.TestCase):
    def test_health_readiness_and_metrics_answer(self) -> None:
        for path in ("/healthz", "/readyz"):
            self.assertEqual(request(MARQUEE.url + path).status, 200, path)
        metrics = request(MARQUEE.url + "/metrics").body.decode()
        self.assertIn("# TYPE marquee_", metrics)

    def test_it_listens_on_the_loopback_only(self) -> None:
        listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
        ours = [line.split()[3] for line in listening.splitlines() if f"pid={MARQUEE.runtime['pid']}," in line]
        self.assertTrue(ours)
        self.assertTrue(all(a.startswith("127.0.0.1:") for a in ours), ours)

    def test_the_api_wants_a_token(self) -> None:
        self.assertEqual(request(MARQUEE.url + "/v1/status").status, 401)
        self.assertEqual(request(MARQUEE.url + "/v1/reports/ctr?site=campus", headers={"Authorization": "Bearer x"}).status, 401)

    def test_secrets_are_private_files(self) -> None:
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(MARQUEE.data_dir, "runtime.json")).st_mode), 0o600)

    def test_the_console_is_served(self) -> None:
        answer = request(MARQUEE.url + "/")
        self.assertEqual(answer.status, 200)
        self.assertIn(b"<title>Marquee", answer.body)

    def test_query_runs_sql(self) -> None:
        self.assertEqual(MARQUEE.run("query", "SELECT 6 * 7 AS answer FORMAT TSV").stdout.strip(), "42")

    def test_query_reads_no_file(self) -> None:
        result = MARQUEE.run("query", "SELECT * FROM file('/etc/passwd', LineAsString)", check=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertNotIn("root:", result.stdout)

    def test_a_second_marquee_on_the_same_data_is_refused(self) -> None:
        result = subprocess.run([BINARY, "serve"], env=MARQUEE.environment, capture_output=True, text=True, timeout=60)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(MARQUEE.data_dir, result.stderr)

    def test_a_taken_port_is_named(self) -> None:
        with Marquee() as other:
            pass
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            result = subprocess.run([BINARY, "serve"], capture_output=True, text=True, timeout=60,
                                    env={**other.environment, "MARQUEE_DATA_DIR": other.data_dir + "-2", "MARQUEE_HTTP_PORT": str(port)})
        subprocess.run(["rm", "-rf", other.data_dir + "-2"], check=True)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(str(port), result.stderr)
        self.assertIn("MARQUEE_HTTP_PORT", result.stderr)

    def test_sigterm_stops_it_and_its_store_and_nothing_is_lost(self) -> None:
        session = uuid.uuid4().hex
        with Marquee() as other:
            self.assertEqual(other.post_events(events(100, session)).status, 200)
            store = other.store_pid()
            self.assertEqual(other.stop(), 0)
            self.assertFalse(os.path.exists(f"/proc/{store}"))
            other.start()
            wait_until(lambda: other.count("SELECT count() FROM marquee.events") == 100, 20, "the events after a restart")

    def test_an_unknown_configuration_key_names_the_nearest(self) -> None:
        result = subprocess.run([BINARY, "config", "print"], capture_output=True, text=True, env={**MARQUEE.environment, "MARQUEE_HTTP_PROT": "1"})
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("MARQUEE_HTTP_PORT", result.stderr)

    def test_config_print_is_a_configuration(self) -> None:
        printed = MARQUEE.run("config", "print").stdout
        path = os.path.join(MARQUEE.data_dir, "printed.yaml")
        with open(path, "w") as file:
            file.write(printed)
        self.assertEqual(MARQUEE.run("--config", path, "config", "print").returncode, 0)

    def test_completion_is_a_script_that_bash_reads(self) -> None:
        script = MARQUEE.run("completion", "bash").stdout
        self.assertIn("import", script)
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)

    def test_every_command_has_help_with_an_example(self) -> None:
        for command in ("serve", "import", "simulate", "report", "query", "migrate", "rebuild", "doctor", "status", "completion"):
            with self.subTest(command):
                self.assertIn("marquee " + command, MARQUEE.run(command, "--help").stdout)

    def test_migrations_are_up(self) -> None:
        self.assertIn("applied", MARQUEE.run("migrate", "status").stdout)

    def test_doctor_is_content(self) -> None:
        self.assertEqual(MARQUEE.run("doctor").returncode, 0)

    def test_rebuild_changes_no_number(self) -> None:
        before = MARQUEE.sql("SELECT * FROM (SELECT site_id, sum(impressions), sum(clicks) FROM marquee.campaign_hour GROUP BY site_id) ORDER BY 1")
        MARQUEE.run("rebuild")
        after = MARQUEE.sql("SELECT * FROM (SELECT site_id, sum(impressions), sum(clicks) FROM marquee.campaign_hour GROUP BY site_id) ORDER BY 1")
        self.assertEqual(before, after)


if __name__ == "__main__":
    unittest.main()
