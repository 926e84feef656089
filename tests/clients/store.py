"""A marquee-store alone, with an administrator and a reader, for the tests of ClickHouse's clients.

Environment: MARQUEE_STORE_BIN, the `marquee-store` to test (default build/release/bin/marquee-store).
"""

from __future__ import annotations

import base64
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.marquee import ROOT, Answer, request, wait_until

BINARY = os.environ.get("MARQUEE_STORE_BIN", str(ROOT / "build/release/bin/marquee-store"))
ADMIN_PASSWORD = "admin's secret"
READER_PASSWORD = "reader's secret"
USERS = {"admin": ("default", ADMIN_PASSWORD), "reader": ("reader", READER_PASSWORD)}


def installed() -> dict[str, str]:
    """Where tools/install-clients put the clients: go, node, python, java. Installs what is missing."""
    subprocess.run([ROOT / "tools/install-clients"], check=True)
    lines = subprocess.run([ROOT / "tools/install-clients", "--where"], check=True, capture_output=True, text=True).stdout
    return dict(line.split("=", 1) for line in lines.splitlines())


class Store:
    def __init__(self, passwords: Mapping[str, str] | None = None, arguments: Sequence[str] = ()) -> None:
        """`passwords` of further users, whom `arguments` may name as NAME:ROLES:{NAME} (a file with the password)."""
        self.data = tempfile.mkdtemp(prefix="marquee-clients-")
        self.users = {**USERS, **{name: (name, password) for name, password in (passwords or {}).items()}}
        files = {name: pathlib.Path(self.data, name) for name in passwords or {}}
        for name, file in files.items():
            file.write_text((passwords or {})[name] + "\n")
        self.arguments = [argument.format(**files) for argument in arguments]
        self._start()

    def _start(self) -> None:
        environment = {**os.environ, "MARQUEE_STORE_PASSWORD": ADMIN_PASSWORD, "MARQUEE_READER_PASSWORD": READER_PASSWORD}
        self.log = open(pathlib.Path(self.data, "log"), "wb")
        self.process = subprocess.Popen([BINARY, "--data", self.data + "/store", "--port", "0", *self.arguments], stdout=subprocess.PIPE, stderr=self.log,
                                        env=environment)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("marquee-store did not start: " + pathlib.Path(self.data, "log").read_text()[-2000:])
        self.port = int(json.loads(line)["port"])

    def restart(self) -> None:
        """On the same data, on another port."""
        self._end()
        self._start()

    def _end(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.log.close()

    def stop(self) -> None:
        self._end()
        shutil.rmtree(self.data, ignore_errors=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def headers(self, user: str = "admin") -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(":".join(self.users[user]).encode()).decode()}

    def ask(self, query: str | bytes, user: str = "admin", body: bytes | None = None, headers: dict[str, str] | None = None,
            **parameters: Any) -> Answer:
        if body is not None:
            parameters["query"] = query
        sent = body if body is not None else query if isinstance(query, bytes) else query.encode()
        return request(f"{self.url}/?{urllib.parse.urlencode(parameters)}", "POST", sent, {**self.headers(user), **(headers or {})}, 60)


class StoreTest(unittest.TestCase):
    """Tests that share one store."""

    store: Store

    @classmethod
    def setUpClass(cls) -> None:
        cls.store = Store()
        cls.addClassCleanup(cls.store.stop)

    def run_client(self, command: list[str], **options: Any) -> str:
        """Runs a client's script, which fails loudly; it finds the store in its environment."""
        environment = {**os.environ, "STORE_URL": self.store.url, "STORE_PORT": str(self.store.port), "STORE_PASSWORD": ADMIN_PASSWORD,
                       "READER_PASSWORD": READER_PASSWORD}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False, **options)
        self.assertEqual(done.returncode, 0, f"{command[0]}:\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}")
        return done.stdout


__all__ = ["BINARY", "Store", "StoreTest", "installed", "wait_until"]
