"""clickhouse-connect: queries, inserts, DataFrames, Arrow, sessions, external data, SQLAlchemy."""

from __future__ import annotations

from tests.clients.store import StoreTest, installed
from tests.support.marquee import ROOT


class ClickHouseConnect(StoreTest):
    def test_its_queries_inserts_frames_sessions_and_sqlalchemy(self) -> None:
        python = installed()["python"] + "/bin/python"
        self.run_client([python, str(ROOT / "tests/clients/python/client.py")])
