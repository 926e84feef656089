"""`make run-bi` (tools/run-bi, after the build) as a person uses it: what it prints opens the dashboard, Ctrl-C ends all of it."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from deploy.superset import load
from tests.support.marquee import ROOT, wait_until
from tests.support.ports import free_port


class RunBi(unittest.TestCase):
    def setUp(self) -> None:
        self.directory = tempfile.mkdtemp(prefix="marquee-bi-run-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.port = free_port()
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("MARQUEE_", "SUPERSET_")) or k in ("MARQUEE_CACHE", "MARQUEE_ENGINE")}
        self.environment = {**kept, "MARQUEE_DATA_DIR": self.directory, "SUPERSET_PORT": str(self.port), "MARQUEE_HTTP_PORT": str(free_port()),
                            "MARQUEE_STORE_PORT": str(free_port()), "RATE": "200"}

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

    def begin(self) -> subprocess.Popen[str]:
        process = subprocess.Popen([str(ROOT / "tools/run-bi")], env=self.environment, cwd=ROOT, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        self.addCleanup(self.end, process)
        return process

    def end(self, process: subprocess.Popen[str]) -> None:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(90)
        if process.stdout is not None:
            process.stdout.close()

    def test_what_it_prints_opens_the_dashboard_and_ctrl_c_ends_all_of_it(self) -> None:
        process = self.begin()
        assert process.stdout is not None
        printed = ""
        for line in process.stdout:
            printed += line
            if "Ctrl-C" in line:
                break
        found = re.search(r"Superset +(http\S+?)/superset/dashboard/(\S+?)/ +\(user (\S+), password (\S+)\)", printed)
        self.assertIsNotNone(found, printed)
        assert found is not None
        api = load.Superset(found[1], found[3], found[4])
        charts = api.get(f"/api/v1/dashboard/{found[2]}/charts")["result"]
        self.assertGreater(len(charts), 10)
        number = next(chart["id"] for chart in charts if chart["slice_name"] == "Campaigns")
        self.assertGreater(api.get(f"/api/v1/chart/{number}/data/")["result"][0]["rowcount"], 2)
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(90), 0)
        process.stdout.close()
        wait_until(lambda: not self.left(), 10, "the last of them to be gone")

    def test_a_taken_port_is_named(self) -> None:
        with socket.create_server(("127.0.0.1", self.port)):
            process = self.begin()
            assert process.stdout is not None
            printed = process.stdout.read()
            process.stdout.close()
        self.assertEqual(process.wait(60), 1)
        self.assertIn(f"port {self.port} is taken: choose another with SUPERSET_PORT", printed)
        self.assertEqual(self.left(), [])


if __name__ == "__main__":
    unittest.main()
