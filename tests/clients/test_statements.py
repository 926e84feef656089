"""What clients look at beside the rows: whether there are any, in which format, who asked, and how errors are written."""

from __future__ import annotations

import json
import unittest

from tests.clients.store import StoreTest


class Statements(StoreTest):
    def test_only_what_gives_rows_has_a_format(self) -> None:
        for query, has in (("SELECT 1 WHERE 0", True), ("SHOW TABLES FROM default", True), ("SHOW POLICIES", True), ("EXISTS x", True), ("DESCRIBE TABLE system.one", True),
                           ("EXPLAIN SELECT 1", True), ("CREATE TABLE IF NOT EXISTS formats (a Int8) ENGINE = Memory", False), ("INSERT INTO formats VALUES (1)", False),
                           ("INSERT INTO formats SELECT 2", False), ("DROP TABLE IF EXISTS missing", False), ("SET max_threads = 1", False), ("CREATE ROLE IF NOT EXISTS r", False)):
            answer = self.store.ask(query)
            self.assertEqual((answer.status, "x-clickhouse-format" in answer.headers), (200, has), query)
            self.assertTrue(has or answer.headers["content-type"].startswith("text/plain"), query)

    def test_zones_come_also_where_the_query_names_its_format(self) -> None:
        for query in ("SELECT toDateTime(0, 'Asia/Tokyo') AS t FORMAT Native", "SELECT toDateTime(0, 'Asia/Tokyo') AS t FORMAT Native SETTINGS max_threads = 1",
                      "SELECT toDateTime(0, 'Asia/Tokyo') AS t, 1 AS format FORMAT Native;"):
            answer = self.store.ask(query, client_protocol_version=54405)
            self.assertEqual(answer.status, 200, answer.body)
            self.assertIn(b"DateTime('Asia/Tokyo')", answer.body)

    def test_settings_say_how_external_tables_are_read(self) -> None:
        def form(rows: bytes) -> bytes:
            return b"--b\r\nContent-Disposition: form-data; name=\"t\"; filename=\"t\"\r\n\r\n" + rows + b"\r\n--b--\r\n"

        for user in ("admin", "reader"):
            settings = {"input_format_allow_errors_num": 1} if user == "admin" else {}
            rows = b"1\nx\n3" if user == "admin" else b"1\n3"
            answer = self.store.ask("SELECT sum(a) FROM t", user, form(rows), {"Content-Type": "multipart/form-data; boundary=b"}, t_structure="a Int32", **settings)
            self.assertEqual(answer.body, b"4\n", user)

    def test_who_asks_is_told_in_the_query(self) -> None:
        for user, wanted in (("admin", b"default\t['admin']\tabc\n"), ("reader", b"reader\t['reader']\tabc\n")):
            answer = self.store.ask("SELECT currentUser(), currentRoles(), queryID()", user, query_id="abc")
            self.assertEqual(answer.body, wanted)
        names = self.store.ask("SELECT upper(currentUser()) AS a, currentUser(), user() = currentUser(), initialQueryID(), 'currentUser()' FORMAT CSVWithNames", query_id="it's")
        self.assertEqual(names.body.decode().splitlines(), ['"a","currentUser()","equals(user(), currentUser())","initialQueryID()","\'currentUser()\'"',
                                                            '"DEFAULT","default",1,"it\'s","currentUser()"'])
        where = self.store.ask("WITH currentUser() AS u SELECT count() FROM (SELECT currentUser() AS v) WHERE v = u GROUP BY currentUser()")
        self.assertEqual(where.body, b"1\n")

    def test_sessions_and_refusals_are_logged(self) -> None:
        self.store.ask("SELECT 1", session_id="logged")
        self.store.users["wrong"] = ("intruder", "guess77")
        self.assertEqual(self.store.ask("SELECT 1", "wrong").status, 403)
        rows = self.store.ask("SELECT type, session_id, user, interface FROM system.session_log WHERE session_id = 'logged' OR user = 'intruder' ORDER BY type").body
        self.assertEqual(rows, b"LoginFailure\t\tintruder\tHTTP\nLoginSuccess\tlogged\tdefault\tHTTP\n")
        self.assertNotIn(b"guess77", self.store.ask("SELECT * FROM system.session_log").body)
        self.assertEqual(self.store.ask("SELECT * FROM system.session_log", "reader").status, 403)

    def test_the_cluster_of_one_is_there_and_for_administrators(self) -> None:
        self.assertEqual(self.store.ask("SELECT count() > 0 FROM clusterAllReplicas('default', system.query_log)").body, b"1\n")
        self.assertNotEqual(self.store.ask("SELECT * FROM cluster('default', system.one)", "reader").status, 200)

    def test_an_error_is_written_in_its_format_where_asked_for(self) -> None:
        for form in ("JSON", "JSONCompact", "JSONEachRow"):
            answer = self.store.ask("SELECT throwIf(1, 'a \"text\"')", default_format=form, http_write_exception_in_output_format=1)
            self.assertEqual(answer.status, 500)
            self.assertIn('a "text"', json.loads(answer.body)["exception"])
            self.assertIn("json", answer.headers["content-type"])
            self.assertTrue(self.store.ask("SELECT throwIf(1)", default_format=form).body.startswith(b"Code: 395"))
        self.assertTrue(self.store.ask("SELECT throwIf(1)", http_write_exception_in_output_format=1).body.startswith(b"Code: 395"))

    def test_small_blocks_are_sent_one_by_one(self) -> None:
        query = "SELECT number, throwIf(number = 10, 'boom') FROM system.numbers LIMIT 100 FORMAT JSONEachRow"
        self.assertEqual(self.store.ask(query).status, 500)
        with self.assertRaisesRegex(OSError, "IncompleteRead"):  # 200, rows, and an error in the middle.
            self.store.ask(query, max_block_size=1)

    def test_nothing_runs_of_a_text_that_is_not_one_statement(self) -> None:
        self.store.ask("CREATE TABLE IF NOT EXISTS kept (a Int8) ENGINE = Memory")
        for query in ("SELECT 1; DROP TABLE kept; (", "SELECT 1; DROP TABLE kept; no statement", "DROP TABLE kept; SELECT", "DROP TABLE kept; SELECT 1"):
            for form in ("TSV", "JSON"):
                answer = self.store.ask(query, default_format=form)
                self.assertEqual(answer.headers.get("x-clickhouse-exception-code"), "62", (query, answer.body))
                self.assertIn(b"Syntax error (Multi-statements are not allowed): failed at position", answer.body)
        self.assertEqual(self.store.ask("EXISTS kept").body, b"1\n")
        for query in ("SELECT 1;", "SELECT 1;;", "SELECT 1; -- a comment", "SELECT ';' FORMAT JSON;"):
            self.assertEqual(self.store.ask(query).status, 200, query)


if __name__ == "__main__":
    unittest.main()
