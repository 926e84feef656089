"""History read again beside the load: what it must mend is done behind Marquee's back, and it may be killed at any moment."""

from __future__ import annotations

import json
import random
import subprocess
from typing import Any

from tests.support.ledger import Ledger, Writer
from tests.support.marquee import BINARY, Marquee, wait_until

# With what its rows are told apart by.
ROLLUPS = {"campaign_minute": "ad_id, position", "campaign_hour": "ad_id, position", "delivery_sums": "grouping, ad_id, college_id",
           "heatmap_cells": "slot_id, cell_x",
           "user_days": "user_key", "user_features": "user_key, value"}

# Only what landed some time ago is damaged: of what a loader has not confirmed, it alone knows that it has landed.
OLD = "received_time < now64(3) - INTERVAL {seconds} SECOND"


def start_load(marquee: Marquee, ledger: Ledger, seed: int, events: int) -> list[Writer]:
    """Two writers, once more than so many events are old enough to be damaged."""
    writers = [Writer(marquee, ledger, f"w{i}", seed + i, days=3) for i in range(2)]
    for writer in writers:
        writer.start()
    wait_until(lambda: marquee.count("SELECT count() FROM marquee.events WHERE received_time < now64(3) - 2") > events, 60,
               "events to damage or to read again")
    return writers


def lose(marquee: Marquee, draw: random.Random, seconds: int = 20) -> None:
    """Events are lost, and rows of rollups with them or without them."""
    old = OLD.format(seconds=seconds)
    marquee.sql(f"ALTER TABLE marquee.events DELETE WHERE {old} AND cityHash64(session_id, seq) % 5 = {draw.randrange(5)} "
                "SETTINGS mutations_sync = 2")
    for table in draw.sample(list(ROLLUPS), 2):
        marquee.sql(f"ALTER TABLE marquee.{table} DELETE WHERE cityHash64({ROLLUPS[table]}) % 3 = {draw.randrange(3)} "
                    "SETTINGS mutations_sync = 2")


def double(marquee: Marquee, draw: random.Random, seconds: int = 20) -> None:
    """Events are there twice."""
    marquee.sql(f"INSERT INTO marquee.events SELECT * FROM marquee.events WHERE {OLD.format(seconds=seconds)} "
                f"AND cityHash64(session_id, seq) % 50 = {draw.randrange(50)}")


def rewind(marquee: Marquee, *arguments: str) -> dict[str, Any]:
    """Runs `marquee load --from ...` to its end; what it says."""
    return dict(json.loads(marquee.run("load", "--json", "--quiet", "--from", *arguments).stdout))


class Rewinds:
    """Rewinds beside everything else that happens, one at a time."""

    def __init__(self, marquee: Marquee, draw: random.Random) -> None:
        self._marquee, self._draw = marquee, draw
        self._running: subprocess.Popen[str] | None = None
        self._in_place = False
        self.ended = self.killed = self.gave_up = 0

    def happen(self) -> None:
        """Kills the one that runs, or lets it; else damages the tables and begins one."""
        if self._running is not None and self._running.poll() is None:
            if self._draw.random() < 0.5:
                self._running.kill()
                self._collect()
            return
        self._collect()
        try:
            self._in_place = self._draw.random() < 0.3
            lose(self._marquee, self._draw)
            if not self._in_place:
                double(self._marquee, self._draw)
        except (OSError, AssertionError):
            pass  # The store is away: it is damaged less.
        self._begin()

    def finish(self) -> None:
        """One runs to its end, whatever was cut off before."""
        if self._running is not None:
            wait_until(lambda: self._running is None or self._running.poll() is not None, 300, "the rewind to end")
            self._collect()
        # The store, or a broker, may not be back yet.
        wait_until(lambda: self._marquee.run("load", "--quiet", "--from", "start", check=False).returncode == 0, 300,
                   "a rewind to run to its end", 0.5)

    def _begin(self) -> None:
        arguments = ["--in-place"] if self._in_place else []
        self._running = subprocess.Popen([BINARY, "load", "--quiet", "--json", "--from", "start", *arguments],
                                         env=self._marquee.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def _collect(self) -> None:
        if self._running is None:
            return
        _, errors = self._running.communicate()
        status, self._running = self._running.returncode, None
        if status == 0:
            self.ended += 1
        elif status < 0:
            self.killed += 1
        elif "another process" in errors or "store at" in errors:
            self.gave_up += 1
        else:
            raise AssertionError(f"a rewind ended with {status}:\n{errors}")
