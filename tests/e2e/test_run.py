"""`make run` (tools/run, after the build) as a person uses it: first start with the sample data, second start, Ctrl-C, a taken port."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from tests.support.marquee import ROOT, request
from tests.support.ports import free_port


class Run(unittest.TestCase):
    def setUp(self) -> None:
        self.directory = tempfile.mkdtemp(prefix="marquee-run-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.environment = {**{k: v for k, v in os.environ.items() if not k.startswith("MARQUEE_") or k in ("MARQUEE_CACHE", "MARQUEE_ENGINE")},
                            "MARQUEE_DATA_DIR": self.directory, "MARQUEE_HTTP_PORT": str(free_port()), "MARQUEE_STORE_PORT": "0"}

    def start(self) -> tuple[subprocess.Popen[str], str, float]:
        """Runs it until it has printed the address and how to stop it; the process, what it printed, and the seconds that took."""
        began = time.monotonic()
        process = subprocess.Popen([str(ROOT / "tools/run")], env=self.environment, cwd=ROOT, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, start_new_session=True,
                                   # As a terminal starts it: a shell cannot trap what was ignored before it (nohup, a script's background).
                                   preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        self.addCleanup(self.end, process)
        assert process.stdout is not None
        printed = ""
        for line in process.stdout:
            printed += line
            if "Ctrl-C" in line:
                return process, printed, time.monotonic() - began
        raise AssertionError(f"tools/run ended with {process.wait(10)}:\n{printed}")

    @staticmethod
    def end(process: subprocess.Popen[str]) -> None:
        """In order, so that nothing of what it started is left where a test failed."""
        if process.poll() is None:
            process.terminate()
            process.wait(30)

    def interrupt(self, process: subprocess.Popen[str]) -> None:
        """Ctrl-C: the terminal sends SIGINT to the process group in the foreground."""
        pids = [json.loads(pathlib.Path(self.directory, "runtime.json").read_text())["pid"]]
        os.killpg(process.pid, signal.SIGINT)
        try:
            self.assertEqual(process.wait(30), 0)
        except subprocess.TimeoutExpired:
            self.fail("it does not end:\n" + pathlib.Path(self.directory, "marquee.log").read_text()[-3000:])
        assert process.stdout is not None
        process.stdout.close()
        for pid in pids:
            self.assertFalse(pathlib.Path(f"/proc/{pid}").exists())

    def test_the_first_start_loads_the_sample_data_and_the_second_is_quick(self) -> None:
        process, printed, _ = self.start()
        url, token = re.search(r"console +(\S+)/#token=(\S+)", printed).groups()  # type: ignore[union-attr]
        self.assertIn("<title>Marquee", request(url + "/").body.decode())
        sites = request(url + "/v1/sites", headers={"Authorization": f"Bearer {token}"}).json()["sites"]
        self.assertEqual({site["id"]: site["events"] for site in sites if site["id"] != "campus"}, {"open-bandit": 60_287, "moodle": 64_422})
        demo = re.search(r"demo +(http\S+)", printed).group(1)  # type: ignore[union-attr]
        self.assertIn("<title>Banyan Campus", request(demo).body.decode())
        campaigns = request(url + "/v1/campaigns?site=campus", headers={"Authorization": f"Bearer {token}"}).json()["campaigns"]
        self.assertIn("law-2027", [campaign["id"] for campaign in campaigns])
        self.interrupt(process)
        process, printed, seconds = self.start()
        self.assertNotIn("sample data", printed)
        self.assertIn("/ctr?site=open-bandit#token=", printed)
        self.assertLess(seconds, 5)
        self.interrupt(process)

    def test_a_taken_port_is_named_with_what_to_do(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            self.environment["MARQUEE_HTTP_PORT"] = str(taken.getsockname()[1])
            result = subprocess.run([str(ROOT / "tools/run")], env=self.environment, cwd=ROOT, text=True, capture_output=True, timeout=60)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(self.environment["MARQUEE_HTTP_PORT"], result.stdout + result.stderr)


if __name__ == "__main__":
    unittest.main()
