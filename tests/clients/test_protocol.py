"""ClickHouse's HTTP protocol byte by byte: what the clients rely on and do not all show."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import lzma
import socket
import struct
import threading
import time
import unittest
import urllib.parse
import zlib

from tests.clients.store import StoreTest, wait_until
from tests.support.marquee import request

BOUNDARY = "marquee-boundary"


def form(*parts: tuple[str, str | None, bytes]) -> bytes:
    """multipart/form-data of (name, file name or None, data)."""
    out = b""
    for name, file, data in parts:
        filename = f'; filename="{file}"' if file else ""
        out += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n\r\n'.encode() + data + b"\r\n"
    return out + f"--{BOUNDARY}--\r\n".encode()


FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


class Sessions(StoreTest):
    def code(self, *arguments: object, **options: object) -> str | None:
        return self.store.ask(*arguments, **options).headers.get("x-clickhouse-exception-code")  # type: ignore[arg-type]

    def test_a_session_keeps_tables_settings_and_database(self) -> None:
        self.store.ask("CREATE DATABASE IF NOT EXISTS other")
        session = {"session_id": "keeps"}
        for sql in ("CREATE TEMPORARY TABLE mine (a UInt8)", "INSERT INTO mine VALUES (1), (2)", "SET max_threads = 3", "USE other"):
            self.assertEqual(self.store.ask(sql, **session).status, 200, sql)
        seen = "SELECT sum(a), getSetting('max_threads'), currentDatabase() FROM mine"
        self.assertEqual(self.store.ask(seen, **session).body, b"3\t3\tother\n")
        self.assertEqual(self.code("SELECT * FROM mine"), "60")
        self.assertEqual(self.code("SELECT * FROM mine", session_id="another's"), "60")

    def test_settings_of_one_request_do_not_stay(self) -> None:
        self.store.ask("SET max_threads = 3", session_id="own")
        both = "SELECT getSetting('max_threads'), getSetting('max_block_size')"
        self.assertEqual(self.store.ask(both, session_id="own", max_threads=5, max_block_size=1000, database="system").body, b"5\t1000\n")
        self.assertEqual(self.store.ask(both, session_id="own").body, self.store.ask(both, max_threads=3).body)
        self.assertEqual(self.store.ask("SELECT currentDatabase()", session_id="own").body, b"default\n")

    def test_failed_statements_lose_nothing(self) -> None:
        session = {"session_id": "fails"}
        self.store.ask("CREATE TEMPORARY TABLE mine (a UInt64)", **session)
        for bad in ("SELECT nothing", "SELEKT", "SELECT throwIf(number = 300000), number FROM numbers(400000) FORMAT CSV",
                    "SELECT throwIf(number = 300000), number FROM numbers(400000) FORMAT JSON", "INSERT INTO mine FORMAT CSV no number"):
            self.store.ask("INSERT INTO mine VALUES (1)", **session)
            with contextlib.suppress(OSError):  # Of an answer that breaks off.
                self.store.ask(bad, **session)
        self.assertNotEqual(self.store.ask("SELECT 1", max_threads="many", **session).status, 200)
        self.assertEqual(self.store.ask("SELECT sum(a) FROM mine", **session).body, b"5\n")

    def test_a_session_ends_when_unused_for_its_time(self) -> None:
        self.store.ask("CREATE TEMPORARY TABLE mine (a UInt8)", session_id="short")
        self.assertEqual(self.store.ask("SELECT count() FROM mine", session_id="short", session_timeout=1, session_check=1).body, b"0\n")
        # Asking for it keeps it alive, so one look, when its time is well over.
        time.sleep(1.5)
        self.assertEqual(self.code("SELECT 1", session_id="short", session_check=1), "372")

    def test_unknown_locked_closed_and_endless_sessions_are_refused(self) -> None:
        self.assertEqual(self.code("SELECT 1", session_id="never begun", session_check=1), "372")
        self.assertEqual(self.code("SELECT 1", session_id="x", session_timeout=1_000_000), "374")
        self.store.ask("SELECT 1", session_id="closed", close_session=1)
        self.assertEqual(self.code("SELECT 1", session_id="closed", session_check=1), "372")
        slow = threading.Thread(target=lambda: self.store.ask("SELECT sleepEachRow(1) FROM numbers(60)", session_id="busy", query_id="slow",
                                                              max_block_size=1))
        slow.start()
        running = "SELECT count() FROM system.processes WHERE endsWith(Settings['log_comment'], ':slow')"
        wait_until(lambda: self.store.ask(running).body == b"1\n", 20, "the query to run")
        self.assertEqual(self.code("SELECT 1", session_id="busy"), "373")
        self.store.ask("KILL QUERY WHERE query_id = 'slow' SYNC")
        slow.join()
        self.assertIsNone(self.code("SELECT 1", session_id="busy"))


class ExternalTables(StoreTest):
    def test_they_are_there_for_one_query(self) -> None:
        body = form(("people", "people", b"1\tAnn\n2\tBob\n"), ("ages", "ages", b"2,40\n"), ("param_least", None, b"30"))
        query = "SELECT name, _2 FROM people JOIN ages ON id = _1 WHERE _2 > {least:UInt8}"
        for session in ({}, {"session_id": "externals"}):
            for user in ("admin", "reader"):
                answer = self.store.ask(query, user, body, FORM, people_structure="id UInt8, name String", ages_types="UInt8,UInt8",
                                        ages_format="CSV", **session)
                self.assertEqual(answer.body, b"Bob\t40\n")
                self.assertEqual(self.store.ask("SELECT * FROM people", user, **session).status, 404)

    def test_the_answers_format_is_not_a_tables(self) -> None:
        answer = self.store.ask("SELECT a FROM x", body=form(("x", "x", b"1\n")), headers=FORM, x_structure="a UInt8", default_format="JSONEachRow")
        self.assertEqual(answer.json(), {"a": 1})

    def test_a_structure_holds_names_and_types_alone(self) -> None:
        body = form(("x", "x", b"1\n"))
        for structure in ("a UInt8 DEFAULT 1", "a UInt8) ENGINE = Memory AS SELECT 1 --", "a UInt8 MATERIALIZED file('/etc/passwd')", "a", "",
                          "a String DEFAULT (SELECT 1)", "a Enum8('a' = 1, '\\')' = file('x'))", "a Enum8('a' = 1) DEFAULT 'a'",
                          "a Tuple(b UInt8 DEFAULT 1)"):
            answer = self.store.ask("SELECT * FROM x", body=body, headers=FORM, x_structure=structure)
            self.assertEqual(answer.headers.get("x-clickhouse-exception-code"), "36", structure)
        enum = "`a b` Nullable(Enum8('x y' = -1, 'z' = 1))"
        self.assertEqual(self.store.ask("SELECT * FROM x", body=form(("x", "x", b"z\n")), headers=FORM, x_structure=enum).body, b"z\n")

    def test_broken_forms_are_refused(self) -> None:
        whole = form(("x", "x", b"1\n"))
        for body in (b"", whole[:40], whole[:-10], whole.replace(b"\r\n\r\n", b"\r\n"), b"--" + BOUNDARY.encode()):
            answer = self.store.ask("SELECT * FROM x", body=body, headers=FORM, x_structure="a UInt8")
            self.assertEqual(answer.status, 400, body)


class Answers(StoreTest):
    def test_headers_tell_the_truth(self) -> None:
        answer = self.store.ask("SELECT number FROM numbers(1000) WHERE number % 100 = 0 FORMAT JSON", query_id="told")
        self.assertEqual(answer.headers["x-clickhouse-query-id"], "told")
        self.assertEqual(answer.headers["x-clickhouse-format"], "JSON")
        self.assertTrue(answer.headers["x-clickhouse-timezone"] and answer.headers["x-clickhouse-server-display-name"])
        self.assertRegex(answer.headers["x-clickhouse-exception-tag"], "^[a-z]{16}$")
        summary = {name: int(value) for name, value in json.loads(answer.headers["x-clickhouse-summary"]).items()}
        self.assertEqual((summary["read_rows"], summary["result_rows"]), (1000, 10))
        self.assertGreaterEqual(summary["result_bytes"], 80)
        self.assertGreater(summary["elapsed_ns"], 0)

    def test_an_error_midway_stands_between_its_marks_and_breaks_the_answer(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.store.port, timeout=60)
        self.addCleanup(connection.close)
        connection.request("POST", "/?default_format=CSV", b"SELECT throwIf(number = 2000000), number FROM numbers(3000000)", self.store.headers())
        response = connection.getresponse()
        self.assertEqual(response.status, 200)
        tag = (response.getheader("X-ClickHouse-Exception-Tag") or "").encode()
        with self.assertRaises(http.client.IncompleteRead) as broken:
            response.read()
        data, _, rest = broken.exception.partial.partition(b"\r\n__exception__\r\n" + tag + b"\r\n")
        message = rest[:rest.rindex(b"\n", 0, rest.rindex(b" " + tag))]
        self.assertTrue(data.endswith(b"\n") and data.startswith(b"0,0\n"))
        self.assertTrue(message.startswith(b"Code: 395. DB::Exception: "), message)
        self.assertEqual(rest, message + b"\n%d %s\r\n__exception__\r\n" % (len(message) + 1, tag))

    def test_wait_end_of_query_gives_the_error_its_status(self) -> None:
        failing = "SELECT throwIf(number = 2000000), number FROM numbers(3000000)"
        answer = self.store.ask(failing, wait_end_of_query=1)
        self.assertEqual((answer.status, answer.headers["x-clickhouse-exception-code"]), (500, "395"))

    def test_codings_each_way(self) -> None:
        self.store.ask("CREATE OR REPLACE TABLE coded (a UInt32) ENGINE = MergeTree ORDER BY a")
        rows = b"".join(b"%d\n" % i for i in range(1000))
        for coding, encode, decode in (("gzip", gzip.compress, gzip.decompress), ("deflate", zlib.compress, zlib.decompress),
                                       ("xz", lzma.compress, lzma.decompress)):
            answer = self.store.ask("INSERT INTO coded FORMAT TSV", body=encode(rows), headers={"Content-Encoding": coding})
            self.assertEqual(answer.status, 200, answer.body)
            answer = self.store.ask("SELECT number FROM numbers(400000)", headers={"Accept-Encoding": coding}, enable_http_compression=1)
            self.assertEqual(answer.headers["content-encoding"], coding)
            self.assertEqual(len(decode(answer.body).splitlines()), 400000)
        self.assertEqual(self.store.ask("SELECT count() FROM coded").body, b"3000\n")
        packed = lzma.compress(rows)
        for broken in (packed[:-5], packed[:20], packed + b"x" * 8, b"x" * 40):
            answer = self.store.ask("INSERT INTO coded FORMAT TSV", body=broken, headers={"Content-Encoding": "xz"})
            self.assertEqual(answer.headers.get("x-clickhouse-exception-code"), "117", broken)

    def test_blocks_whose_checksum_is_wrong_are_refused(self) -> None:
        self.store.ask("CREATE OR REPLACE TABLE blocks (a UInt8) ENGINE = Memory")
        packed = bytearray(self.store.ask("SELECT '1' FORMAT TSV", compress=1, network_compression_method="NONE").body)
        self.assertEqual(struct.unpack_from("<BII", packed, 16), (0x02, 11, 2))
        insert = "INSERT INTO blocks FORMAT TSV"
        self.assertEqual(self.store.ask(insert, body=bytes(packed), decompress=1).status, 200)
        for at, code in ((0, "40"), (len(packed) - 1, "40"), (16, "40"), (17, "271")):
            broken = packed[:]
            broken[at] ^= 0xFF
            self.assertEqual(self.store.ask(insert, body=bytes(broken), decompress=1).headers.get("x-clickhouse-exception-code"), code, at)
        self.assertEqual(self.store.ask("SELECT sum(a) FROM blocks").body, b"1\n")

    def test_native_of_a_protocol_version_holds_every_type(self) -> None:
        query = """SELECT number, toLowCardinality(toNullable(toString(number % 3))), arrayMap(x -> toLowCardinality(toString(x)), range(number % 4)),
            map('k', [number]), (number, 'x', ()), if(number % 2, NULL, number), CAST(number AS Variant(String, UInt64)), CAST(number AS Dynamic),
            CAST(concat('{"a": ', toString(number), ', "b": {"c": "x"}}') AS JSON), toDecimal128(number, 5), toFixedString('ab', 3), (1.0, 2.0)::Point,
            CAST('a' AS Enum8('a' = 1)), now64(9), toIPv6('::1'), generateUUIDv4(), NULL, [[(number, [number])]], INTERVAL 1 DAY
            FROM numbers(20000) FORMAT Native"""
        for version in (54405, 54460):
            answer = self.store.ask(query, client_protocol_version=version)
            self.assertEqual(answer.status, 200, answer.body[:300])
            self.assertTrue(answer.body.startswith(b"\x01\x00\x02\xff\xff\xff\xff\x00\x13"))
        refused = self.store.ask("SELECT uniqState(number) FROM numbers(10) FORMAT Native", client_protocol_version=54460)
        self.assertEqual(refused.status, 501)

    def test_native_of_a_protocol_version_keeps_zones(self) -> None:
        query = "SELECT toDateTime(1, 'Europe/London') AS a, toDateTime(1) AS b, [a], number FROM numbers({n:UInt8})"
        for user in ("admin", "reader"):
            for n in (1, 2):
                body = self.store.ask(query, user, client_protocol_version=54460, default_format="Native", param_n=n).body
                self.assertIn(b"\x01a\x19DateTime('Europe/London')", body)
                self.assertIn(b"\x01b\x08DateTime\x00", body)

    def test_an_insert_may_begin_with_with(self) -> None:
        self.store.ask("CREATE OR REPLACE TABLE with_rows (s String) ENGINE = Memory")
        for query in ("WITH {SELECT:Int32} AS value INSERT INTO with_rows (s) FORMAT TabSeparated\na;\n", "WITH 13 AS x INSERT INTO with_rows SELECT toString(x)"):
            self.assertEqual(self.store.ask(query, param_SELECT=1).status, 200, query)
        self.assertEqual(self.store.ask("SELECT s FROM with_rows ORDER BY s").body, b"13\na;\n")
        refused = request(self.store.url + "/?query=" + urllib.parse.quote("WITH 13 AS x INSERT INTO with_rows SELECT toString(x)"), headers=self.store.headers())
        self.assertEqual(refused.headers["x-clickhouse-exception-code"], "164")

    def test_names_of_columns_come_once_however_long_the_answer(self) -> None:
        for format_ in ("CSVWithNames", "TSVWithNamesAndTypes", "RowBinaryWithNamesAndTypes", "JSONCompactEachRowWithNamesAndTypes"):
            for query in ("SELECT number AS a, 'x' AS b FROM numbers(300000)", "SELECT 1 AS a WHERE 0",
                          "SELECT number % 3 AS a, count() FROM numbers(100) GROUP BY a WITH TOTALS ORDER BY a"):
                streamed = self.store.ask(f"{query} FORMAT {format_}").body
                whole = self.store.ask(f"{query} FORMAT {format_}", max_block_size=10_000_000).body  # One piece.
                self.assertEqual(streamed, whole, (format_, query))

    def test_roles_other_than_the_users_own_are_refused(self) -> None:
        for user, role, code in (("admin", "admin", None), ("reader", "reader", None), ("reader", "admin", "512"), ("admin", "nobody", "511")):
            self.assertEqual(self.store.ask("SELECT 1", user, role=role).headers.get("x-clickhouse-exception-code"), code, (user, role))
        self.assertEqual(self.store.ask("SELECT 1", quota_key="somebody").status, 200)

    def test_a_slow_client_gets_all_and_holds_nobody_up(self) -> None:
        with socket.create_connection(("127.0.0.1", self.store.port), 60) as slow:
            query = b"SELECT number, repeat('x', 100) FROM numbers(300000)"
            head = "".join(f"{name}: {value}\r\n" for name, value in self.store.headers().items())
            slow.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}Content-Length: {len(query)}\r\n\r\n".encode() + query)
            self.assertTrue(slow.recv(100).startswith(b"HTTP/1.1 200"))
            for _ in range(20):  # It reads nothing meanwhile.
                self.assertEqual(self.store.ask("SELECT 1").body, b"1\n")
            size = 0
            while some := slow.recv(1 << 16):
                size += len(some)
            self.assertGreater(size, 300000 * 100)

    def test_a_client_that_leaves_ends_its_query(self) -> None:
        with socket.create_connection(("127.0.0.1", self.store.port), 60) as leaving:
            query = b"SELECT number, repeat('x', 1000) FROM numbers(1000000000)"
            head = "".join(f"{name}: {value}\r\n" for name, value in self.store.headers().items())
            leaving.sendall(f"POST /?query_id=left HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(query)}\r\n\r\n".encode() + query)
            leaving.recv(100)
        running = "SELECT count() FROM system.processes WHERE endsWith(Settings['log_comment'], ':left')"
        wait_until(lambda: self.store.ask(running).body == b"0\n", 20, "the query to end")


if __name__ == "__main__":
    unittest.main()
