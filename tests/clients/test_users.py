"""Users, their roles, what a writer may do, and quotas."""

from __future__ import annotations

import os
import subprocess
import tempfile
import unittest

from tests.clients.store import BINARY, Store, StoreTest
from tests.support.marquee import request


class Users(StoreTest):
    @classmethod
    def setUpClass(cls) -> None:
        cls.store = Store({"both": "b's secret", "loader": "l's secret", "guest": "g's secret", "costly": "c's secret", "clumsy": "d's secret"}, (
            "--user", "both:admin,reader:{both}", "--user", "loader:writer:{loader}", "--user", "guest:reader:{guest}",
            "--user", "costly:reader:{costly}", "--user", "clumsy:reader:{clumsy}",
            "--limit", "guest:max_result_rows=10", "--limit", "guest:max_execution_time=5",
            # A year, so that no interval ends amid the test.
            "--quota", "guest:365d:queries=12", "--quota", "costly:365d:read_rows=1000", "--quota", "clumsy:365d:errors=1"))
        cls.addClassCleanup(cls.store.stop)
        cls.store.ask("CREATE TABLE rows (a UInt32, b String DEFAULT 'x') ENGINE = MergeTree ORDER BY a")

    def code(self, query: str, user: str, **parameters: object) -> str | None:
        return self.store.ask(query, user, **parameters).headers.get("x-clickhouse-exception-code")

    def test_roles_are_taken_and_refused(self) -> None:
        url = f"{self.store.url}/?query=SELECT+1"
        for user, roles, status, code in (
                ("both", "", 200, None), ("both", "&role=reader", 200, None), ("both", "&role=reader&role=admin", 200, None),
                ("both", "&role=writer", 403, "512"), ("both", "&role=reader&role=writer", 403, "512"), ("guest", "&role=admin", 403, "512"),
                ("both", "&role=nobody", 404, "511")):
            answer = request(url + roles, headers=self.store.headers(user))
            self.assertEqual((answer.status, answer.headers.get("x-clickhouse-exception-code")), (status, code), (user, roles))

    def test_a_role_that_is_asked_for_holds(self) -> None:
        self.assertIsNone(self.code("CREATE OR REPLACE TABLE made (a Int8) ENGINE = Memory", "both"))
        self.assertEqual(self.code("CREATE OR REPLACE TABLE made (a Int8) ENGINE = Memory", "both", role="reader"), "164")
        self.assertEqual(self.code("SELECT * FROM system.processes", "both", role="reader"), "497")

    def test_a_writer_adds_rows_and_reads_them(self) -> None:
        self.store.ask("TRUNCATE TABLE rows")
        for query in ("INSERT INTO rows VALUES (1, 'y')", "INSERT INTO default.rows (a) FORMAT CSV\n2\n", 'INSERT INTO TABLE rows FORMAT JSONEachRow {"a":3}'):
            self.assertIsNone(self.code(query, "loader"), query)
        self.assertIsNone(self.code("INSERT INTO rows VALUES (4, 'z')", "loader", async_insert=1, wait_for_async_insert=1))
        self.assertEqual(self.store.ask("SELECT a, b FROM rows ORDER BY a", "loader").body, b"1\ty\n2\tx\n3\tx\n4\tz\n")

    def test_a_writer_is_kept_inside(self) -> None:
        secret = os.path.join(self.store.data, "loader")
        for query in (
            f"INSERT INTO rows VALUES (9, file('{secret}'))", "INSERT INTO rows VALUES (9, (SELECT password FROM system.users))",
            "INSERT INTO rows VALUES (9, hostName())", f"INSERT INTO rows SELECT 9, * FROM file('{secret}', 'LineAsString')",
            f"INSERT INTO FUNCTION file('{self.store.data}/out', 'CSV', 'a UInt32') VALUES (1)", "INSERT INTO TABLE FUNCTION remote('127.0.0.1', 'rows') VALUES (1)",
            f"INSERT INTO rows FROM INFILE '{secret}' FORMAT CSV", "INSERT INTO system.users VALUES (1)", "INSERT INTO `system`.one VALUES (1)",
            "INSERT INTO \"sy\\x73tem\".one VALUES (1)", "INSERT INTO {t:Identifier} VALUES (1)",
            "INSERT INTO rows SETTINGS input_format_values_interpret_expressions = 1 VALUES (9, hostName())", "INSERT INTO rows SELECT 9, 'x'",
            f"WITH (SELECT * FROM file('{secret}', 'LineAsString')) AS x INSERT INTO rows VALUES (9, x)", "INSERT INTO rows; DROP TABLE rows", "SELECT 1; DROP TABLE rows; (", "INSERT INTO rows SELECT 9, 'x'; DROP TABLE rows; (",
            "INSERT INTO rows (a, b) SELECT 9, 'x'", "INSERT INTO rows (* EXCEPT (a)) VALUES ('x')",
            "CREATE TABLE x (a Int8) ENGINE = Memory", "DROP TABLE rows", "TRUNCATE TABLE rows", "ALTER TABLE rows DELETE WHERE 1", "SET max_threads = 1",
            "SYSTEM FLUSH LOGS", "KILL QUERY WHERE 1", "SELECT * FROM system.processes", f"SELECT * FROM file('{secret}', 'LineAsString')",
        ):
            answer = self.store.ask(query, "loader", param_t="rows")
            self.assertNotEqual(answer.status, 200, f"a writer may run {query}: {answer.body[:200]!r}")
        for setting in ("input_format_values_interpret_expressions", "allow_ddl", "format_schema", "format_template_row", "readonly_x", "input_format_max_rows_to_read_for_schema_inference"):
            self.assertNotEqual(self.store.ask("INSERT INTO rows VALUES (9, 'x')", "loader", **{setting: 1}).status, 200, setting)
        self.assertEqual(self.store.ask("INSERT INTO one VALUES (1)", "loader", database="system").headers.get("x-clickhouse-exception-code"), "497")
        self.assertEqual(self.store.ask("SELECT count() FROM rows WHERE a = 9").body, b"0\n")
        self.assertFalse(os.path.exists(f"{self.store.data}/out"))

    def test_limits_of_a_user_hold_and_may_be_made_smaller(self) -> None:
        self.assertEqual(self.code("SELECT * FROM numbers(11)", "both"), None)
        self.assertEqual(self.code("SELECT * FROM numbers(11)", "guest"), "396")
        self.assertEqual(self.code("SELECT * FROM numbers(11)", "guest", max_result_rows=100), "396")
        self.assertEqual(self.code("SELECT * FROM numbers(9)", "guest", max_result_rows=5), "396")
        self.assertEqual(self.store.ask("SELECT getSetting('max_execution_time'), getSetting('max_memory_usage')", "guest").body, b"5\t2147483648\n")

    def test_quotas_refuse_what_goes_beyond(self) -> None:
        while (code := self.code("SELECT 1", "guest")) is None:
            pass
        refused = self.store.ask("SELECT 1", "guest")
        self.assertEqual((code, refused.status), ("201", 500))
        self.assertRegex(refused.body.decode(), r"Quota for user `guest` for 31536000s has been exceeded: queries = \d+/12\. .*\(QUOTA_EXCEEDED\)")
        self.assertIsNone(self.code("SELECT 1", "both"))
        self.assertIsNone(self.code("SELECT sum(number) FROM numbers(2000)", "costly"))  # Counted once it has ended.
        self.assertEqual(self.code("SELECT 1", "costly"), "201")
        self.assertEqual([self.code("SELECT nothing", "clumsy") for _ in range(3)], ["47", "47", "201"])

    def test_a_token_is_refused_politely(self) -> None:
        answer = request(self.store.url + "/?query=SELECT+1", headers={"Authorization": "Bearer abc.def.ghi"})
        self.assertEqual((answer.status, answer.headers["x-clickhouse-exception-code"]), (403, "516"))
        self.assertIn(b"'Bearer' HTTP Authorization scheme is not supported", answer.body)

    def test_endpoints_that_clients_ask(self) -> None:
        for path in ("/ping", "/replicas_status"):
            for method, body in (("GET", b"Ok.\n"), ("HEAD", b"")):
                answer = request(self.store.url + path, method)
                self.assertEqual((answer.status, answer.body), (200, body), (method, path))
        head = request(self.store.url + "/?query=SELECT+1", "HEAD", headers=self.store.headers())
        self.assertEqual((head.status, head.body, head.headers["x-clickhouse-format"]), (200, b"", "TabSeparated"))
        for method in ("GET", "HEAD"):
            request(self.store.url + "/?query=CREATE+TABLE+by_head+(a+Int8)+ENGINE+%3D+Memory", method, headers=self.store.headers())
        self.assertEqual(self.store.ask("EXISTS TABLE by_head").body, b"0\n")
        long = f"SELECT+length('{'x' * 250_000}')"
        self.assertEqual(request(f"{self.store.url}/?query={long}", headers=self.store.headers()).body, b"250000\n")
        preflight = request(self.store.url + "/", "OPTIONS", headers={"Origin": "http://x", "Access-Control-Request-Method": "POST"})
        self.assertEqual((preflight.status, preflight.headers["access-control-allow-methods"]), (204, "POST, GET, OPTIONS"))
        self.assertNotIn("access-control-allow-origin", self.store.ask("SELECT 1").headers)
        self.assertEqual(self.store.ask("SELECT 1", add_http_cors_header=1).headers["access-control-allow-origin"], "*")
        self.assertNotIn("access-control-allow-origin", request(self.store.url + "/?query=SELECT+1&add_http_cors_header=1").headers)


class Options(unittest.TestCase):
    def test_users_that_cannot_be_are_refused_at_start(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("empty", "\n"), ("full", "secret\n")):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(text)
            full = os.path.join(folder, "full")
            for arguments, said in ((["--user", f"x:king:{full}"], "there is no role king"), (["--user", f"x:reader:{folder}/empty"], "cannot read a password"),
                                    (["--user", f"default:reader:{full}"], "there is a user default already"), (["--quota", "nobody:1h:queries=1"], "no user of that name"),
                                    (["--quota", "default:1h:apples=1"], "no limit apples"), (["--quota", "default:1h:queries=many"], "is no number"),
                                    (["--limit", "default:readonly=0"], "--limit takes")):
                done = subprocess.run([BINARY, "--data", folder + "/store", "--port", "0", *arguments], capture_output=True, text=True, check=False, timeout=60)
                self.assertEqual(done.returncode, 1, arguments)
                self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main()
