"""Loads a server with wrk."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass

from bench.figures import ROOT


@dataclass
class Wrk:
    """What wrk saw."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def load(url: str, script: str, seconds: int, connections: int, environment: dict[str, str]) -> Wrk:
    """By a script beside this file, which tells what wrk saw in a line "WRK name=number ...". Any failed request is an error."""
    output = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(ROOT / "bench" / script), url],
        env={**os.environ, **environment}, check=True, capture_output=True, text=True, timeout=seconds + 60).stdout
    found = re.search(r"^WRK (.*)$", output, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"wrk did not report:\n{output}")
    fields = {name: int(value) for name, value in (pair.split("=") for pair in found[1].split())}
    if fields["errors"] or fields["not_2xx"]:
        raise RuntimeError(f"requests failed: {found[1]}")
    return Wrk(fields["requests"], fields["duration_us"] / 1e6, fields["p50_us"] / 1e3, fields["p99_us"] / 1e3)
