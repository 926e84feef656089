"""clickhouse-go in HTTP mode, as Grafana's plugin uses it."""

from __future__ import annotations

from tests.clients.store import StoreTest, installed


class ClickHouseGo(StoreTest):
    def test_its_queries_inserts_errors_and_sessions(self) -> None:
        output = self.run_client([installed()["go"], "-test.v"])
        for test in ("TestPingAndVersion", "TestManyBlocksAreRead", "TestTypes", "TestInserts", "TestParameters", "TestErrorsBeforeAndMidway",
                     "TestSession", "TestStandardLibrary", "TestManyAtOnce"):
            self.assertIn(f"--- PASS: {test} ", output)
