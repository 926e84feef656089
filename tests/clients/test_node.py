"""@clickhouse/client for Node."""

from __future__ import annotations

import os
import re

from tests.clients.store import StoreTest, installed
from tests.support.marquee import ROOT


class ClickHouseNode(StoreTest):
    def test_its_queries_inserts_streams_and_sessions(self) -> None:
        os.environ["CLIENT_MODULES"] = installed()["node"]
        self.addCleanup(os.environ.pop, "CLIENT_MODULES")
        output = self.run_client(["node", "--test", "--test-reporter=tap", str(ROOT / "tests/clients/node/client.test.mjs")])
        passed = re.search(r"^# pass (\d+)$", output, re.MULTILINE)
        assert passed is not None, output
        self.assertGreaterEqual(int(passed[1]), 17)
