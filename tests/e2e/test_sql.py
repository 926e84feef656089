"""Statements of people (POST /v1/sql): what they are answered, that the store holds them to reading, their limits, who may ask, files, and
queries that are kept."""

from __future__ import annotations

import base64
import csv
import http.client
import io
import json
import os
import pathlib
import subprocess
import tempfile
import time
import unittest
import urllib.parse
from typing import Any

from tests.support.marquee import ROOT, Answer, Marquee, request, wait_until

MARQUEE: Marquee
PASSWORD = "correct horse battery"
TIMEOUT = 5

# Tables that an analyst does not read: the loaders' own, views and the tables behind them, and what only admins may see. A new table is
# put here, or into sql_tables() of libs/api.
NOT_FOR_ANALYSTS = {
    "migrations", "events_in", "events_repair", "events_mv", "events_repair_mv", "events_entry", "events_entry_mv", "events_repair_entry",
    "events_repair_entry_mv", "campaign_minute_mv", "campaign_hour_mv", "heatmap_cells_mv", "user_days_mv", "user_features_mv",
    "delivery_sums_mv", "loaders_replaced", "rebuilds", "pipeline", "feeds", "landed_plans", "loaders", "loaders_out_of_date", "rewinds",
    "rollup_definitions", "dead_letters", "dead_letter_replays", "dead_letter_states", "erasing", "erasing_letters",
}


def setUpModule() -> None:
    global MARQUEE
    MARQUEE = Marquee({"MARQUEE_SQL_TIMEOUT": f"{TIMEOUT}s"})
    MARQUEE.start()
    events = [{"type": "impression" if i % 4 else "click", "session_id": f"s{i}", "seq": 1, "campaign_id": f"c{i % 3}", "user_id": f"u{i}",
               "consent": "full"} for i in range(60)]
    assert MARQUEE.post_events(events).status == 200
    assert MARQUEE.post_events([{"type": "nothing", "session_id": "s"}]).status == 422
    wait_until(lambda: MARQUEE.count("SELECT count() FROM events") == 60, 20, "the events")


def tearDownModule() -> None:
    MARQUEE.__exit__(None, None, None)


def ask(sql: str, form: str | None = None, marquee: Marquee | None = None) -> Answer:
    return (marquee or MARQUEE).api("/v1/sql" + (f"?format={form}" if form else ""), "POST", {"sql": sql})


def refused(sql: str) -> dict[str, Any]:
    answer = ask(sql)
    assert answer.status == 422, f"{sql}: {answer.status} {answer.body[:300]!r}"
    error: dict[str, Any] = answer.json()["error"]
    return error


class Answers(unittest.TestCase):
    def test_rows_come_with_columns_types_and_cost(self) -> None:
        answer = ask("SELECT campaign_id, count() AS n FROM events GROUP BY campaign_id ORDER BY campaign_id").json()
        self.assertEqual(answer["columns"], [{"name": "campaign_id", "type": "LowCardinality(String)"}, {"name": "n", "type": "UInt64"}])
        self.assertEqual(answer["rows"], [["c0", "20"], ["c1", "20"], ["c2", "20"]])
        self.assertIsNone(answer["cut"])
        self.assertEqual(answer["rows_read"], 60)
        self.assertGreater(answer["bytes_read"], 0)
        self.assertGreater(answer["seconds"], 0)

    def test_no_digit_is_lost(self) -> None:
        answer = ask("SELECT 18446744073709551615, toDecimal64('1.50', 2), nan, NULL, [1, 2], 'a\\nb', 0.1, toUInt8(7), unhex('ff')").json()
        self.assertEqual(answer["rows"][0][:8], ["18446744073709551615", "1.5", "nan", None, [1, 2], "a\nb", 0.1, 7])

    def test_an_answer_without_rows_has_its_columns(self) -> None:
        answer = ask("SELECT site_id FROM events WHERE 0;").json()
        self.assertEqual((answer["columns"], answer["rows"]), ([{"name": "site_id", "type": "LowCardinality(String)"}], []))

    def test_more_rows_than_a_page_shows_are_cut_and_told(self) -> None:
        answer = ask("SELECT number FROM numbers(10000)").json()
        self.assertEqual((len(answer["rows"]), answer["cut"]), (10_000, None))
        answer = ask("SELECT number FROM numbers(1000000000)").json()
        self.assertEqual((len(answer["rows"]), answer["rows"][0], answer["rows"][-1], answer["cut"]), (10_000, ["0"], ["9999"], "rows"))
        answer = ask("SELECT repeat('x', 10000) FROM numbers(5000)").json()
        self.assertEqual(answer["cut"], "bytes")
        self.assertLess(sum(len(row[0]) for row in answer["rows"]), 16 << 20)

    def test_plans_and_descriptions_are_answered(self) -> None:
        self.assertTrue(ask("EXPLAIN SELECT count() FROM events").json()["rows"])
        self.assertIn(["campaign_id", "LowCardinality(String)"], [row[:2] for row in ask("DESCRIBE events").json()["rows"]])

    def test_completion_knows_the_tables_that_may_be_read_and_functions(self) -> None:
        answer = MARQUEE.api("/v1/sql/schema").json()
        tables = {table["name"]: [column["name"] for column in table["columns"]] for table in answer["tables"]}
        self.assertIn("campaign_id", tables["events"])
        self.assertIn("toStartOfHour", answer["functions"])
        for name in tables:
            self.assertEqual(ask(f"SELECT * FROM {name} LIMIT 1").status, 200, name)

    def test_every_table_is_for_analysts_or_said_not_to_be(self) -> None:
        names = {name for (name,) in MARQUEE.rows("SELECT name FROM system.tables WHERE database = 'marquee' AND NOT startsWith(name, '.')")}
        open_names = {table["name"] for table in MARQUEE.api("/v1/sql/schema").json()["tables"]}
        self.assertEqual(names - open_names, NOT_FOR_ANALYSTS)
        self.assertEqual(open_names - names, set())

    def test_the_body_is_one_text(self) -> None:
        for body in ({}, {"sql": 1}, {"sql": ""}, {"sql": "SELECT 1", "database": "system"}, {"sql": "x" * 100_001}):
            self.assertEqual(MARQUEE.api("/v1/sql", "POST", body).status, 400, body)
        self.assertEqual(ask("SELECT 1", "xml").status, 400)


class Refusals(unittest.TestCase):
    ALL = (
        "INSERT INTO events (site_id) VALUES ('x')",
        "INSERT INTO FUNCTION file('/tmp/x', 'CSV', 'a String') SELECT 'x'",
        "SELECT file('/etc/passwd')",
        "SELECT * FROM file('/etc/passwd', 'CSV', 'a String')",
        "SELECT * FROM url('http://127.0.0.1/', 'CSV', 'a String')",
        "SELECT * FROM s3('http://127.0.0.1/x', 'CSV')",
        "SELECT * FROM remote('127.0.0.1', system.one)",
        "SELECT * FROM executable('x', 'CSV', 'a String')",
        "SELECT * FROM merge('marquee', '.*')",
        "SYSTEM FLUSH LOGS",
        "SYSTEM SHUTDOWN",
        "SET max_execution_time = 0",
        "SELECT 1 SETTINGS max_execution_time = 0",
        "SELECT 1 SETTINGS readonly = 0",
        "CREATE TABLE t (a UInt8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE t (a UInt8)",
        "CREATE USER x IDENTIFIED BY 'x'",
        "GRANT SELECT ON *.* TO analyst",
        "DROP TABLE events",
        "TRUNCATE TABLE events",
        "ALTER TABLE events DELETE WHERE 1",
        "OPTIMIZE TABLE events",
        "KILL QUERY WHERE 1",
        "USE system",
        "ATTACH TABLE x",
        "SELECT 1 INTO OUTFILE '/tmp/marquee-outfile'",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE events",
        "SELECT 1; DROP TABLE events; (",
        "SELECT * FROM dead_letters",
        "SELECT * FROM marquee.dead_letters",
        "SELECT * FROM marquee.`dead_letters`",
        "SELECT count() FROM events WHERE site_id IN (SELECT site_id FROM dead_letters)",
        "WITH dead_letters AS x SELECT 1 IN x",
        "SELECT * FROM erasing",
        "SELECT * FROM system.users",
        "SELECT * FROM system.query_log",
        "SELECT * FROM system.processes",
        "SELECT getServerPort('http_port')",
    )

    def test_whatever_is_no_reading_of_the_data_is_refused_by_the_store(self) -> None:
        before = MARQUEE.sql("SELECT count(), groupBitXor(cityHash64(*)) FROM events")
        for sql in self.ALL:
            with self.subTest(sql):
                error = refused(sql)
                self.assertEqual((error["status"], error["field"]), (422, "sql"))
                self.assertGreater(error["code"], 0, "it is the store that refuses")
        self.assertEqual(MARQUEE.sql("SELECT count(), groupBitXor(cityHash64(*)) FROM events"), before)
        self.assertFalse(pathlib.Path("/tmp/marquee-outfile").exists())

    def test_the_same_is_refused_of_files(self) -> None:
        for sql in self.ALL:
            with self.subTest(sql):
                self.assertEqual(ask(sql, "csv").status, 422)

    def test_an_error_says_where_in_characters(self) -> None:
        error = refused("SELECT 'ü🙂',\n  1 1 FROM events")
        self.assertEqual(error["code"], 62)
        self.assertEqual(error["position"], {"offset": 17, "line": 2, "column": 5})
        self.assertTrue(error["message"].startswith("Syntax error"), error["message"])
        self.assertIn("SYNTAX_ERROR", error["message"])

    def test_an_error_of_a_name_is_the_stores_own(self) -> None:
        error = refused("SELECT nonsense FROM events")
        self.assertEqual(error["code"], 47)
        self.assertIn("`nonsense`", error["message"])
        self.assertNotIn("position", error)

    def test_the_format_is_not_the_statements(self) -> None:
        self.assertIn("FORMAT", refused("SELECT 1 FORMAT JSON")["message"])
        self.assertEqual(ask("SELECT 1 FORMAT JSON", "csv").status, 422)

    def test_what_takes_long_is_ended_and_told(self) -> None:
        began = time.monotonic()
        error = refused("SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1")
        self.assertIn(error["code"], (159, 160))
        self.assertLess(time.monotonic() - began, TIMEOUT + 10)

    def test_what_takes_much_memory_is_ended_and_told(self) -> None:
        self.assertEqual(refused("SELECT length(groupArray(repeat('x', 1000))) FROM numbers(10000000)")["code"], 241)

    def test_a_statement_ends_with_who_asked(self) -> None:
        parts = urllib.parse.urlsplit(MARQUEE.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 0, timeout=20)
        mark = "'who leaves'"
        connection.request("POST", "/v1/sql", json.dumps({"sql": f"SELECT {mark}, count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"}),
                           {"Authorization": f"Bearer {MARQUEE.runtime['admin_token']}", "Content-Type": "application/json"})
        running = f"SELECT count() FROM system.processes WHERE query LIKE '%{mark[1:-1]}%' AND query NOT LIKE '%processes%'"
        wait_until(lambda: MARQUEE.count(running) == 1, 10, "the statement to run")
        began = time.monotonic()
        connection.close()
        wait_until(lambda: MARQUEE.count(running) == 0, 10, "the statement to end")
        self.assertLess(time.monotonic() - began, TIMEOUT / 2, "it would have gone on until its time is over")


class Files(unittest.TestCase):
    SQL = "SELECT number AS n, toString(number) AS text FROM numbers(250000)"

    def test_csv_is_the_whole_answer(self) -> None:
        answer = ask(self.SQL, "csv")
        self.assertEqual(answer.headers["content-type"], "text/csv; charset=utf-8; header=present")
        self.assertEqual(answer.headers["content-disposition"], 'attachment; filename="query.csv"')
        rows = list(csv.reader(io.StringIO(answer.body.decode())))
        self.assertEqual((rows[0], rows[1], rows[-1], len(rows)), (["n", "text"], ["0", "0"], ["249999", "249999"], 250_001))

    def test_parquet_is_the_whole_answer_typed(self) -> None:
        answer = ask(self.SQL, "parquet")
        self.assertEqual(answer.headers["content-type"], "application/vnd.apache.parquet")
        MARQUEE.sql("CREATE TABLE marquee.read_back (n UInt64, text String) ENGINE = Memory")
        try:
            who = base64.b64encode(f"default:{MARQUEE.runtime['store_password']}".encode()).decode()
            address = MARQUEE.runtime["store_url"] + "/?query=" + urllib.parse.quote("INSERT INTO marquee.read_back FORMAT Parquet")
            self.assertEqual(request(address, "POST", answer.body, {"Authorization": "Basic " + who}).status, 200)
            read = MARQUEE.sql("SELECT count(), sum(n), sum(toString(n) = text), max(n) FROM marquee.read_back").split()
            self.assertEqual(read, ["250000", str(250_000 * 249_999 // 2), "250000", "249999"])
        finally:
            MARQUEE.sql("DROP TABLE marquee.read_back SYNC")

    def test_a_file_that_breaks_off_is_not_taken_for_whole(self) -> None:
        # The error comes after much of the answer is on its way, so that the status has been said.
        with self.assertRaises(OSError):
            ask("SELECT number, throwIf(number = 3000000) FROM numbers(10000000)", "csv")


class Roles(unittest.TestCase):
    def test_an_analyst_asks_and_a_viewer_does_not(self) -> None:
        with Marquee() as marquee:
            for role in ("admin", "viewer", "analyst"):  # The first account is an admin's.
                self.assertEqual(marquee.api("/v1/accounts", "POST", {"name": role, "role": role, "password": PASSWORD}).status, 201)
            statuses = {}
            for role in ("viewer", "analyst"):
                own = {"Sec-Fetch-Site": "same-origin", "Origin": marquee.url, "Content-Type": "application/json"}
                entered = request(marquee.url + "/v1/session", "POST", json.dumps({"name": role, "password": PASSWORD}).encode(), own)
                own["Cookie"] = entered.headers["set-cookie"].split(";")[0]
                asked = request(marquee.url + "/v1/sql", "POST", b'{"sql":"SELECT 1"}', own)
                schema = request(marquee.url + "/v1/sql/schema", "GET", None, own)
                foreign = request(marquee.url + "/v1/sql", "POST", b'{"sql":"SELECT 1"}', {**own, "Sec-Fetch-Site": "cross-site", "Origin": "http://x"})
                statuses[role] = (asked.status, schema.status, foreign.status)
            self.assertEqual(statuses, {"viewer": (403, 403, 403), "analyst": (200, 200, 403)})
        self.assertEqual(request(MARQUEE.url + "/v1/sql", "POST", b'{"sql":"SELECT 1"}', {}).status, 401)


class Saved(unittest.TestCase):
    @staticmethod
    def save(sql: str, **fields: Any) -> Answer:
        return MARQUEE.api("/v1/saved-reports", "POST", {"name": "Clicks", "kind": "sql", "parameters": {"site": "campus", "sql": sql, **fields}})

    def test_a_query_is_kept_as_it_was_written(self) -> None:
        sql = "-- mine\nSELECT 'ü', count() FROM events"
        kept = self.save(sql, chart="bars:a:b").json()
        again = MARQUEE.api(f"/v1/saved-reports/{kept['id']}")
        self.assertEqual(again.json()["parameters"], {"site": "campus", "sql": sql, "chart": "bars:a:b"})
        self.assertIn(kept["id"], [one["id"] for one in MARQUEE.api("/v1/saved-reports?site=campus").json()["saved_reports"] if one["kind"] == "sql"])
        changed = {"name": "Clicks of today", "kind": "sql", "parameters": {"site": "campus", "sql": "SELECT 1"}}
        self.assertEqual(MARQUEE.api(f"/v1/saved-reports/{kept['id']}", "PUT", changed).json()["name"], "Clicks of today")
        self.assertEqual(MARQUEE.api(f"/v1/saved-reports/{kept['id']}", "DELETE").status, 204)

    def test_what_the_store_would_refuse_is_not_kept(self) -> None:
        for sql in ("SELECT (", "SELECT 1; SELECT 2", "INSERT INTO events (site_id) VALUES ('x')", "SELECT file('/etc/passwd')", "", "SELECT * FROM dead_letters"):
            with self.subTest(sql):
                answer = self.save(sql)
                self.assertEqual((answer.status, answer.json()["error"]["field"]), (400, "parameters.sql"))
        self.assertIn("line 2, column 5", self.save("SELECT\n  1 1").json()["error"]["message"])
        self.assertEqual(self.save("SELECT 1", nonsense=1).status, 400)
        self.assertEqual(MARQUEE.api("/v1/saved-reports", "POST", {"name": "x", "kind": "sql", "parameters": {"site": "nowhere", "sql": "SELECT 1"}}).status, 400)

    def test_it_is_asked_by_who_may_and_never_sent(self) -> None:
        kept = self.save("SELECT 1").json()
        self.assertEqual(MARQUEE.api(f"/v1/saved-reports/{kept['id']}/answer").status, 422)
        delivery = {"report": kept["id"], "url": "https://example.com/hook", "schedule": {"every": "day", "at": "06:00"}}
        answer = MARQUEE.api("/v1/deliveries", "POST", delivery)
        self.assertEqual(answer.status, 400)
        self.assertIn("report", answer.json()["error"]["message"])


class OtherStore(unittest.TestCase):
    """A store that Marquee does not run: statements are asked as its own reader, or not at all."""

    def test_statements_are_asked_as_the_named_reader_or_not_at_all(self) -> None:
        binary = ROOT / "build/release/bin/marquee-store"
        with tempfile.TemporaryDirectory() as folder:
            store = subprocess.Popen([binary, "--data", folder, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                     env={**os.environ, "MARQUEE_STORE_PASSWORD": "a", "MARQUEE_READER_PASSWORD": "r"})
            try:
                assert store.stdout is not None
                url = f"http://127.0.0.1:{next(json.loads(line)['port'] for line in store.stdout if 'store.ready' in line)}"
                environment = {"MARQUEE_STORE_URL": url, "MARQUEE_STORE_PASSWORD": "a"}
                with Marquee(environment) as marquee:
                    for answer in (ask("SELECT 1", None, marquee), marquee.api("/v1/sql/schema")):
                        self.assertEqual(answer.status, 501)
                        self.assertIn("store.reader_user", answer.json()["error"]["message"])
                with Marquee({**environment, "MARQUEE_STORE_READER_USER": "reader", "MARQUEE_STORE_READER_PASSWORD": "r"}) as marquee:
                    self.assertEqual(ask("SELECT currentUser()", None, marquee).json()["rows"], [["reader"]])
                    self.assertEqual(ask("DROP TABLE events", None, marquee).status, 422)
                    self.assertIn("events", [table["name"] for table in marquee.api("/v1/sql/schema").json()["tables"]])
                with Marquee({**environment, "MARQUEE_STORE_READER_USER": "reader", "MARQUEE_STORE_READER_PASSWORD": "wrong"}) as marquee:
                    self.assertEqual(ask("SELECT 1", None, marquee).status, 500)
                wrong = base64.b64encode(b"reader:wrong").decode()
                self.assertEqual(request(url + "/", "POST", b"SELECT 1", {"Authorization": "Basic " + wrong}).status, 403)
            finally:
                store.terminate()
                store.communicate()


if __name__ == "__main__":
    unittest.main()
