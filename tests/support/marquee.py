"""Starts the built Marquee as a user would and talks to it over HTTP. Used by the end-to-end and the fault tests.

Environment: MARQUEE_BIN, the `marquee` to test (default build/release/bin/marquee).
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from tests.support.host import HERE, Host
from tests.support.processes import send

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("MARQUEE_BIN", str(ROOT / "build/release/bin/marquee"))

T = TypeVar("T")


def wait_until(condition: Callable[[], T], timeout: float, what: str, interval: float = 0.02) -> T:
    """The first true value of `condition`; AssertionError naming `what` when `timeout` seconds pass without one."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:.0f} s for {what}")
        time.sleep(interval)


class Answer:
    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    def json(self) -> Any:
        return json.loads(self.body)


def request(url: str, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None,
            timeout: float = 30) -> Answer:
    """One request on a connection of its own. OSError where the connection fails."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        target = parts.path or "/"
        if parts.query:
            target += "?" + parts.query
        connection.request(method, target, body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    except http.client.HTTPException as error:
        raise OSError(f"{method} {url}: {error!r}") from error
    finally:
        connection.close()


class Marquee:
    """One Marquee with a data directory of its own, on free ports. A context manager; leaves nothing behind."""

    def __init__(self, environment: Mapping[str, str] | None = None, data_dir: str | None = None, host: Host = HERE) -> None:
        self.host = host
        self.data_dir = data_dir or tempfile.mkdtemp(prefix="marquee-test-")
        self._owns_data = data_dir is None
        self.log_path = os.path.join(tempfile.gettempdir(), f"marquee-{os.getpid()}-{id(self):x}.log")
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("MARQUEE_") or k in ("MARQUEE_CACHE", "MARQUEE_ENGINE")},
            "MARQUEE_DATA_DIR": self.data_dir, "MARQUEE_HTTP_PORT": "0", "MARQUEE_STORE_PORT": "0",
            "MARQUEE_HTTP_LISTEN": host.address, "MARQUEE_STORE_LISTEN": host.address,
            **(environment or {}),
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.runtime: dict[str, Any] = {}

    def __enter__(self) -> Marquee:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._owns_data:
            shutil.rmtree(self.data_dir, ignore_errors=True)
        if os.path.exists(self.log_path):
            os.unlink(self.log_path)

    # -- life --------------------------------------------------------------------------------------------------------
    def start(self, ready: bool = True) -> None:
        """Starts `marquee serve` and waits until it accepts events (and, with `ready`, until the store has caught up)."""
        runtime = pathlib.Path(self.data_dir, "runtime.json")
        runtime.unlink(missing_ok=True)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*self.host.prefix, BINARY, "serve"], env=self.environment, stdout=log, stderr=log,
                                            cwd=self.data_dir if os.path.isdir(self.data_dir) else None)
        wait_until(lambda: self._died_or(runtime.exists), 30, "marquee serve to write runtime.json")
        self.runtime = json.loads(runtime.read_text())
        wait_until(lambda: self._died_or(lambda: self.probe("/healthz")), 30, "/healthz")
        if ready:
            self.wait_ready()

    def _died_or(self, condition: Callable[[], T]) -> T:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"marquee serve ended with status {self.process.returncode}:\n{self.log_tail()}")
        return condition()

    def wait_ready(self, timeout: float = 60) -> None:
        wait_until(lambda: self._died_or(lambda: self.probe("/readyz")), timeout, "/readyz")

    def stop(self) -> int | None:
        """SIGTERM, as an operator would; the exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode

    def kill(self) -> None:
        """kill -9 of marquee; its store must follow."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def store_pid(self) -> int | None:
        """Process id of the supervised store, None while there is none."""
        assert self.process is not None
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)
            except OSError:
                continue
            if "marquee-store" in fields[0] and int(fields[1].split()[1]) == self.process.pid and fields[1].split()[0] != "Z":
                return int(entry.name)
        return None

    def signal_store(self, number: signal.Signals) -> bool:
        pid = self.store_pid()
        if pid is None:
            return False
        try:
            send(pid, number)
        except ProcessLookupError:
            return False
        return True

    def log_tail(self, lines: int = 30) -> str:
        try:
            with open(self.log_path, errors="replace") as log:
                return "".join(log.readlines()[-lines:])
        except OSError:
            return ""

    # -- talk --------------------------------------------------------------------------------------------------------
    @property
    def url(self) -> str:
        return str(self.runtime["http_url"])

    def probe(self, path: str) -> bool:
        try:
            return request(self.url + path, timeout=5).status == 200
        except OSError:
            return False

    def api(self, path: str, method: str = "GET", body: Any = None) -> Answer:
        headers = {"Authorization": f"Bearer {self.runtime['admin_token']}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        return request(self.url + path, method, None if body is None else json.dumps(body).encode(), headers)

    def post_events(self, events: list[dict[str, Any]], site: str = "campus", timeout: float = 30) -> Answer:
        return request(self.url + "/v1/events", "POST", json.dumps(events).encode(),
                       {"Authorization": f"Bearer {self.runtime['write_keys'][site]}", "Content-Type": "application/json"}, timeout)

    def sql(self, query: str, timeout: float = 120) -> str:
        """TSV answer of the store, as its administrator. OSError when it is away."""
        credentials = base64.b64encode(f"{self.runtime['store_user']}:{self.runtime['store_password']}".encode()).decode()
        answer = request(self.runtime["store_url"] + "/?database=marquee", "POST", query.encode(),
                         {"Authorization": "Basic " + credentials}, timeout)
        if answer.status != 200:
            raise AssertionError(f"the store answered {answer.status} to {query}: {answer.body.decode(errors='replace')}")
        return answer.body.decode()

    def rows(self, query: str) -> Iterator[list[str]]:
        for line in self.sql(query).splitlines():
            yield line.split("\t")

    def count(self, query: str) -> int:
        return int(self.sql(query).strip() or 0)

    def run(self, *arguments: str, check: bool = True, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Runs a `marquee` subcommand against this Marquee."""
        result = subprocess.run([*self.host.prefix, BINARY, *arguments], env=self.environment, capture_output=True, text=True, timeout=600,
                                input=stdin)
        if check and result.returncode != 0:
            raise AssertionError(f"marquee {' '.join(arguments)} ended with {result.returncode}:\n{result.stdout}\n{result.stderr}")
        return result
