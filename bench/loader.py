"""Rows that the loader lands per CPU second, the store's share included, beside INSERT ... FORMAT JSONEachRow of the same rows."""

from __future__ import annotations

import subprocess

from bench.figures import BUILD


def run(short: bool) -> None:
    rows = 200_000 if short else 2_000_000
    subprocess.run([str(BUILD / "bench/bench_loader"), str(rows), str(BUILD / "bin/marquee-store")], check=True, timeout=900)
