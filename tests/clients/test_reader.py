"""What a reader cannot do, however it asks: files, addresses, other processes, secrets, changes. Each way in is tried bare and hidden."""

from __future__ import annotations

import http.server
import os
import pathlib
import tempfile
import threading
import unittest

from tests.clients.store import StoreTest

SECRET = "the secret of a file"


class Listener(http.server.BaseHTTPRequestHandler):
    """An address that must never be asked."""

    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(SECRET.encode())

    do_HEAD = do_POST = do_PUT = do_GET

    def log_message(self, *_: object) -> None:
        pass


class Reader(StoreTest):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        Listener.asked = []
        cls.listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
        threading.Thread(target=cls.listener.serve_forever, daemon=True).start()
        cls.addClassCleanup(cls.listener.server_close)
        cls.addClassCleanup(cls.listener.shutdown)
        cls.address = f"127.0.0.1:{cls.listener.server_port}"
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="marquee-reader-"))
        cls.addClassCleanup(lambda: [file.unlink() for file in cls.folder.iterdir()] and None or cls.folder.rmdir())
        (cls.folder / "secret").write_text(SECRET)
        # In the store's own directory for files too, where file() may read.
        own = pathlib.Path(cls.store.data, "store", "user_files")
        own.mkdir(parents=True, exist_ok=True)
        (own / "secret").write_text(SECRET)
        cls.store.ask("CREATE TABLE IF NOT EXISTS default.rows (a UInt8, b String) ENGINE = MergeTree ORDER BY a")
        cls.store.ask("INSERT INTO default.rows VALUES (1, 'x')")

    def sources(self) -> list[str]:
        """Everything that FROM could reach outside with."""
        file, url = f"{self.folder}/secret", f"http://{self.address}/x"
        return [
            f"file('{file}', 'LineAsString')", "file('secret', 'LineAsString')", f"url('{url}', 'LineAsString', 'a String')",
            f"urlCluster('default', '{url}', 'LineAsString', 'a String')", f"s3('{url}', 'LineAsString', 'a String')",
            f"s3Cluster('default', '{url}', 'CSV')", f"gcs('{url}', 'CSV', 'a String')", f"oss('{url}', 'CSV', 'a String')",
            f"hdfs('hdfs://{self.address}/x', 'CSV', 'a String')", f"azureBlobStorage('{url}', 'c', 'b', 'n', 'k')", f"iceberg('{url}')",
            f"deltaLake('{url}')", f"hudi('{url}')", f"remote('{self.address}', 'system.one')", f"remoteSecure('{self.address}', 'system.one')",
            f"remote('127.0.0.1:{self.store.port}', 'system.one')", "cluster('default', 'system.one')", "clusterAllReplicas('default', 'system.one')",
            "executable('cat', 'LineAsString', 'a String')", f"jdbc('jdbc:x://{self.address}', 'x', 'y')", f"odbc('DSN={self.address}', 'x', 'y')",
            f"mysql('{self.address}', 'd', 't', 'u', 'p')", f"postgresql('{self.address}', 'd', 't', 'u', 'p')",
            f"mongodb('{self.address}', 'd', 't', 'u', 'p', 'a String')", f"redis('{self.address}', 'k', 'k String')", f"sqlite('{file}', 't')",
            "input('a String')", "dictionary('x')", "merge('system', '.*')", "merge('default', '.*')", "loop(system.processes)",
            "mergeTreeIndex('default', 'rows')", "fuzzQuery('SELECT 1', 10, 1)", "viewIfPermitted(SELECT 1 ELSE null('a UInt8'))",
            f"fileCluster('default', '{file}', 'LineAsString')", "python('x')",
        ]

    def refused(self, query: str, **parameters: object) -> None:
        answer = self.store.ask(query, "reader", **parameters)
        self.assertNotEqual(answer.status, 200, f"a reader may run {query} {parameters}: {answer.body[:200]!r}")
        self.assertNotIn(SECRET.encode(), answer.body)

    def test_the_ways_in_are_open_to_the_administrator(self) -> None:
        """Or the other tests would show nothing."""
        self.assertIn(SECRET.encode(), self.store.ask(f"SELECT * FROM url('http://{self.address}/x', 'LineAsString', 'a String')").body)
        self.assertTrue(Listener.asked)
        Listener.asked.clear()

    def test_no_source_outside_is_read(self) -> None:
        for source in self.sources():
            self.refused(f"SELECT * FROM {source}")
            self.refused(f"SELECT * FROM (SELECT * FROM {source})")
            self.refused(f"WITH x AS (SELECT * FROM {source}) SELECT * FROM x")
            self.refused(f"SELECT 1 WHERE 1 IN (SELECT 1 FROM {source})")
            self.refused(f"SELECT (SELECT count() FROM {source})")
            self.refused(f"SELECT 1 UNION ALL SELECT 1 FROM {source}")
            self.refused(f"SELECT * FROM rows JOIN {source} AS s ON 1")
            self.refused(f"SELECT * FROM view(SELECT * FROM {source})")
            self.refused(f"DESCRIBE TABLE {source}")
            self.refused(f"EXPLAIN SELECT * FROM {source}")
            self.refused(f"/* a comment */ SELECT * -- another\nFROM/**/{source}")
            name, arguments = source.split("(", 1)
            self.refused(f"SELECT * FROM `{name}`({arguments}")
            self.refused(f"SELECT * FROM {name.upper()}({arguments}")
        self.assertEqual(Listener.asked, [], "an address was asked")

    def test_no_statement_changes_or_leaves_anything(self) -> None:
        out = f"{self.folder}/out"
        for query in (
            f"SELECT 1 INTO OUTFILE '{out}'", f"SELECT 1 INTO/**/OUTFILE '{out}'", f"SELECT 1 INTO OUTFILE '{out}' FORMAT CSV",
            f"INSERT INTO FUNCTION file('{out}', 'CSV', 'a UInt8') VALUES (1)", f"INSERT INTO FUNCTION url('http://{self.address}/', 'CSV', 'a UInt8') VALUES (1)",
            f"INSERT INTO rows FROM INFILE '{self.folder}/secret'", "INSERT INTO rows VALUES (2, 'y')", "INSERT INTO rows SELECT 2, 'y'",
            "WITH 1 AS x INSERT INTO rows SELECT x, 'y'",
            "CREATE TABLE mine AS SELECT 1", f"CREATE TABLE mine ENGINE = Memory AS SELECT * FROM file('{self.folder}/secret', 'LineAsString')",
            "CREATE TABLE mine (a UInt8) ENGINE = File(CSV)", f"CREATE TABLE mine (a UInt8) ENGINE = URL('http://{self.address}/', CSV)",
            "CREATE TEMPORARY TABLE mine (a UInt8)", "CREATE VIEW mine AS SELECT 1", "CREATE FUNCTION f AS x -> x",
            f"CREATE DICTIONARY d (a UInt8) PRIMARY KEY a SOURCE(HTTP(URL 'http://{self.address}/' FORMAT 'CSV')) LAYOUT(FLAT()) LIFETIME(1)",
            f"CREATE DICTIONARY d (a UInt8) PRIMARY KEY a SOURCE(FILE(PATH '{self.folder}/secret' FORMAT 'CSV')) LAYOUT(FLAT()) LIFETIME(1)",
            "CREATE DICTIONARY d (a UInt8) PRIMARY KEY a SOURCE(EXECUTABLE(COMMAND 'id' FORMAT 'CSV')) LAYOUT(FLAT()) LIFETIME(1)",
            "CREATE NAMED COLLECTION c AS url = 'x'", "CREATE USER me", "GRANT ALL ON *.* TO reader", "SET ROLE ALL", "CREATE DATABASE d",
            f"CREATE DATABASE d ENGINE = MySQL('{self.address}', 'd', 'u', 'p')", "ATTACH TABLE rows", "DETACH TABLE rows", "DROP TABLE rows",
            "RENAME TABLE rows TO other", "EXCHANGE TABLES rows AND rows", "ALTER TABLE rows DELETE WHERE 1", "ALTER TABLE rows UPDATE b = '' WHERE 1",
            "DELETE FROM rows WHERE 1", "UPDATE rows SET b = 'z' WHERE 1", "TRUNCATE TABLE rows", "OPTIMIZE TABLE rows FINAL", "UNDROP TABLE rows",
            "SYSTEM SHUTDOWN", "SYSTEM KILL", "SYSTEM RELOAD CONFIG", "SYSTEM DROP MARK CACHE", "SYSTEM FLUSH LOGS", "SYSTEM STOP MERGES", "KILL QUERY WHERE 1",
            "KILL MUTATION WHERE 1", "BACKUP TABLE rows TO Disk('default', 'x')", "RESTORE TABLE rows FROM Disk('default', 'x')", "SET max_memory_usage = 0",
            "SET readonly = 0", "USE system", "SELECT 1; DROP TABLE rows", "SELECT 1; SELECT 2", "SELECT 1;\n-- x\nDROP TABLE rows", "/* SELECT 1 */ DROP TABLE rows",
            "--\nDROP TABLE rows", "EXPLAIN DROP TABLE rows; DROP TABLE rows", "(SELECT 1); DROP TABLE rows",
            # What does not parse as a whole: the engine would run what stands before the error.
            "SELECT 1; DROP TABLE rows; (", "SELECT 1; DROP TABLE rows; no statement", "SELECT 1;; INSERT INTO rows VALUES (2, 'y'); '",
            "SELECT 1 FORMAT JSON; SET ROLE admin; DROP TABLE rows; )", "EXPLAIN SELECT 1; DROP TABLE rows; SELECT", f"SELECT 1; SELECT * FROM url('http://{self.address}/', CSV); (",
            "BEGIN TRANSACTION", "EXECUTE AS default SELECT 1",
            "MOVE USER reader TO local_directory", "PREPARE x AS SELECT 1", "WATCH rows", "CHECK GRANT ALL ON *.*", "PARALLEL WITH DROP TABLE rows",
        ):
            self.refused(query)
            self.refused(query, session_id="readers", readonly=0)
        self.assertFalse(os.path.exists(out))
        self.assertEqual(Listener.asked, [], "an address was asked")
        self.assertEqual(self.store.ask("SELECT * FROM default.rows").body, b"1\tx\n")

    def test_no_limit_is_widened(self) -> None:
        for setting in ("max_memory_usage = 0", "max_execution_time = 0", "readonly = 0", "allow_ddl = 1", "max_threads = 1"):
            self.refused(f"SELECT 1 SETTINGS {setting}")
            self.refused(f"SELECT * FROM (SELECT 1 SETTINGS {setting})")
            self.refused(f"WITH x AS (SELECT 1 SETTINGS {setting}) SELECT * FROM x")
            self.refused(f"SELECT 1 UNION ALL (SELECT 2 SETTINGS {setting})")
            self.refused(f"SELECT 1 /* x */ SeTTinGS/**/{setting}")
        for name in ("allow_introspection_functions", "max_network_bandwidth", "http_max_uri_size", "s3_max_connections", "max_memory_usage_for_user",
                     "allow_ddl", "format_schema", "input_format_max_rows_to_read_for_schema_inference", "additional_table_filters", "implicit_select"):
            self.refused("SELECT 1", **{name: 1})
        asked = self.store.ask("SELECT getSetting('readonly'), getSetting('max_memory_usage') > 0, getSetting('max_execution_time') > 0", "reader",
                               readonly=0, max_memory_usage=0, max_execution_time=0)
        self.assertEqual(asked.body, b"1\t1\t1\n")

    def test_nothing_tells_of_the_server_or_of_others(self) -> None:
        for table in ("processes", "query_log", "users", "named_collections", "server_settings", "build_options", "environment", "disks", "storage_policies",
                      "clusters", "macros", "replicas", "session_log", "text_log", "trace_log", "user_directories", "grants", "settings_profiles", "quotas",
                      "backups", "certificates", "remote_data_paths", "stack_trace", "asynchronous_inserts", "zookeeper", "dictionaries", "detached_parts"):
            for query in (f"SELECT * FROM system.{table}", f"SELECT * FROM `system`.`{table}`", f"SELECT * FROM system . /**/ {table}",
                          f"SELECT (SELECT count() FROM system.{table})", f"SELECT 1 IN (system.{table})", f"DESCRIBE system.{table}",
                          f"SHOW CREATE TABLE system.{table}"):
                self.refused(query)
            self.refused(f"SELECT * FROM {table}", database="system")
        for function in (f"file('{self.folder}/secret')", "hostName()", "FQDN()", "tcpPort()", "getOSKernelVersion()", "getMergeTreeSetting('max_parts_in_total')", "getMacro('x')", "getServerSetting('x')", "filesystemAvailable()",
                         "serverUUID()", "getClientHTTPHeader('Authorization')", "showCertificate()", "catboostEvaluate('x', 1)",
                         "dictGet('x', 'y', 1)", "joinGet('rows', 'b', 1)", "hasColumnInTable('system', 'users', 'name')"):
            answer = self.store.ask(f"SELECT {function}", "reader")
            self.assertNotEqual(answer.status, 200, f"a reader may use {function}: {answer.body!r}")
        for query in ("SHOW PROCESSLIST", "SHOW USERS", "SHOW GRANTS", "SHOW ACCESS", "SHOW CREATE USER default", "SHOW CLUSTERS", "/* x */ show /**/ clusters", "SHOW CLUSTER 'x'", "SHOW MERGES"):
            self.refused(query)

    def test_names_as_parameters_hide_nothing(self) -> None:
        self.refused("SELECT * FROM {t:Identifier}", param_t="system.processes")
        self.refused("SELECT * FROM system.{t:Identifier}", param_t="processes")
        self.refused("SELECT * FROM {d:Identifier}.processes", param_d="system")

    def test_a_reader_still_reads(self) -> None:
        self.assertEqual(self.store.ask("SELECT b, {n:UInt8} + 1 FROM rows WHERE b = {t:String}", "reader", param_t="x", param_n=1).body, b"x\t2\n")
        for query in ("SELECT a, b FROM rows", "SELECT * FROM (SELECT * FROM rows)", "WITH x AS (SELECT * FROM rows) SELECT * FROM x"):
            self.assertEqual(self.store.ask(query, "reader").body, b"1\tx\n")


if __name__ == "__main__":
    unittest.main()
