"""`marquee import events` and `marquee simulate` as a user runs them, into a running Marquee."""

from __future__ import annotations

import csv
import gzip
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
from typing import Any

from tests.support.marquee import BINARY, Marquee


class Files(unittest.TestCase):
    marquee: Marquee
    directory: str

    @classmethod
    def setUpClass(cls) -> None:
        cls.marquee = Marquee()
        cls.marquee.start()
        cls.directory = tempfile.mkdtemp(prefix="marquee-import-")

    @classmethod
    def tearDownClass(cls) -> None:
        shutil.rmtree(cls.directory)
        cls.marquee.__exit__()

    def path(self, name: str) -> str:
        return os.path.join(self.directory, name)

    def import_file(self, path: str, *more: str, check: bool = True) -> dict[str, Any]:
        """The summary; when it returns, the events can be counted."""
        return dict(json.loads(self.marquee.run("import", "events", "--site", "campus", "--json", *more, path, check=check).stdout))

    def count(self, tag: str) -> int:
        return self.marquee.count(f"SELECT count() FROM marquee.events WHERE page_id = '{tag}'")

    @staticmethod
    def rows(tag: str, count: int) -> list[dict[str, Any]]:
        return [{"type": "click" if i % 10 == 0 else "impression", "session_id": f"{tag}-{i // 100}", "seq": i % 100 + 1, "page_id": tag,
                 "event_time": 1_700_000_000_000 + i * 1000, "campaign_id": "c,\"1\"", "value": i / 4, "propensity": 0.5}
                for i in range(count)]

    def test_ndjson_plain_and_compressed(self) -> None:
        for name, compress in (("plain.ndjson", None), ("gz.ndjson.gz", "gzip"), ("zst.ndjson.zst", "zstd")):
            tag = name.split(".")[0]
            text = "".join(json.dumps(row) + "\n" for row in self.rows(tag, 5000)).encode()
            if compress == "zstd":
                text = subprocess.run(["zstd", "-q", "-c"], input=text, stdout=subprocess.PIPE, check=True).stdout
            elif compress == "gzip":
                text = gzip.compress(text)
            pathlib.Path(self.path(name)).write_bytes(text)
            self.assertEqual(self.import_file(self.path(name))["accepted"], 5000)
            self.assertEqual(self.count(tag), 5000)

    def test_csv_with_quoted_fields(self) -> None:
        rows = self.rows("csv", 3000)
        with open(self.path("rows.csv"), "w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        self.assertEqual(self.import_file(self.path("rows.csv"))["accepted"], 3000)
        self.assertEqual(self.marquee.sql("SELECT count(), countIf(event_type = 'click'), any(campaign_id), toUInt64(sum(value)) FROM marquee.events "
                                          "WHERE page_id = 'csv'").split("\t"), ["3000", "300", 'c,"1"', f"{sum(r['value'] for r in rows):.0f}\n"])

    def test_parquet(self) -> None:
        self.marquee.run("simulate", "--out", self.path("week.parquet"), "--events", "20000", "--seed", "11", "--quiet")
        before = self.marquee.count("SELECT count() FROM marquee.events")
        self.assertEqual(self.import_file(self.path("week.parquet"))["accepted"], 20_000)
        self.assertEqual(self.marquee.count("SELECT count() FROM marquee.events") - before, 20_000)

    def test_what_is_refused_is_summed_up_by_reason(self) -> None:
        lines = [json.dumps(row) for row in self.rows("refused", 100)]
        lines[10] = '{"type":"clik","session_id":"x","seq":1}'
        lines[20] = lines[30] = '{"type":"click","session_id":"x"}'
        lines[40] = "{broken"
        pathlib.Path(self.path("refused.ndjson")).write_text("\n".join(lines) + "\n")
        summary = self.import_file(self.path("refused.ndjson"))
        self.assertEqual(summary["accepted"], 96)
        text = json.dumps(summary)
        for field in ("type", "seq"):
            self.assertIn(f'"reason": "{field}: ', text)
        said = self.marquee.run("import", "events", "--site", "campus", "--restart", "--quiet", self.path("refused.ndjson")).stdout
        self.assertIn("4", said)
        self.assertEqual(self.count("refused"), 96, "sending it again changes nothing")

    def test_an_import_that_was_killed_goes_on(self) -> None:
        with open(self.path("large.ndjson"), "w") as file:
            for row in self.rows("large", 300_000):
                file.write(json.dumps(row) + "\n")
        arguments = [BINARY, "import", "events", "--site", "campus", "--quiet", "--batch", "200", self.path("large.ndjson")]
        killed = 0
        for _ in range(3):
            running = subprocess.Popen(arguments, env=self.marquee.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                running.wait(0.4)
            except subprocess.TimeoutExpired:
                running.send_signal(signal.SIGKILL)
                running.wait()
                killed += 1
        self.assertGreater(killed, 0, "the file is too small for this test")
        self.import_file(self.path("large.ndjson"))
        self.assertEqual(self.count("large"), 300_000)
        self.assertEqual(self.import_file(self.path("large.ndjson"))["accepted"], 0, "there is nothing left to send")

    def test_an_import_waits_for_what_an_earlier_one_sent(self) -> None:
        with open(self.path("sent.ndjson"), "w") as file:
            for row in self.rows("sent", 20_000):
                file.write(json.dumps(row) + "\n")
        self.assertTrue(self.marquee.signal_store(signal.SIGSTOP))  # nothing lands
        try:
            self.assertEqual(self.import_file(self.path("sent.ndjson"), "--no-wait")["accepted"], 20_000)
            threading.Timer(1, lambda: self.marquee.signal_store(signal.SIGCONT)).start()
            self.assertEqual(self.import_file(self.path("sent.ndjson"))["accepted"], 0)
        finally:
            self.marquee.signal_store(signal.SIGCONT)
        self.assertEqual(self.count("sent"), 20_000)

    def test_a_file_that_is_none_is_named(self) -> None:
        result = self.marquee.run("import", "events", "--site", "campus", self.path("missing.ndjson"), check=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("missing.ndjson", result.stderr)


class Simulating(unittest.TestCase):
    def test_repeats_and_malformed_events_over_http_are_sorted_out(self) -> None:
        with Marquee() as marquee:
            began = time.monotonic()
            said = marquee.run("simulate", "--events", "8000", "--rate", "4000", "--seed", "3", "--repeat", "0.1", "--malformed", "0.05", "--quiet")
            self.assertAlmostEqual(time.monotonic() - began, 2, delta=1)
            self.assertIn("8", said.stdout + said.stderr)
            deadline = time.monotonic() + 20
            while marquee.api("/v1/status").json()["loader"]["lag_events"] and time.monotonic() < deadline:
                time.sleep(0.05)
            status = marquee.api("/v1/status").json()["loader"]
            events = marquee.count("SELECT count() FROM marquee.events")
            self.assertEqual(events, marquee.count("SELECT uniqExact(session_id, seq) FROM marquee.events"), "a repeat is counted once")
            self.assertAlmostEqual(status["repeats_dropped"] / 8000, 0.1, delta=0.03)
            self.assertAlmostEqual(events / 8000, 0.85, delta=0.04)

    def test_the_same_seed_gives_the_same_file(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            contents = []
            for name, seed in (("a", "5"), ("b", "5"), ("c", "6")):
                path = os.path.join(directory, name + ".ndjson")
                subprocess.run([BINARY, "simulate", "--out", path, "--events", "5000", "--seed", seed, "--quiet"], check=True, capture_output=True)
                contents.append(pathlib.Path(path).read_bytes())
        self.assertEqual(contents[0], contents[1])
        self.assertNotEqual(contents[0], contents[2])


class Doctor(unittest.TestCase):
    def test_it_says_what_to_fix(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            environment = {**os.environ, "MARQUEE_DATA_DIR": directory + "/data", "MARQUEE_STORE_ENGINE": directory + "/no-such-libchdb.so",
                           "MARQUEE_ENGINE": directory + "/no-such-libchdb.so"}
            result = subprocess.run([BINARY, "doctor"], env=environment, text=True, capture_output=True, timeout=60)
        self.assertNotEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"FIX +engine .*make install")


if __name__ == "__main__":
    unittest.main()
