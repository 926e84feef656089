"""The schema for a cluster, made by the real engine against a real ZooKeeper, and `marquee doctor --cluster`.

What this cannot show: the embedded engine makes replicated tables but never writes to them, and knows no ON CLUSTER. Inserts
into replicated tables are tried by `marquee doctor --cluster` where there is a cluster.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from tests.support.marquee import BINARY, request, wait_until
from tests.support.ports import free_port
from tests.support.zookeeper import ZooKeeper

STORE = os.environ.get("MARQUEE_STORE_BIN", os.path.join(os.path.dirname(BINARY), "marquee-store"))

NODES_OWN = {"loaders", "loaders_out_of_date", "loaders_replaced", "rebuilds", "rewinds", "rollup_definitions"}  # tables that no other node has


class Store:
    """marquee-store alone, its engine told of a cluster."""

    def __init__(self, configuration: str = "") -> None:
        self.directory = tempfile.mkdtemp(prefix="marquee-cluster-")
        self.port = free_port()
        extra = pathlib.Path(self.directory, "data", "server.d")
        extra.mkdir(parents=True)
        if configuration:
            (extra / "cluster.xml").write_text(configuration)
        with open(os.path.join(self.directory, "log"), "wb") as log:
            self.process = subprocess.Popen([STORE, "--data", os.path.join(self.directory, "data"), "--port", str(self.port)],
                                            stdout=log, stderr=log)
        wait_until(self.answers, 60, "marquee-store to answer")

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        try:
            return request(self.url + "/ping", timeout=5).status == 200
        except OSError:
            return False

    def sql(self, query: str) -> str:
        answer = request(self.url + "/", "POST", query.encode(), timeout=60)
        if answer.status != 200:
            raise AssertionError(f"{answer.body.decode(errors='replace')}\n{query}")
        return answer.body.decode()


def marquee(store: str, *arguments: str, cluster: str = "campus") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MARQUEE_STORE_URL": store, "MARQUEE_STORE_CLUSTER": cluster}
    return subprocess.run([BINARY, *arguments], env=environment, capture_output=True, text=True, timeout=120)


class Cluster(unittest.TestCase):
    def test_the_schema_is_made_against_a_real_zookeeper_and_read_through_the_distributed_tables(self) -> None:
        with ZooKeeper() as zookeeper, Store(f"""<clickhouse>
              <zookeeper><node><host>127.0.0.1</host><port>{zookeeper.port}</port></node></zookeeper>
              <macros><shard>1</shard><replica>a</replica></macros><tcp_port>9000</tcp_port>
              <remote_servers><campus><shard><internal_replication>true</internal_replication>
                <replica><host>127.0.0.1</host><port>9000</port></replica></shard></campus></remote_servers>
            </clickhouse>""") as store:
            printed = marquee(store.url, "migrate", "sql")
            self.assertEqual(printed.returncode, 0, printed.stderr)
            statements = [one for one in printed.stdout.split(";\n\n") if one.strip()]
            for statement in statements:
                self.assertIn(" ON CLUSTER `campus`", statement)
                store.sql("EXPLAIN AST " + statement)
                # The engine alters no table that it may not write to, and with it goes the view of what that adds.
                if re.search(r"(?m)^ALTER TABLE marquee(_local\.(events|campaign_\w+|decisions)|\.dead_letters) |VIEW IF NOT EXISTS "
                             r"marquee\.(dead_letter_states|decision_candidates)", statement):
                    continue
                # The embedded engine runs no distributed DDL; on its one node it is the same without.
                store.sql(statement.replace(" ON CLUSTER `campus`", ""))
            tables = dict(line.split("\t") for line in store.sql(
                "SELECT name, engine FROM system.tables WHERE database LIKE 'marquee%' AND engine LIKE '%MergeTree'").splitlines())
            for name in ("events", "campaign_minute", "campaign_hour", "delivery_sums", "heatmap_cells", "user_days", "user_features", "dead_letters"):
                self.assertTrue(tables[name].startswith("Replicated"), tables)
            self.assertEqual({n for n, e in tables.items() if not e.startswith("Replicated")}, NODES_OWN)
            replicas = store.sql("SELECT zookeeper_path FROM system.replicas").split()
            self.assertEqual(len(replicas), len(set(replicas)))
            self.assertIn("/clickhouse/tables/1/marquee/campaign_hour", replicas)
            self.assertIn("/clickhouse/tables/marquee/dead_letters", replicas)
            self.assertEqual(store.sql("SELECT count() FROM system.tables WHERE engine LIKE "
                                       "'Replicated%' AND engine_full NOT LIKE '%replicated_deduplication_window_seconds = 691200%'"), "0\n")
            for name in set(tables) - NODES_OWN:
                self.assertEqual(store.sql(f"SELECT count() FROM marquee.{name}"), "0\n")
            self.assertEqual(store.sql("SELECT count() FROM marquee.pipeline FINAL"), "0\n")
            self.assertEqual(store.sql("SELECT count() FROM marquee.events SAMPLE 0.1"), "0\n")
            # A rebuild's copy has a place of its own in Keeper.
            store.sql("CREATE DATABASE marquee_rebuild_1")
            engine = store.sql("SELECT engine_full FROM system.tables WHERE database = 'marquee_local' AND name = 'campaign_hour' "
                               "FORMAT TSVRaw").strip().replace("/marquee/campaign_hour", "/marquee_rebuild_1/campaign_hour")
            store.sql(f"CREATE TABLE marquee_rebuild_1.campaign_hour AS marquee_local.campaign_hour ENGINE = {engine}")
            # What doctor makes of a cluster whose tables cannot be written.
            doctor = marquee(store.url, "doctor", "--cluster")
            self.assertEqual(doctor.returncode, 1)
            for line in ("ok   answers", "ok   macros", "ok   cluster", "FIX  keeper", "FIX  schema", "ok   sums", "left out until"):
                self.assertIn(line, doctor.stdout)

    def test_doctor_says_what_one_store_lacks_of_a_cluster(self) -> None:
        with Store() as store:
            up = marquee(store.url, "migrate", "up", cluster="")
            self.assertEqual(up.returncode, 0, up.stderr)
            doctor = marquee(store.url, "doctor", "--cluster")
            self.assertEqual(doctor.returncode, 1)
            for line in ("ok   answers", "ok   clock", "FIX  macros", "FIX  cluster", "FIX  keeper",
                         "events is MergeTree, not replicated", "FIX  sums", "left out until"):
                self.assertIn(line, doctor.stdout)
            self.assertEqual(store.sql("SELECT count() FROM system.databases WHERE name LIKE 'marquee_trial%'"), "0\n")
            gone = marquee(store.url + ",http://127.0.0.1:1", "doctor", "--cluster")
            self.assertIn("FIX  answers", gone.stdout)
            unnamed = marquee(store.url + ",http://127.0.0.1:1", "migrate", "status", cluster="")
            self.assertEqual(unnamed.returncode, 1)
            self.assertIn("name their cluster in store.cluster", unnamed.stderr)


if __name__ == "__main__":
    unittest.main()
