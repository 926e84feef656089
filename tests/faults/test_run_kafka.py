"""`make run-kafka` (tools/run-kafka, after the build) as a person uses it: first start with the sample data, second start, Ctrl-C
at any moment, a taken port."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from tests.support.marquee import ROOT, request, wait_until
from tests.support.ports import free_port, free_ports


class RunKafka(unittest.TestCase):
    def setUp(self) -> None:
        self.directory = tempfile.mkdtemp(prefix="marquee-kafka-run-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.ports = {"KAFKA_PORT": free_ports(2), "COLLECT_PORT": free_ports(3), "MARQUEE_HTTP_PORT": free_port(),
                      "MARQUEE_STORE_PORT": free_port()}
        kept = {k: v for k, v in os.environ.items() if not k.startswith("MARQUEE_") or k in ("MARQUEE_CACHE", "MARQUEE_ENGINE")}
        self.environment = {**kept, "MARQUEE_DATA_DIR": self.directory, **{name: str(port) for name, port in self.ports.items()}}

    def begin(self) -> subprocess.Popen[str]:
        process = subprocess.Popen([str(ROOT / "tools/run-kafka")], env=self.environment, cwd=ROOT, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        return process

    def start(self) -> tuple[subprocess.Popen[str], str, float]:
        """Runs it until it has said how to stop it; the process, what it printed, and the seconds that took."""
        began = time.monotonic()
        process = self.begin()
        assert process.stdout is not None
        printed = ""
        for line in process.stdout:
            printed += line
            if "Ctrl-C" in line:
                return process, printed, time.monotonic() - began
        raise AssertionError(f"tools/run-kafka ended with {process.wait(10)}:\n{printed}")

    def interrupt(self, process: subprocess.Popen[str]) -> None:
        """Ctrl-C: the terminal sends SIGINT to the process group in the foreground. Nothing must be left."""
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(90), 0)
        assert process.stdout is not None
        process.stdout.close()
        wait_until(lambda: not self.left(), 5, "the last of them to be gone")

    def left(self) -> list[str]:
        """Command lines of processes that belong to this directory, by argument or by environment."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and self.directory.encode() in (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes():
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue
        return found

    def test_the_first_start_loads_the_sample_data_and_the_second_is_quick(self) -> None:
        process, printed, _ = self.start()
        self.assertIn("Loading the sample data", printed)
        runtime = json.loads(pathlib.Path(self.directory, "runtime.json").read_text())

        def events() -> dict[str, int]:
            sites = request(runtime["http_url"] + "/v1/sites", headers={"Authorization": f"Bearer {runtime['admin_token']}"}).json()["sites"]
            return {site["id"]: site["events"] for site in sites}

        wait_until(lambda: events().get("campus", 0) > 0, 60, "the simulated students' events", 0.2)
        wait_until(lambda: events()["open-bandit"] == 60_287 and events()["moodle"] == 64_422, 60, "all of the sample data", 0.2)
        self.interrupt(process)
        process, printed, seconds = self.start()
        self.assertNotIn("sample data", printed)
        self.assertLess(seconds, 60)
        self.interrupt(process)

    def test_ctrl_c_during_the_start_leaves_nothing_behind(self) -> None:
        for log in ("broker.log", "marquee.log", "collect-1.log"):
            process = self.begin()
            wait_until(lambda log=log: pathlib.Path(self.directory, log).exists(), 90, f"{log}: so far has it come")
            self.interrupt(process)
            for path in pathlib.Path(self.directory).glob("*.log"):
                path.unlink()

    def test_a_taken_port_is_named_with_what_to_do(self) -> None:
        for variable, offset in (("KAFKA_PORT", 0), ("KAFKA_PORT", 1), ("COLLECT_PORT", 2), ("MARQUEE_HTTP_PORT", 0)):
            with self.subTest(variable), socket.create_server(("127.0.0.1", self.ports[variable] + offset)):
                result = subprocess.run([str(ROOT / "tools/run-kafka")], env=self.environment, cwd=ROOT, text=True, capture_output=True,
                                        timeout=60)
                self.assertEqual(result.returncode, 1)
                self.assertIn(f"port {self.ports[variable] + offset} is taken", result.stderr)
                self.assertIn(variable, result.stderr)
        self.assertEqual(self.left(), [])


if __name__ == "__main__":
    unittest.main()
