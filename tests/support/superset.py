"""A Superset that a test starts for itself: its data in a temporary directory, its program from tools/install-bi."""

from __future__ import annotations

import os
import pathlib
import secrets
import shutil
import subprocess
import tempfile

from deploy.superset import load
from tests.support.marquee import ROOT, Marquee, request, wait_until
from tests.support.ports import free_port

USER = "admin"


def environment_of(name: str) -> pathlib.Path:
    """The Python environment of `deploy/<name>/requirements.txt`."""
    where = subprocess.run([str(ROOT / "tools/install-bi"), "--where"], capture_output=True, text=True, check=True).stdout.split()
    path = next(pathlib.Path(line) for line in where if pathlib.Path(line).name.startswith(name + "-"))
    if not (path / "complete").exists():
        raise AssertionError(f"{path} is missing: run tools/install-bi")
    return path


class Superset:
    """A context manager; leaves nothing behind. `api` is a session of its administrator."""

    def __init__(self) -> None:
        self.directory = tempfile.mkdtemp(prefix="marquee-superset-")
        self.password = secrets.token_urlsafe(12)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log_path = os.path.join(self.directory, "log")
        self._programs = environment_of("superset") / "bin"
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("SUPERSET")}, "SUPERSET_DIR": self.directory,
            "SUPERSET_SECRET_KEY": secrets.token_urlsafe(32), "SUPERSET_CONFIG_PATH": str(ROOT / "deploy/superset/superset_config.py"),
            "SUPERSET_PASSWORD": self.password}
        self._process: subprocess.Popen[bytes] | None = None
        self.api: load.Superset

    def __enter__(self) -> Superset:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self) -> None:
        with open(self.log_path, "ab") as log:
            subprocess.run([str(self._programs / "python"), str(ROOT / "deploy/superset/prepare.py")], env=self._environment, stdout=log,
                           stderr=log, cwd=self.directory, timeout=300, check=True)
            self._process = subprocess.Popen(
                [str(self._programs / "gunicorn"), "--bind", self.url.removeprefix("http://"), "--workers", "1", "--worker-class", "gthread",
                 "--threads", "8", "--timeout", "120", "superset.app:create_app()"], env=self._environment, stdout=log, stderr=log,
                cwd=self.directory)
        wait_until(self._is_up, 120, "Superset's /health", 0.2)
        self.api = load.Superset(self.url, USER, self.password)

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _is_up(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"Superset ended with {self._process.returncode}:\n{self.log_tail()}")
        try:
            return request(self.url + "/health", timeout=5).status == 200
        except OSError:
            return False

    def log_tail(self, lines: int = 40) -> str:
        return "\n".join(pathlib.Path(self.log_path).read_text(errors="replace").splitlines()[-lines:])

    def load(self, marquee: Marquee) -> None:
        """What `deploy/superset/load.py` does for a person."""
        load.load(self.api, marquee.runtime["store_url"], marquee.runtime["reader_password"])
