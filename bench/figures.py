"""What the benchmarks share: the FIGURE line, and the CPU time of a process."""

from __future__ import annotations

import os
import pathlib

from tests.support.marquee import Marquee

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("MARQUEE_BUILD", str(ROOT / "build/release")))


def figure(name: str, value: float, unit: str, target: str, digits: int = 0) -> None:
    """`target` as in ">=150000"; "-" where there is none."""
    print(f"FIGURE {name} {value:.{digits}f} {unit} {target}", flush=True)


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has taken so far, all its threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def landed(marquee: Marquee) -> int:
    """Events in the store so far, repeats not counted."""
    return int(marquee.api("/v1/status").json()["loader"]["events_landed"])
