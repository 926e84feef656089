"""What clickhouse-connect does, against a real store (STORE_PORT, STORE_PASSWORD). Run by its own Python (tools/install-clients)."""

import datetime
import os
import threading
import unittest

import clickhouse_connect
import pandas
import pyarrow
import sqlalchemy
from clickhouse_connect.driver.exceptions import DatabaseError
from clickhouse_connect.driver.external import ExternalData

PORT = int(os.environ["STORE_PORT"])


def connect(**options):
    return clickhouse_connect.get_client(**{"host": "127.0.0.1", "port": PORT, "username": "default",
                                            "password": os.environ["STORE_PASSWORD"], **options})


class ClickHouseConnect(unittest.TestCase):
    def setUp(self):
        self.client = connect()
        self.addCleanup(self.client.close)

    def table(self, name, columns):
        self.client.command(f"CREATE OR REPLACE TABLE {name} ({columns}) ENGINE = MergeTree ORDER BY tuple()")
        return name

    def test_queries_in_every_compression(self):
        for compress in (False, "lz4", "zstd", "gzip", "br"):
            with self.subTest(compress=compress):
                try:
                    client = connect(compress=compress)
                except clickhouse_connect.driver.exceptions.ProgrammingError:
                    self.assertEqual(compress, "br")  # Where its library is not installed.
                    continue
                result = client.query("SELECT number, toString(number) FROM numbers(200000)")
                self.assertEqual(result.row_count, 200000)
                self.assertEqual(result.result_rows[-1], (199999, "199999"))
                self.assertEqual(int(result.summary["result_rows"]), 200000)

    def test_types(self):
        row = self.client.query("""SELECT toLowCardinality(toNullable('low')), [toLowCardinality('a')], map('k', 7), CAST(NULL AS Nullable(String)),
            toDateTime('2026-11-27 01:02:03', 'UTC'), toDateTime64('2026-11-27 01:02:03.456', 3, 'UTC'), CAST('b' AS Enum8('a' = 1, 'b' = 2)),
            toDecimal64(1.25, 2), toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0'), (1, 'two'), toIPv4('127.0.0.1'), CAST('x' AS Variant(String, UInt8)),
            CAST('{"a": {"b": 1}}' AS JSON)""").first_row
        utc = datetime.timezone.utc
        self.assertEqual(row[:4], ("low", ["a"], {"k": 7}, None))
        self.assertEqual(row[4].replace(tzinfo=utc), datetime.datetime(2026, 11, 27, 1, 2, 3, tzinfo=utc))
        self.assertEqual(row[5].replace(tzinfo=utc), datetime.datetime(2026, 11, 27, 1, 2, 3, 456000, tzinfo=utc))
        self.assertEqual([str(value) for value in row[6:]],
                         ["b", "1.25", "61f0c404-5cb3-11e7-907b-a6006ad3dba0", "(1, 'two')", "127.0.0.1", "x", "{'a': {'b': 1}}"])

    def test_inserts(self):
        for compress in (False, "lz4", "zstd"):
            with self.subTest(compress=compress):
                client = connect(compress=compress)
                table = self.table("connect_rows", "a UInt32, b Nullable(String), c Array(String)")
                summary = client.insert(table, [[i, None if i % 2 else str(i), ["x"] * (i % 3)] for i in range(50000)], column_names=["a", "b", "c"])
                self.assertEqual(summary.written_rows, 50000)
                self.assertEqual(client.query(f"SELECT count(), sum(a), countIf(b IS NULL), sum(length(c)) FROM {table}").first_row,
                                 (50000, 1249975000, 25000, 49999))

    def test_frames_and_arrow(self):
        table = self.table("connect_frame", "a Int64, b String")
        self.client.insert_df(table, pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]}))
        self.client.insert_arrow(table, pyarrow.table({"a": [3], "b": ["z"]}))
        frame = self.client.query_df(f"SELECT a, b FROM {table} ORDER BY a")
        self.assertEqual(frame["a"].tolist(), [1, 2, 3])
        self.assertEqual(self.client.query_arrow(f"SELECT a, b FROM {table} ORDER BY a").to_pydict()["a"], [1, 2, 3])
        self.assertEqual(self.client.query_np(f"SELECT a FROM {table} ORDER BY a").ravel().tolist(), [1, 2, 3])
        with self.client.query_df_stream("SELECT number FROM numbers(300000)") as stream:
            self.assertEqual(sum(len(some) for some in stream), 300000)

    def test_raw_formats(self):
        for format_, begin in (("CSV", b'1,"a"'), ("TSV", b"1\ta"), ("JSONEachRow", b'{"n":1'), ("Parquet", b"PAR1"), ("RowBinary", b"\x01\x01a")):
            with self.subTest(format=format_):
                self.assertTrue(self.client.raw_query("SELECT 1 AS n, 'a' AS t", fmt=format_).startswith(begin))
        self.table("connect_raw", "n UInt8, t String")
        self.client.raw_insert("connect_raw", insert_block=b'1,"a"\n2,"b"\n', fmt="CSV")
        self.assertEqual(self.client.command("SELECT sum(n) FROM connect_raw"), 3)

    def test_parameters_and_settings(self):
        parameters = {"n": 41, "t": "it's \\ quoted\n", "d": datetime.date(2026, 11, 27), "a": ["x", "y'"]}
        row = self.client.query("SELECT {n:UInt8} + 1, {t:String}, {d:Date}, {a:Array(String)}, getSetting('max_threads')", parameters=parameters,
                                settings={"max_threads": 3}).first_row
        self.assertEqual(row, (42, parameters["t"], parameters["d"], parameters["a"], 3))
        long = connect(form_encode_query_params=True)
        self.assertEqual(long.query("SELECT length({t:String})", parameters={"t": "x" * 50000}).first_row, (50000,))

    def test_a_session_keeps_its_tables_and_settings(self):
        client = connect(session_id="connect's own")
        client.command("CREATE TEMPORARY TABLE mine (a UInt8)")
        client.insert("mine", [[1], [2]], column_names=["a"], column_type_names=["UInt8"])
        client.command("SET max_threads = 3")
        with self.assertRaises(DatabaseError):
            client.query("SELECT nothing FROM mine")
        self.assertEqual(client.query("SELECT sum(a), getSetting('max_threads') FROM mine").first_row, (3, 3))
        with self.assertRaises(DatabaseError):
            self.client.query("SELECT * FROM mine")

    def test_external_data(self):
        data = ExternalData(file_name="people.csv", data=b'1,"Ann"\n2,"Bob"\n', fmt="CSV", structure=["id UInt8", "name String"])
        data.add_file(file_name="ages.tsv", data=b"2\t40\n", fmt="TSV", types=["UInt8", "UInt8"])
        rows = self.client.query("SELECT name, _2 FROM people JOIN ages ON id = _1", external_data=data).result_rows
        self.assertEqual(list(rows), [("Bob", 40)])
        with self.assertRaises(DatabaseError):
            self.client.query("SELECT * FROM people")

    def test_errors_before_and_midway(self):
        with self.assertRaisesRegex(DatabaseError, "UNKNOWN_TABLE"):
            self.client.query("SELECT * FROM no_such_table")
        for compress in (False, "lz4", "zstd"):
            with self.subTest(compress=compress), self.assertRaisesRegex(Exception, "throwIf|THROW_IF"):
                connect(compress=compress).query("SELECT throwIf(number = 2000000), number FROM numbers(3000000) SETTINGS max_block_size = 10000")

    def test_many_at_once(self):
        client = connect(autogenerate_session_id=False)
        sums = {}
        threads = [threading.Thread(target=lambda i=i: sums.update({i: client.query(f"SELECT sum(number) + {i} FROM numbers(1000)").first_row[0]}))
                   for i in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sums, {i: 499500 + i for i in range(16)})

    def test_sqlalchemy(self):
        url = sqlalchemy.URL.create("clickhousedb", "default", os.environ["STORE_PASSWORD"], "127.0.0.1", PORT, "default")
        self.table("alchemy", "a UInt32, b LowCardinality(String)")
        engine = sqlalchemy.create_engine(url)
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text("INSERT INTO alchemy VALUES (1, 'x'), (2, 'y')"))
            self.assertEqual(connection.execute(sqlalchemy.text("SELECT sum(a) FROM alchemy")).scalar(), 3)
            table = sqlalchemy.Table("alchemy", sqlalchemy.MetaData(), autoload_with=engine)
            self.assertEqual([column.name for column in table.columns], ["a", "b"])
            self.assertEqual(connection.execute(sqlalchemy.select(table.c.b).where(table.c.a == 2)).scalar(), "y")
        self.assertIn("alchemy", sqlalchemy.inspect(engine).get_table_names())

    def test_zones_of_times_arrive(self):
        row = self.client.query("SELECT toDateTime('2026-11-27 01:02:03', 'Asia/Tokyo') AS a, toDateTime64('2026-11-27 01:02:03.5', 3, 'America/Chicago') AS b").first_row
        self.assertEqual([str(value.tzinfo) for value in row], ["Asia/Tokyo", "America/Chicago"])
        self.assertEqual([value.hour for value in row], [1, 1])

    def test_a_command_is_told_from_a_result_without_rows(self):
        self.assertEqual(self.client.command("SELECT 1 WHERE 0"), "")
        self.assertTrue(self.client.command("DROP TABLE IF EXISTS no_such_table").query_id())
        self.assertIn("query_id", self.client.query("SET max_threads = 1").first_item)

    def test_users_and_roles(self):
        for query in ("CREATE USER pythonist IDENTIFIED BY 'p@ss'", "CREATE ROLE python_role", "GRANT SELECT ON system.one TO python_role", "GRANT python_role TO pythonist", "SET DEFAULT ROLE NONE TO pythonist"):
            self.client.command(query)
        for settings, roles in (({}, []), ({"role": "python_role"}, ["python_role"])):
            client = connect(username="pythonist", password="p@ss", settings=settings)
            self.assertEqual(client.query("SELECT currentUser(), currentRoles()").result_rows, [("pythonist", roles)])
        with self.assertRaisesRegex(DatabaseError, "Not enough privileges"):
            client.query("SELECT * FROM system.tables")

    def test_settings_count_for_external_data(self):
        data = ExternalData(file_name="rows.csv", data=b"1\nbad\n3\n", structure="a UInt8", fmt="CSV")
        self.assertEqual(self.client.query("SELECT sum(a) FROM rows", external_data=data, settings={"input_format_allow_errors_num": 1}).first_row[0], 4)


if __name__ == "__main__":
    unittest.main(verbosity=2)
