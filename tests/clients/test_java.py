"""ClickHouse's JDBC driver."""

from __future__ import annotations

from tests.clients.store import StoreTest, installed
from tests.support.marquee import ROOT


class ClickHouseJdbc(StoreTest):
    def test_its_queries_inserts_batches_and_metadata(self) -> None:
        jars = installed()["java"] + "/*"
        output = self.run_client(["java", "-Xmx512m", "-cp", jars, str(ROOT / "tests/clients/java/JdbcClient.java")])
        self.assertIn("jdbc: all passed", output)
