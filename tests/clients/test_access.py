"""Users and roles that are made by SQL: what they may do, and that they may do no more."""

from __future__ import annotations

import os
import pathlib
import unittest

from tests.clients.store import Store, StoreTest

PASSWORD = "p'a\\ss 1"
LITERAL = "'p\\'a\\\\ss 1'"


class Made(StoreTest):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        for query in ("CREATE DATABASE shop", "CREATE TABLE shop.orders (a UInt32, b String DEFAULT 'x') ENGINE = MergeTree ORDER BY a",
                      "CREATE TABLE shop.secret (a UInt32, word String) ENGINE = Memory", "CREATE TABLE shop.`shop.orders` (word String) ENGINE = Memory",
                      "CREATE TABLE secret (word String) ENGINE = Memory", "CREATE TABLE shop.one_column (a UInt8) ENGINE = Memory", "INSERT INTO shop.one_column VALUES (42)", "INSERT INTO shop.orders VALUES (1, 'one')",
                      "INSERT INTO shop.secret VALUES (1, 'xyzzy')", "INSERT INTO secret VALUES ('xyzzy')", "INSERT INTO shop.`shop.orders` VALUES ('xyzzy')",
                      "CREATE VIEW shop.by_letter AS SELECT * FROM shop.secret WHERE word = {w:String}",
                      "CREATE DICTIONARY shop.words (a UInt32, word String) PRIMARY KEY a SOURCE(CLICKHOUSE(DB 'shop' TABLE 'secret')) LAYOUT(FLAT()) LIFETIME(0)",
                      "CREATE TABLE shop.joined (a UInt32, word String) ENGINE = Join(ANY, LEFT, a)",
                      f"CREATE USER clerk IDENTIFIED WITH sha256_password BY {LITERAL} DEFAULT DATABASE shop", "CREATE ROLE reads, adds, makes",
                      "GRANT SELECT ON shop.orders TO reads", "GRANT INSERT, SELECT ON shop.orders TO adds",
                      "GRANT CREATE TABLE, DROP TABLE, TRUNCATE, SELECT ON desk.* TO makes", "GRANT reads TO clerk", "CREATE DATABASE desk",
                      f"CREATE USER looker IDENTIFIED BY {LITERAL} SETTINGS readonly = 1", "GRANT ALL ON *.* TO looker",
                      f"CREATE USER boss IDENTIFIED BY {LITERAL}", "GRANT admin TO boss", f"CREATE USER nobody IDENTIFIED BY {LITERAL}",
                      f"CREATE USER many IDENTIFIED BY {LITERAL} DEFAULT ROLE reads", "GRANT adds, makes TO many", f"CREATE USER maker IDENTIFIED BY {LITERAL}",
                      "GRANT makes TO maker"):
            cls.must(query)
        for name in ("clerk", "looker", "boss", "nobody", "many", "maker"):
            cls.store.users[name] = (name, PASSWORD)

    @classmethod
    def must(cls, query: str) -> None:
        answer = cls.store.ask(query)
        assert answer.status == 200, (query, answer.body)

    def code(self, query: str, user: str, **parameters: object) -> str | None:
        return self.store.ask(query, user, **parameters).headers.get("x-clickhouse-exception-code")

    def rows(self, query: str, user: str = "admin", **parameters: object) -> bytes:
        answer = self.store.ask(query, user, **parameters)
        self.assertEqual(answer.status, 200, (query, user, answer.body))
        return answer.body

    def test_only_what_was_granted_is_read(self) -> None:
        for query, wanted in (("SELECT b FROM orders", b"one\n"), ("SELECT b FROM shop.orders", b"one\n"), ("SELECT b FROM `shop`.`orders`", b"one\n"),
                              ("WITH t AS (SELECT b FROM orders) SELECT * FROM t", b"one\n"), ("SELECT 1 IN (SELECT a FROM orders)", b"1\n"),
                              ("SELECT sum(number) FROM numbers(4)", b"6\n"), ("SELECT count() FROM system.one", b"1\n"),
                              ("SELECT a IN (1, 2) AS `is in` FROM orders", b"1\n")):
            self.assertEqual(self.rows(query, "clerk"), wanted, query)

    def test_nothing_else_is_read(self) -> None:
        secret = os.path.join(self.store.data, "log")
        for query in (
            "SELECT * FROM secret", "SELECT * FROM shop.secret", "SELECT * FROM default.secret", "SELECT * FROM orders, secret", "SELECT 1 IN secret",
            "SELECT 1 IN shop.secret", "SELECT globalIn(1, secret)", "SELECT (SELECT word FROM secret)", "SELECT arrayMap(x -> x IN secret, [1])",
            "WITH one_column AS x SELECT 42 IN x", "SELECT 42 IN (one_column AS x)", "SELECT 42 IN x, one_column AS x", "WITH one_column AS x, x AS y SELECT 42 IN y",
            "WITH (x -> x IN one_column) AS f SELECT f(42)", "SELECT notInIgnoreSet(42, one_column)", "SELECT * FROM (EXPLAIN SELECT * FROM secret)",
            "FROM shop./**/secret SELECT *", "SELECT * FROM orders PASTE JOIN secret", "SELECT * FROM values((SELECT word FROM secret))",
            "WITH secret AS (SELECT 1) SELECT * FROM secret", "SELECT * FROM (WITH secret AS (SELECT 1) SELECT * FROM secret), secret",
            "SELECT * FROM `shop.orders`", "SELECT * FROM \"shop.orders\"", "SELECT * FROM shop.`shop.orders`", "SELECT * FROM `sec\\x72et`",
            "SELECT dictGet('shop.words', 'word', toUInt64(1))", "SELECT dictHas('shop.words', toUInt64(1))", "SELECT * FROM shop.words",
            "SELECT * FROM dictionary('shop.words')", "SELECT joinGet('shop.joined', 'word', toUInt32(1))", "SELECT * FROM by_letter(w = 'xyzzy')",
            "SELECT * FROM shop.by_letter(w = 'xyzzy')", "SELECT * FROM merge('shop', 'secret')", "SELECT * FROM loop(shop.secret)",
            "SELECT * FROM viewIfPermitted(SELECT * FROM secret ELSE null('a UInt8'))", "SELECT * FROM view(SELECT * FROM secret)",
            "SELECT * FROM cluster('default', shop.secret)", "SELECT * FROM remote('127.0.0.1', shop.secret)", f"SELECT * FROM file('{secret}', 'LineAsString')",
            "SELECT * FROM {t:Identifier}", "EXPLAIN SELECT * FROM secret", "DESCRIBE TABLE secret", "SHOW CREATE TABLE secret", "SHOW TABLES", "EXISTS secret",
            "SELECT * FROM system.tables", "SELECT * FROM system.columns", "SELECT * FROM system.users", "SELECT * FROM system.query_log",
            "SELECT * FROM system.session_log", "SELECT * FROM information_schema.tables", "SELECT * FROM INFORMATION_SCHEMA.COLUMNS",
            "SELECT * FROM orders UNION ALL SELECT * FROM secret", "SELECT * FROM orders ORDER BY (SELECT max(word) FROM secret)",
            "SELECT * FROM orders; SELECT * FROM secret", "CHECK TABLE secret", "SELECT * FROM orders SETTINGS additional_table_filters = {'shop.orders': '1'}"):
            answer = self.store.ask(query, "clerk", param_t="secret")
            self.assertNotIn(b"xyzzy", answer.body, query)
            self.assertNotEqual(answer.status, 200, (query, answer.body))
        self.assertIn(b"xyzzy", self.rows("SELECT * FROM shop.secret"))

    def test_nothing_is_changed_that_was_not_granted(self) -> None:
        for query in ("INSERT INTO orders VALUES (2, 'two')", "CREATE TABLE made (a Int8) ENGINE = Memory", "DROP TABLE orders", "TRUNCATE TABLE orders",
                      "ALTER TABLE orders DELETE WHERE 1", "CREATE USER x IDENTIFIED BY 'y'", "GRANT admin TO clerk", "SET DEFAULT ROLE admin TO clerk", "DROP ROLE reads",
                      "ALTER USER clerk IDENTIFIED BY 'y'", "SHOW USERS", "SHOW ROLES", "SHOW GRANTS FOR boss", "SYSTEM FLUSH LOGS", "KILL QUERY WHERE 1"):
            self.assertEqual(self.code(query, "clerk"), "497", query)
        for query in ("SELECT 1; DROP TABLE shop.orders; (", "SELECT 1; GRANT admin TO clerk; (", "SELECT 1; SET ROLE admin; DROP TABLE shop.orders; ("):
            self.assertEqual(self.code(query, "clerk"), "62", query)
        self.assertEqual(self.rows("SELECT count() FROM shop.orders"), b"1\n")

    def test_the_engine_reduces_a_guest_too(self) -> None:
        """Behind the judge: what it overlooked, the connection has no right to. A plan tells the engine's own role."""
        for user in ("clerk", "reader"):
            self.assertIn(rb"constant_value: Array_[\'reader\']", self.rows("EXPLAIN QUERY TREE SELECT currentRoles()", user), user)
        held = self.rows("SELECT DISTINCT access_type FROM system.grants WHERE role_name IN ('reader', 'writer', 'maker')").decode().split("\n")
        for right in ("READ", "WRITE", "SOURCES", "FILE", "URL", "REMOTE", "S3", "SHOW ACCESS", "SHOW USERS", "CREATE USER", "SYSTEM", "ALTER", "CREATE FUNCTION", "INTROSPECTION"):
            self.assertNotIn(right, held)
        self.assertIn("SELECT", held)

    def test_a_role_adds_rows_to_its_table(self) -> None:
        self.assertEqual(self.code("INSERT INTO shop.orders (a) VALUES (5)", "many"), "497")
        for query in ("INSERT INTO shop.orders (a) VALUES (5)", "INSERT INTO shop.`orders` FORMAT JSONEachRow {\"a\": 6}"):
            self.assertIsNone(self.code(query, "many", role="adds"), query)
        for query in ("INSERT INTO shop.secret VALUES (5, 'x')", "INSERT INTO secret VALUES ('x')", "INSERT INTO shop.orders SELECT 1, 'x'",
                      "INSERT INTO FUNCTION null('a Int8') VALUES (1)", "INSERT INTO shop.orders VALUES (9, hostName())"):
            self.assertNotEqual(self.store.ask(query, "many", role="adds").status, 200, query)
        self.assertEqual(self.rows("SELECT groupArray(b) FROM shop.orders WHERE a IN (5, 6)"), b"['x','x']\n")
        self.must("DELETE FROM shop.orders WHERE a IN (5, 6)")

    def test_a_role_makes_plain_tables_where_it_may(self) -> None:
        self.assertIsNone(self.code("CREATE TABLE IF NOT EXISTS desk.t\n(id UInt64, name String DEFAULT 'a', sku Array(UInt8)) ENGINE = MergeTree() ORDER BY (id)", "maker"))
        self.assertIsNone(self.code("TRUNCATE TABLE desk.t", "maker"))
        path = os.path.join(self.store.data, "made")
        for query in (
            "CREATE TABLE shop.t (a Int8) ENGINE = Memory", "CREATE TABLE desk.f (a String) ENGINE = File(CSV)", f"CREATE TABLE desk.f (a String) ENGINE = File(CSV, '{path}')",
            "CREATE TABLE desk.f (a String) ENGINE = URL('http://127.0.0.1:1/', CSV)", "CREATE TABLE desk.f (a String) ENGINE = Merge('shop', 'secret')",
            "CREATE TABLE desk.f (a String) ENGINE = Distributed('default', 'shop', 'secret')", "CREATE TABLE desk.f (a String) ENGINE = Buffer('shop', 'secret', 1, 1, 1, 1, 1, 1, 1)",
            "CREATE TABLE desk.f (word String) ENGINE = Memory AS SELECT word FROM shop.secret", "CREATE TABLE desk.f AS shop.secret", "CREATE TABLE desk.f CLONE AS shop.secret",
            "CREATE TABLE desk.f ENGINE = Memory AS SELECT * FROM shop.secret", f"CREATE TABLE desk.f (a String DEFAULT file('{path}')) ENGINE = Memory",
            "CREATE TABLE desk.f (a String DEFAULT dictGet('shop.words', 'word', toUInt64(1))) ENGINE = Memory",
            "CREATE TABLE desk.f (a String DEFAULT (SELECT word FROM shop.secret)) ENGINE = Memory", "CREATE TABLE desk.f (a UInt8 DEFAULT 1 IN shop.secret) ENGINE = Memory",
            f"CREATE TABLE desk.f (a Int8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = 'local', path = '{path}/')",
            "CREATE TABLE system.f (a Int8) ENGINE = Memory", "CREATE VIEW desk.f AS SELECT * FROM shop.secret", "CREATE MATERIALIZED VIEW desk.f ENGINE = Memory AS SELECT * FROM shop.secret",
            "CREATE OR REPLACE TABLE desk.t (a Int8) ENGINE = Memory", "CREATE TEMPORARY TABLE f (a Int8)", "CREATE DATABASE desk2", "CREATE FUNCTION f AS x -> x",
            "CREATE DICTIONARY desk.f (a UInt64) PRIMARY KEY a SOURCE(FILE(PATH '/etc/passwd' FORMAT 'CSV')) LAYOUT(FLAT()) LIFETIME(0)", "DROP TABLE shop.secret",
            "DROP DATABASE desk", "DROP TABLE desk.t, shop.secret", "TRUNCATE DATABASE shop", "ATTACH TABLE desk.f FROM '/etc' (a Int8) ENGINE = Memory",
            "CREATE TABLE desk.f (a Int8) ENGINE = Memory; DROP TABLE shop.secret", "CREATE TABLE {t:Identifier} (a Int8) ENGINE = Memory"):
            answer = self.store.ask(query, "maker", param_t="shop.t2")
            self.assertNotEqual(answer.status, 200, query)
        self.assertEqual(self.rows("SELECT groupArray(name) FROM system.tables WHERE database = 'desk'"), b"['t']\n")
        self.assertFalse(os.path.exists(path))
        self.assertIsNone(self.code("DROP TABLE desk.t SYNC", "maker"))

    def test_readonly_holds_whatever_is_granted(self) -> None:
        self.assertEqual(self.rows("SELECT word FROM secret", "looker"), b"xyzzy\n")
        for query in ("INSERT INTO shop.orders VALUES (7, 'x')", "CREATE TABLE desk.x (a Int8) ENGINE = Memory", "DROP TABLE shop.orders"):
            self.assertEqual(self.code(query, "looker"), "497", query)
        self.assertEqual(self.code("SELECT * FROM file('x', 'LineAsString')", "looker"), "497")

    def test_an_administrator_can_be_made(self) -> None:
        self.assertIsNone(self.code("CREATE OR REPLACE TABLE desk.by_boss (a Int8) ENGINE = Memory", "boss"))
        self.assertIsNone(self.code("DROP TABLE desk.by_boss", "boss"))
        self.assertIn(b"boss\n", self.rows("SHOW USERS", "boss"))

    def test_who_was_granted_nothing_reads_no_table(self) -> None:
        self.assertEqual(self.rows("SELECT currentUser(), currentRoles()", "nobody"), b"nobody\t[]\n")
        self.assertEqual(self.code("SELECT * FROM shop.orders", "nobody"), "497")

    def test_roles_are_those_asked_for(self) -> None:
        for parameters, wanted in (({}, b"['reads']\n"), ({"role": "adds"}, b"['adds']\n")):
            self.assertEqual(self.rows("SELECT currentRoles()", "many", **parameters), wanted)
        self.must("SET DEFAULT ROLE NONE TO many")
        self.assertEqual(self.rows("SELECT currentRoles()", "many"), b"[]\n")
        self.assertEqual(self.code("SELECT * FROM shop.orders", "many"), "497")
        self.must("SET DEFAULT ROLE reads TO many")
        self.assertEqual([self.code("SELECT 1", "many", role=role) for role in ("admin", "missing")], ["512", "511"])

    def test_grants_are_shown_and_taken_back(self) -> None:
        self.must(f"CREATE USER OR REPLACE passing IDENTIFIED BY {LITERAL}")
        self.store.users["passing"] = ("passing", PASSWORD)
        self.must("GRANT SELECT ON shop.* TO passing")
        self.assertEqual(self.rows("SHOW GRANTS", "passing"), b"GRANT SELECT ON `shop`.* TO `passing`\n")
        self.assertIsNone(self.code("SELECT * FROM shop.secret", "passing"))
        self.assertEqual(self.code("REVOKE SELECT ON shop.secret FROM passing", "admin"), "48")  # It would take nothing.
        self.must("REVOKE SELECT ON *.* FROM passing")
        self.assertEqual(self.code("SELECT * FROM shop.secret", "passing"), "497")
        self.must("DROP USER passing")
        self.assertEqual(self.code("SELECT 1", "passing"), "516")

    def test_a_new_password_ends_the_old_one(self) -> None:
        self.must(f"CREATE USER turning IDENTIFIED BY {LITERAL}")
        self.store.users["turning"] = ("turning", PASSWORD)
        self.assertIsNone(self.code("SELECT 1", "turning"))
        self.must("ALTER USER turning IDENTIFIED BY 'other'")
        self.assertEqual(self.code("SELECT 1", "turning"), "516")
        self.must("DROP USER turning")

    def test_what_the_store_has_not_is_refused_as_such(self) -> None:
        for query, code in (("CREATE USER x", "36"), ("CREATE USER x IDENTIFIED WITH no_password", "48"), ("CREATE USER x IDENTIFIED BY 'y' HOST LOCAL", "48"),
                            ("GRANT FILE ON *.* TO clerk", "48"), ("GRANT SELECT(a) ON shop.orders TO clerk", "48"), ("GRANT SELECT ON shop.orders TO clerk WITH GRANT OPTION", "48"),
                            ("CREATE USER clerk IDENTIFIED BY 'y'", "493"), ("CREATE ROLE admin", "493"), ("CREATE USER default IDENTIFIED BY 'y'", "493"), ("DROP USER default", "497"),
                            ("GRANT SELECT ON shop.orders TO missing", "192"), ("GRANT missing TO clerk", "511"), ("CREATE ROW POLICY p ON shop.orders USING 1 TO ALL", "514"),
                            ("CREATE USER x IDENTIFIED BY 'y'; DROP TABLE shop.orders", "62"), ("GRANT reads TO reads", "36"), ("GRANT SELECT ON default TO default", "497")):
            self.assertEqual(self.code(query, "admin"), code, query)
        self.assertNotEqual(self.store.ask("SHOW USERS").body.find(b"clerk"), -1)

    def test_passwords_are_in_no_log_and_no_file(self) -> None:
        self.must("CREATE USER hidden IDENTIFIED BY 'whisper77'")
        self.must("DROP USER hidden")
        self.assertEqual(self.rows("SELECT count() FROM system.query_log WHERE query LIKE '%whisper%' AND query_kind != 'Select'"), b"0\n")
        for path in pathlib.Path(self.store.data).rglob("*"):
            if path.is_file() and path.stat().st_size < 1 << 20:
                self.assertNotIn(b"whisper77", path.read_bytes(), path)
        self.assertEqual(pathlib.Path(self.store.data, "store/access.sql").stat().st_mode & 0o777, 0o600)


class Kept(unittest.TestCase):
    def test_users_and_roles_outlive_the_store(self) -> None:
        store = Store()
        self.addCleanup(lambda: store.stop())
        for query in ("CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY a", "INSERT INTO t VALUES (7)", "CREATE ROLE outer_role, inner_role",
                      "GRANT SELECT ON t TO inner_role", "GRANT inner_role TO outer_role", f"CREATE USER u IDENTIFIED BY {LITERAL} SETTINGS max_result_rows = 1",
                      "GRANT outer_role TO u", "GRANT outer_role TO default"):
            self.assertEqual(store.ask(query).status, 200, query)
        store.users["u"] = ("u", PASSWORD)
        for _ in range(2):
            self.assertEqual(store.ask("SELECT a FROM t", "u").body, b"7\n")
            self.assertEqual(store.ask("SELECT * FROM numbers(2)", "u").headers.get("x-clickhouse-exception-code"), "396")
            self.assertEqual(store.ask("SELECT currentRoles()", role="outer_role").body, b"['outer_role']\n")
            self.assertEqual(store.ask("DROP TABLE t", role="outer_role").headers.get("x-clickhouse-exception-code"), "497")
            store.restart()

    def test_a_broken_file_of_users_is_told_at_start(self) -> None:
        store = Store()
        self.addCleanup(lambda: store.stop())
        store.ask("CREATE ROLE r")
        file = pathlib.Path(store.data, "store/access.sql")
        good = file.read_text()
        file.write_text("CREATE USER u IDENTIFIED BY\n")
        with self.assertRaisesRegex(AssertionError, "access.sql"):
            store.restart()
        file.write_text(good)
        store.restart()


if __name__ == "__main__":
    unittest.main()
