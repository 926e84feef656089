"""What the store tells of a query while it runs, and how a query ends before its time."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import unittest
import urllib.parse

from tests.clients.store import StoreTest, wait_until

LONG = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"


class Running(StoreTest):
    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.store.port), 60)
        self.addCleanup(connection.close)
        return connection

    def send(self, connection: socket.socket, query: str, user: str = "admin", **parameters: object) -> None:
        head = "".join(f"{name}: {value}\r\n" for name, value in self.store.headers(user).items())
        target = "/?" + urllib.parse.urlencode(parameters)
        connection.sendall(f"POST {target} HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(query)}\r\n\r\n{query}".encode())

    def fields(self, connection: socket.socket) -> list[tuple[str, str, float]]:
        """Each field of an answer's head with the moment of its arrival."""
        found = []
        with connection.makefile("rb") as lines:
            status = lines.readline()
            self.assertTrue(status.startswith(b"HTTP/1.1 200"), status)
            while (line := lines.readline().decode().strip()) != "":
                name, _, value = line.partition(": ")
                found.append((name, value, time.monotonic()))
        return found

    def is_running(self, query_id: str) -> bool:
        asked = self.store.ask(f"SELECT count() FROM system.processes WHERE endsWith(Settings['log_comment'], ':{query_id}')")
        return asked.body != b"0\n"

    def test_progress_comes_while_the_query_runs(self) -> None:
        for more in ({}, {"wait_end_of_query": 1}):
            connection = self.connect()
            self.send(connection, "SELECT sum(sleepEachRow(0.1)) FROM numbers(15) SETTINGS max_block_size = 1", send_progress_in_http_headers=1,
                      http_headers_progress_interval_ms=50, **more)
            fields = self.fields(connection)
            told = [(json.loads(value), at) for name, value, at in fields if name == "X-ClickHouse-Progress"]
            self.assertGreater(len(told), 3, fields)
            self.assertGreater(told[-1][1] - told[0][1], 0.3, "progress came all at once")
            rows = [int(progress["read_rows"]) for progress, _ in told]
            self.assertEqual(rows, sorted(rows))
            self.assertTrue(all(int(progress["total_rows_to_read"]) == 15 for progress, _ in told), told)
            self.assertEqual(sum(name == "X-ClickHouse-Summary" for name, _, _ in fields), 1)
            self.assertEqual(sum(name == "Content-Type" for name, _, _ in fields), 1)

    def test_an_error_after_progress_has_its_code_in_the_head(self) -> None:
        connection = self.connect()
        self.send(connection, "SELECT count() FROM numbers(20) WHERE sleepEachRow(0.05) = 0 AND NOT throwIf(number = 10) SETTINGS max_block_size = 1",
                  send_progress_in_http_headers=1, http_headers_progress_interval_ms=50)
        fields = {name: value for name, value, _ in self.fields(connection)}
        self.assertIn("X-ClickHouse-Progress", fields)
        self.assertEqual(fields["X-ClickHouse-Exception-Code"], "395")

    def test_rows_come_while_the_query_runs(self) -> None:
        connection = self.connect()
        self.send(connection, "SELECT number, sleepEachRow(0.1) FROM numbers(12) SETTINGS max_block_size = 1", default_format="CSV")
        began = time.monotonic()
        self.fields(connection)
        self.assertLess(time.monotonic() - began, 0.9, "the first rows came with the last")
        whole = self.store.ask("SELECT number, sleepEachRow(0.03) FROM numbers(12) SETTINGS max_block_size = 1", buffer_size=1_000_000)
        self.assertEqual(json.loads(whole.headers["x-clickhouse-summary"])["result_rows"], "12")
        early = self.store.ask("SELECT number FROM numbers(100) SETTINGS max_block_size = 1", http_response_buffer_size=2)
        self.assertEqual(early.headers.get("transfer-encoding"), "chunked")

    def test_no_progress_where_none_is_asked_for(self) -> None:
        self.assertNotIn("x-clickhouse-progress", self.store.ask("SELECT sleep(0.5)").headers)

    def test_the_summary_holds_what_clickhouse_tells(self) -> None:
        answer = self.store.ask("SELECT max(sipHash64(number)), max(sleepEachRow(0.001)) FROM numbers(2000) SETTINGS max_block_size = 100")
        summary = {name: int(value) for name, value in json.loads(answer.headers["x-clickhouse-summary"]).items()}
        self.assertEqual(set(summary), {"read_rows", "read_bytes", "written_rows", "written_bytes", "total_rows_to_read", "result_rows", "result_bytes",
                                        "elapsed_ns", "memory_usage", "real_time_microseconds"})
        self.assertEqual((summary["read_rows"], summary["total_rows_to_read"], summary["result_rows"]), (2000, 2000, 1))
        self.assertGreater(summary["memory_usage"], 0)
        self.assertGreater(summary["real_time_microseconds"], 1_000_000)

    def test_a_client_that_leaves_ends_its_query(self) -> None:
        for user, more in (("admin", {}), ("reader", {}), ("admin", {"session_id": "left"}), ("admin", {"cancel_http_readonly_queries_on_client_close": 1})):
            connection = self.connect()
            self.send(connection, LONG, user, query_id="left", **more)
            wait_until(lambda: self.is_running("left"), 20, "the query to run")
            connection.close()
            began = time.monotonic()
            wait_until(lambda: not self.is_running("left"), 20, "the query to end")
            self.assertLess(time.monotonic() - began, 5, (user, more))
        self.assertEqual(self.store.ask("SELECT 1", session_id="left").body, b"1\n")

    def test_a_query_without_an_id_ends_too(self) -> None:
        connection = self.connect()
        self.send(connection, LONG + " AND 'by nobody' != ''")
        seen = "SELECT count() FROM system.processes WHERE query LIKE '%by nobody%' AND query NOT LIKE '%processes%'"
        wait_until(lambda: self.store.ask(seen).body == b"1\n", 20, "the query to run")
        connection.close()
        wait_until(lambda: self.store.ask(seen).body == b"0\n", 20, "the query to end")

    def test_the_next_request_on_a_connection_ends_nothing(self) -> None:
        connection = self.connect()
        self.send(connection, "SELECT sleep(1.2)")
        self.send(connection, "SELECT 2")
        with connection.makefile("rb") as answers:
            text = b""
            while not text.endswith(b"\r\n\r\n2\n"):
                text += answers.readline()
        self.assertEqual(text.count(b"HTTP/1.1 200"), 2)

    def test_who_leaves_early_keeps_what_an_insert_adds(self) -> None:
        self.store.ask("CREATE OR REPLACE TABLE kept (a UInt64) ENGINE = MergeTree ORDER BY a")
        connection = self.connect()
        self.send(connection, "INSERT INTO kept SELECT number + sleepEachRow(0.1) FROM numbers(10) SETTINGS max_block_size = 1", query_id="keeps")
        wait_until(lambda: self.is_running("keeps"), 20, "the insert to run")
        connection.close()
        wait_until(lambda: not self.is_running("keeps"), 20, "the insert to end")
        self.assertEqual(self.store.ask("SELECT count() FROM kept").body, b"10\n")

    def test_the_log_of_queries_tells_how_they_ended(self) -> None:
        self.store.ask("SELECT number FROM numbers(3)", query_id="logged", max_threads=2, headers={"User-Agent": "a client"})
        self.store.ask("SELECT nothing", query_id="logged wrong")
        self.store.ask("SYSTEM FLUSH LOGS")
        rows = self.store.ask("SELECT type, read_rows, result_rows, exception_code, user, interface, http_user_agent, query_kind, Settings['max_threads'], query, "
                              "event_time > now() - 60 FROM system.query_log WHERE startsWith(query_id, 'logged') ORDER BY query_id, type").body
        self.assertEqual([line.split("\t") for line in rows.decode().splitlines()], [
            ["QueryStart", "0", "0", "0", "default", "2", "a client", "Select", "2", "SELECT number FROM numbers(3)", "1"],
            ["QueryFinish", "3", "3", "0", "default", "2", "a client", "Select", "2", "SELECT number FROM numbers(3)", "1"],
            ["QueryStart", "0", "0", "0", "default", "2", "", "Select", "", "SELECT nothing", "1"],
            ["ExceptionWhileProcessing", "0", "0", "47", "default", "2", "", "Select", "", "SELECT nothing", "1"]])
        self.assertEqual(self.store.ask("SELECT count() FROM system.query_log", "reader").headers["x-clickhouse-exception-code"], "497")

    def test_an_id_is_one_querys_at_a_time_and_kill_ends_it(self) -> None:
        outcome = []

        def run() -> None:
            with contextlib.suppress(OSError):
                outcome.append(self.store.ask(LONG, query_id="twice"))
        thread = threading.Thread(target=run)
        thread.start()
        wait_until(lambda: self.is_running("twice"), 20, "the query to run")
        again = self.store.ask("SELECT 1", query_id="twice")
        self.assertEqual(again.headers["x-clickhouse-exception-code"], "216")
        self.store.ask("KILL QUERY WHERE query_id = 'twice' SYNC")
        thread.join()
        self.assertEqual(outcome[0].headers["x-clickhouse-exception-code"], "394")


if __name__ == "__main__":
    unittest.main()
