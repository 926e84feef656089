"""Faults other than kill -9: a frozen store, a full disk, a damaged log, a clock that jumps, a batch over seven days."""

from __future__ import annotations

import glob
import os
import pathlib
import random
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from tests.support.ledger import Ledger, Writer, assert_exactly_once
from tests.support.marquee import Marquee, wait_until
from tests.support.processes import send_to

SEED = int(os.environ.get("SEED", "1"))


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


class Load:
    """Writers that run while the body does; afterwards everything acknowledged must be there exactly once."""

    def __init__(self, marquee: Marquee, writers: int = 2, days: int = 1) -> None:
        self.marquee, self.ledger = marquee, Ledger()
        self.writers = [Writer(marquee, self.ledger, f"w{i}", SEED * 100 + i, days) for i in range(writers)]

    def __enter__(self) -> Load:
        for writer in self.writers:
            writer.start()
        self.more(500)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        for writer in self.writers:
            writer.finish()
        if kind is None:
            failures = [w.failure for w in self.writers if w.failure]
            if failures:
                raise AssertionError(str(failures))
            assert_exactly_once(self.marquee, self.ledger)

    def more(self, events: int, timeout: float = 60) -> None:
        """Waits until so many more events are acknowledged."""
        goal = self.ledger.total_acknowledged() + events
        wait_until(lambda: self.ledger.total_acknowledged() >= goal, timeout, f"{events} more events to be acknowledged")


class Faults(unittest.TestCase):
    def test_a_frozen_store_delays_reports_but_loses_and_doubles_nothing(self) -> None:
        with Marquee() as marquee, Load(marquee) as load:
            for _ in range(3):
                self.assertTrue(marquee.signal_store(signal.SIGSTOP))
                load.more(1500)  # events are still acknowledged: the log has them
                self.assertTrue(marquee.signal_store(signal.SIGCONT))
                load.more(500)

    def test_the_port_of_a_store_that_died_is_given_to_nobody(self) -> None:
        with Marquee() as marquee, Load(marquee) as load:
            port, process = int(marquee.runtime["store_url"].rpartition(":")[2]), marquee.process
            assert process is not None
            for _ in range(3):
                wait_until(lambda: listens(port), 60, "the store", 0.1)
                send_to(process, signal.SIGSTOP)  # so that nothing is started in its place
                try:
                    self.assertTrue(marquee.signal_store(signal.SIGKILL))
                    wait_until(lambda: not listens(port), 10, "the store to be gone", 0.01)
                    with socket.socket() as other, self.assertRaises(OSError, msg="a connection would keep the store from its port"):
                        other.bind(("127.0.0.1", port))
                finally:
                    send_to(process, signal.SIGCONT)
                load.more(500)

    def test_a_store_frozen_for_good_is_replaced(self) -> None:
        with Marquee({"MARQUEE_STORE_HANG": "2s"}) as marquee, Load(marquee) as load:
            frozen = marquee.store_pid()
            marquee.signal_store(signal.SIGSTOP)
            wait_until(lambda: marquee.store_pid() not in (None, frozen), 30, "the frozen store to be replaced")
            load.more(500)

    @unittest.skipUnless(os.geteuid() == 0, "mounting a small file system needs root")
    def test_a_full_disk_is_answered_with_503_and_recovers(self) -> None:
        with tempfile.TemporaryDirectory() as mount:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", mount], check=True)
            try:
                self._fill_and_recover(mount)
            finally:
                subprocess.run(["umount", "-l", mount], check=True)

    def _fill_and_recover(self, mount: str) -> None:
        data = os.path.join(mount, "data")
        with Marquee({"MARQUEE_LOG_MIN_FREE_DISK": "1MiB"}, data_dir=data) as marquee, Load(marquee) as load:
            filler = os.path.join(mount, "filler")
            with open(filler, "wb") as file:
                while True:  # to the last byte
                    try:
                        file.write(b"\0" * (1 << 20))
                        file.flush()
                    except OSError:
                        break
            wait_until(lambda: load.ledger.answers.get("503", 0) > 0, 30, "a 503 from a full disk")
            answer = marquee.post_events([{"type": "page_view", "session_id": "probe", "seq": 1}])
            if answer.status == 503:
                self.assertIn("retry-after", answer.headers)
            os.unlink(filler)
            load.more(500)
            marquee.sql("ALTER TABLE marquee.events DELETE WHERE page_path = '' SETTINGS mutations_sync = 1")

    def test_a_log_with_damage_at_its_end_opens_with_all_that_was_acknowledged(self) -> None:
        draw = random.Random(SEED)
        with Marquee() as marquee, Load(marquee) as load:
            for _ in range(5):
                load.more(300)
                marquee.kill()
                newest = max(glob.glob(os.path.join(marquee.data_dir, "log", "**", "*.log"), recursive=True), key=os.path.getmtime)
                with open(newest, "ab") as file:
                    file.write(draw.randbytes(draw.randrange(1, 5000)))
                marquee.start(ready=False)

    def test_a_clock_stepped_by_an_hour_changes_nothing(self) -> None:
        library = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)
        self.assertIsNotNone(library, "libfaketime is missing; run tools/install")
        with tempfile.TemporaryDirectory() as directory:
            offset = pathlib.Path(directory, "offset")
            offset.write_text("+0")
            environment = {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(offset),
                           "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
            with Marquee(environment) as marquee, Load(marquee) as load:
                for step in ("+1h", "-1h", "+0"):
                    offset.write_text(step)
                    load.more(600)
                marquee.kill()
                offset.write_text("-1h")
                marquee.start(ready=False)
                load.more(600)

    def test_events_of_seven_days_in_one_batch_land_in_their_days(self) -> None:
        now = time.time()
        with Marquee() as marquee:
            events = [{"type": "impression", "session_id": "week", "seq": i + 1, "event_time": int((now - 86_400 * (i % 7)) * 1000),
                       "campaign_id": "c", "ad_id": "a", "slot_id": "s", "user_id": "u", "consent": "full"} for i in range(700)]
            self.assertEqual(marquee.post_events(events).json()["accepted"], 700)
            # One insert's parts become visible one after the other; it is over when the loader says so.
            wait_until(lambda: marquee.api("/v1/status").json()["loader"]["events_landed"] == 700, 30, "700 events to land")
            self.assertEqual(marquee.count("SELECT count() FROM marquee.events"), 700)
            self.assertEqual(marquee.count("SELECT uniqExact(toDate(event_time)) FROM marquee.events"), 7)
            self.assertEqual(marquee.count("SELECT sum(impressions) FROM marquee.campaign_hour"), 700)

    def test_kills_during_batches_of_seven_days_lose_and_double_nothing(self) -> None:
        draw = random.Random(SEED)
        with Marquee() as marquee, Load(marquee, days=7) as load:
            for _ in range(8):
                load.more(draw.randrange(100, 600))
                marquee.signal_store(signal.SIGKILL)


if __name__ == "__main__":
    unittest.main()
