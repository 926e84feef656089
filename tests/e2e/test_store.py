"""marquee-store as a ClickHouse client sees it: formats, parameters, codings, failures; and what its reader may not do."""

from __future__ import annotations

import base64
import gzip
import json
import threading
import time
import unittest
import urllib.parse
from typing import Any

from tests.support.marquee import Answer, Marquee, request, wait_until


class Store(unittest.TestCase):
    marquee: Marquee

    @classmethod
    def setUpClass(cls) -> None:
        cls.marquee = Marquee()
        cls.marquee.start()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.marquee.__exit__()

    def ask(self, query: str, user: str = "store", body: bytes | None = None, headers: dict[str, str] | None = None, method: str = "POST",
            **parameters: Any) -> Answer:
        """`user` is "store" (administrator) or "reader"."""
        runtime = self.marquee.runtime
        credentials = base64.b64encode(f"{runtime[user + '_user']}:{runtime[user + '_password']}".encode()).decode()
        if body is not None or method == "GET":
            parameters["query"] = query
        url = f"{runtime['store_url']}/?{urllib.parse.urlencode(parameters)}"
        return request(url, method, body if body is not None else (query.encode() if method == "POST" else None),
                       {"Authorization": "Basic " + credentials, **(headers or {})}, 60)

    def test_formats_parameters_and_settings(self) -> None:
        self.assertEqual(self.ask("SELECT 1, 'a'").body, b"1\ta\n")
        self.assertEqual(self.ask("SELECT 1 AS x FORMAT JSONEachRow").json(), {"x": 1})
        self.assertEqual(self.ask("SELECT 1", default_format="CSV").body, b"1\n")
        text = "it's \\ 'quoted'\t\n"
        self.assertEqual(self.ask("SELECT {x:UInt8} + 1, length({t:String})", param_x=41, param_t=text.replace("\\", "\\\\").replace("\t", "\\t")
                                  .replace("\n", "\\n")).body, f"42\t{len(text)}\n".encode())
        self.assertEqual(self.ask("SELECT sum(number) FROM numbers(1000000)", max_threads=1).body, b"499999500000\n")

    def test_inserts_from_the_body_and_codings(self) -> None:
        self.ask("CREATE TABLE IF NOT EXISTS default.t (a UInt32, b String) ENGINE = MergeTree ORDER BY a")
        self.ask("TRUNCATE TABLE default.t")
        self.assertEqual(self.ask("INSERT INTO default.t FORMAT JSONEachRow", body=b'{"a":1,"b":"x"}\n{"a":2,"b":"y"}').status, 200)
        self.assertEqual(self.ask("INSERT INTO default.t FORMAT CSV", body=gzip.compress(b'3,"z, z"\n'),
                                  headers={"Content-Encoding": "gzip"}).status, 200)
        self.assertEqual(self.ask("INSERT INTO default.t VALUES (4, 'FORMAT CSV')").status, 200)
        self.assertEqual(self.ask("SELECT a, b FROM default.t ORDER BY a").body, b"1\tx\n2\ty\n3\tz, z\n4\tFORMAT CSV\n")
        answer = self.ask("SELECT a FROM default.t ORDER BY a", headers={"Accept-Encoding": "gzip"}, enable_http_compression=1)
        self.assertEqual(answer.headers.get("content-encoding"), "gzip")
        self.assertEqual(gzip.decompress(answer.body), b"1\n2\n3\n4\n")

    def test_a_bad_insert_leaves_nothing(self) -> None:
        self.ask("CREATE TABLE IF NOT EXISTS default.bad (a UInt32) ENGINE = MergeTree ORDER BY a")
        answer = self.ask("INSERT INTO default.bad FORMAT JSONEachRow", body=b'{"a":1}\n{"a":"no number"}')
        self.assertEqual(answer.status, 400)
        self.assertTrue(answer.headers.get("x-clickhouse-exception-code"))
        self.assertEqual(self.ask("SELECT count() FROM default.bad").body, b"0\n")

    def test_failures_are_those_of_clickhouse(self) -> None:
        unknown = self.ask("SELECT * FROM default.no_such_table")
        self.assertEqual(unknown.status, 404)
        self.assertEqual(unknown.headers.get("x-clickhouse-exception-code"), "60")
        self.assertIn(b"UNKNOWN_TABLE", unknown.body)
        self.assertEqual(self.ask("SELEKT 1").headers.get("x-clickhouse-exception-code"), "62")
        wrong = request(self.marquee.runtime["store_url"] + "/", "POST", b"SELECT 1", {"X-ClickHouse-User": "default", "X-ClickHouse-Key": "wrong"})
        self.assertEqual(wrong.status, 403)
        self.assertEqual(wrong.headers.get("x-clickhouse-exception-code"), "516")

    def test_get_changes_nothing(self) -> None:
        self.assertEqual(self.ask("SELECT 1", method="GET").body, b"1\n")
        self.assertNotEqual(self.ask("CREATE TABLE default.by_get (a Int8) ENGINE = Log", method="GET").status, 200)

    def test_a_long_query_is_killed_by_its_id(self) -> None:
        outcome: list[Answer] = []
        running = threading.Thread(target=lambda: outcome.append(
            self.ask("SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1", query_id="long-one")))
        running.start()
        # The engine numbers queries itself; the client's id stands in the comment.
        running_ones = "SELECT count() FROM system.processes WHERE endsWith(Settings['log_comment'], 'long-one')"
        wait_until(lambda: self.ask(running_ones).body == b"1\n", 20, "the query to run")
        self.ask("KILL QUERY WHERE query_id = 'long-one' SYNC")
        running.join(30)
        self.assertFalse(running.is_alive())
        self.assertEqual(outcome[0].headers.get("x-clickhouse-exception-code"), "394")

    def test_queries_run_side_by_side(self) -> None:
        def slow() -> None:
            self.ask("SELECT sleepEachRow(0.5) FROM numbers(2)")
        began = time.monotonic()
        threads = [threading.Thread(target=slow) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLess(time.monotonic() - began, 3)

    def test_the_reader_reads(self) -> None:
        self.assertEqual(self.ask("SELECT count() FROM marquee.events WHERE site_id = 'none'", user="reader").body, b"0\n")
        self.assertEqual(self.ask("SHOW TABLES FROM marquee", user="reader").status, 200)
        self.assertEqual(self.ask("SELECT name FROM system.columns WHERE table = 'events' LIMIT 1", user="reader").status, 200)

    def test_the_reader_is_kept_inside(self) -> None:
        for query in (
            "SELECT * FROM file('/etc/passwd', 'LineAsString')",
            "SELECT file('/etc/passwd')",
            "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
            "SELECT * FROM remote('127.0.0.1', 'system.one')",
            "SELECT * FROM s3('http://127.0.0.1:1/b/k', 'CSV', 'a String')",
            "SELECT * FROM executable('x', 'CSV', 'a String')",
            "SELECT * FROM (SELECT * FROM file('/etc/passwd', 'LineAsString'))",
            "WITH x AS (SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')) SELECT * FROM x",
            "SELECT 1 WHERE 1 IN (SELECT toUInt8(1) FROM file('/etc/passwd', 'LineAsString'))",
            "SELECT * FROM merge('system', '.*')",
            "SELECT * FROM system.processes",
            "SELECT * FROM `system`.`query_log`",
            "SELECT 1 INTO OUTFILE '/tmp/marquee-reader-was-here'",
            "INSERT INTO marquee.events_in (site_id) VALUES ('x')",
            "CREATE TABLE default.reader (a Int8) ENGINE = Log",
            "DROP TABLE marquee.events",
            "ALTER TABLE marquee.events DELETE WHERE 1",
            "TRUNCATE TABLE marquee.events",
            "SYSTEM SHUTDOWN",
            "KILL QUERY WHERE 1",
            "SET max_memory_usage = 0",
            "SELECT 1 SETTINGS max_memory_usage = 0",
            "SELECT * FROM (SELECT 1 SETTINGS max_memory_usage = 0)",
            "SELECT 1 UNION ALL SELECT 2 SETTINGS max_execution_time = 0",
            "GRANT ALL ON *.* TO reader",
            "ATTACH DATABASE x",
            "BACKUP TABLE marquee.events TO File('x')",
        ):
            answer = self.ask(query, user="reader")
            self.assertNotEqual(answer.status, 200, f"the reader may run {query}: {answer.body[:200]!r}")
        self.assertNotEqual(self.ask("SELECT 1", user="reader", allow_ddl=1).status, 200)
        self.assertNotEqual(self.ask("SELECT * FROM processes", user="reader", database="system").status, 200)

    def test_the_reader_is_bounded(self) -> None:
        began = time.monotonic()
        answer = self.ask("SELECT count() FROM numbers(100000000000000) WHERE sipHash64(number) = 1", user="reader", max_execution_time=1)
        self.assertNotEqual(answer.status, 200)
        self.assertLess(time.monotonic() - began, 20)
        limit = "SELECT getSetting('max_memory_usage')"
        most = int(self.ask(limit, user="reader").body)
        self.assertGreater(most, 0)
        for asked, given in ((0, most), (most * 2, most), (1_000_000_000, 1_000_000_000)):
            self.assertEqual(int(self.ask(limit, user="reader", max_memory_usage=asked).body), given)
        self.assertNotEqual(self.ask("SELECT groupArray(number) FROM numbers(3000000000)", user="reader").status, 200)
        self.assertEqual(json.loads(self.ask("SELECT 1 AS a FORMAT JSONEachRow", user="reader").body), {"a": 1})


if __name__ == "__main__":
    unittest.main()
