"""Prometheus's programs, its text format, and a Prometheus that scrapes what a test runs."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import urllib.parse
from collections.abc import Sequence
from typing import Any

import yaml

from tests.support.marquee import ROOT, request, wait_until
from tests.support.ports import free_port

RULES = ROOT / "deploy/prometheus/marquee.rules.yaml"

Sample = tuple[str, dict[str, str], float]


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def program(name: str) -> str:
    """`prometheus` or `promtool`, as tools/install put it."""
    cache = os.environ.get("MARQUEE_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "marquee")
    path = pathlib.Path(cache, "prometheus", name)
    if not path.exists():
        raise AssertionError(f"{path} is missing: run tools/install")
    return str(path)


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program("promtool"), *arguments], capture_output=True, text=True, timeout=60)


def scrape(url: str) -> list[Sample]:
    """Every sample of `url`/metrics."""
    samples: list[Sample] = []
    for line in request(url + "/metrics").body.decode().splitlines():
        found = re.fullmatch(r'(\w+)(?:\{(.*)\})? (\S+)', line)
        if found is not None:
            labels = dict(re.findall(r'(\w+)="([^"]*)"', found.group(2) or ""))
            samples.append((found.group(1), labels, float(found.group(3))))
    return samples


class Prometheus:
    """One Prometheus with Marquee's rules, scraping `targets` (host:port) every second. A context manager; leaves nothing behind."""

    def __init__(self, targets: Sequence[str]) -> None:
        self.directory = tempfile.mkdtemp(prefix="marquee-prometheus-")
        self.url = f"http://127.0.0.1:{free_port()}"
        # JSON is YAML.
        pathlib.Path(self.directory, "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": [str(RULES)],
            "scrape_configs": [{"job_name": "marquee", "static_configs": [{"targets": list(targets)}]}]}))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Prometheus:
        with open(os.path.join(self.directory, "log"), "wb") as log:
            self._process = subprocess.Popen(
                [program("prometheus"), f"--config.file={self.directory}/prometheus.yml", f"--storage.tsdb.path={self.directory}/data",
                 f"--web.listen-address={urllib.parse.urlsplit(self.url).netloc}"], stdout=log, stderr=log)
        wait_until(self._is_ready, 60, "Prometheus to be ready")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _is_ready(self) -> bool:
        try:
            return request(self.url + "/-/ready", timeout=5).status == 200
        except OSError:
            return False

    def alerts(self) -> list[dict[str, Any]]:
        """Alerts whose expression is true, pending or firing."""
        return list(request(self.url + "/api/v1/alerts").json()["data"]["alerts"])

    def query(self, expression: str) -> list[dict[str, Any]]:
        answer = request(f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}").json()
        return list(answer["data"]["result"])
