"""bench/billion on a small month: killed again and again, it ends with each event once, in the events table and in every rollup."""

from __future__ import annotations

import os
import pathlib
import random
import signal
import subprocess
import tempfile
import unittest

from bench.month import Month, Trouble
from tests.support.marquee import ROOT, wait_until

EVENTS = 600_000
SEED = 1


def children(pid: int) -> dict[str, int]:
    """By name."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        try:
            name, fields = (entry / "stat").read_text().split("(", 1)[1].rsplit(")", 1) if entry.name.isdigit() else ("", "")
        except OSError:
            continue
        if fields and int(fields.split()[1]) == pid and fields.split()[0] != "Z":
            found[name] = int(entry.name)
    return found


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    if process.stdout and not process.stdout.closed:
        process.communicate()


class Restart(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="marquee-billion-test-", ignore_cleanup_errors=True)
        self.addCleanup(directory.cleanup)
        self.month = Month(EVENTS, pathlib.Path(directory.name, "month"))
        self.random = random.Random(SEED)

    def start(self, events: int = EVENTS) -> subprocess.Popen[str]:
        command = [str(ROOT / "bench/billion"), "--events", str(events), "--directory", str(self.month.directory), "--yes", "--only-make"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(end, process)
        return process

    def wait_for_more(self, process: subprocess.Popen[str], least: int) -> None:
        before = self.month.landed()

        def has_more() -> bool:
            self.assertIsNone(process.poll(), "it ended before it was killed: make EVENTS larger")
            return self.month.landed() >= before + least

        wait_until(has_more, 120, "events to land", 0.002)

    def test_a_killed_run_goes_on_with_each_event_once(self) -> None:
        first = self.start()
        self.wait_for_more(first, self.random.randrange(1, 100_000))
        os.kill(children(first.pid)["bench_fill"], signal.SIGKILL)
        output, _ = first.communicate(timeout=60)
        self.assertEqual(first.returncode, 1, output)
        self.assertIn("the same command goes on", output)

        second = self.start()
        self.wait_for_more(second, self.random.randrange(1, 100_000))
        left = children(second.pid)
        self.assertEqual(set(left), {"bench_fill", "marquee"})
        end(second)
        wait_until(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in left.values()), 60, "what it had started to end")

        third = self.start()
        self.wait_for_more(third, self.random.randrange(1, 100_000))
        os.kill(children(children(third.pid)["marquee"])["marquee-store"], signal.SIGKILL)
        output, _ = third.communicate(timeout=300)
        self.assertEqual(third.returncode, 0, output)

        with self.month.marquee() as marquee:
            self.assertEqual(marquee.count("SELECT count() FROM marquee.events"), EVENTS)
            self.assertEqual(marquee.count("SELECT uniqExact(site_id, session_id, seq) FROM marquee.events"), EVENTS)
            self.assertIn("each equals a recount from the events", marquee.run("doctor", "--rollups", check=False).stdout)
            self.month.check(marquee)
            marquee.sql("INSERT INTO marquee.events SELECT * FROM marquee.events LIMIT 1")
            with self.assertRaisesRegex(Trouble, "not each event is there once"):
                self.month.check(marquee)

    def test_a_directory_of_another_month_is_refused(self) -> None:
        self.month.claim()
        other = self.start(EVENTS + 1)
        output, _ = other.communicate(timeout=60)
        self.assertEqual(other.returncode, 1)
        self.assertIn(f"holds a month of {EVENTS:,} events", output)


if __name__ == "__main__":
    unittest.main()
