"""The collector, durable (fsync before the answer), loaded by wrk; its peer is a bare server of the same HTTP library."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from bench import wrk
from bench.figures import BUILD, cpu_seconds, figure

BATCH = 50
CONNECTIONS = 64


@dataclass
class Load(wrk.Wrk):
    """What wrk saw, and what the server took for it."""

    server_cpu_seconds: float


@contextlib.contextmanager
def serving(mode: str, durable: list[int]) -> Iterator[tuple[int, int]]:
    """Runs bench_collector; gives its pid and port. At the end `durable` gets the number of events that the log holds."""
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as directory:
        arguments = [str(BUILD / "bench/bench_collector"), mode] + ([directory + "/log"] if mode == "collector" else [])
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            port = process.stdout.readline()
            if not port:
                raise RuntimeError("bench_collector did not start")
            yield process.pid, int(port)
        finally:
            process.terminate()
            remaining, _ = process.communicate(timeout=30)
            if mode == "collector":
                durable.append(int(remaining))


def load(pid: int, port: int, seconds: int, events: int, connections: int = CONNECTIONS, delay_ms: int = 0) -> Load:
    before = cpu_seconds(pid)
    seen = wrk.load(f"http://127.0.0.1:{port}", "events.lua", seconds, connections, {"EVENTS": str(events), "DELAY_MS": str(delay_ms)})
    return Load(**vars(seen), server_cpu_seconds=cpu_seconds(pid) - before)


def run(short: bool) -> None:
    seconds = 3 if short else 15
    durable: list[int] = []
    with serving("collector", durable) as (pid, port):
        warm_up = load(pid, port, 1, BATCH)
        batches = load(pid, port, seconds, BATCH)
        singles = load(pid, port, seconds, 1)
        # wrk waits `delay` before each request of a connection: chosen so that half of what it just reached is asked for.
        delay = max(1, round(2000 * CONNECTIONS / singles.per_second))
        half = load(pid, port, seconds, 1, delay_ms=delay)
    with serving("bare", durable) as (pid, port):
        load(pid, port, 1, BATCH)
        bare_batches = load(pid, port, seconds, BATCH)
        bare_singles = load(pid, port, seconds, 1)
    acknowledged = (warm_up.requests + batches.requests) * BATCH + singles.requests + half.requests
    if durable[0] < acknowledged:
        raise RuntimeError(f"{acknowledged} events were acknowledged, the log holds {durable[0]}")

    per_core = batches.requests * BATCH / batches.server_cpu_seconds
    bare_per_core = bare_batches.requests * BATCH / bare_batches.server_cpu_seconds
    print(f"batches of {BATCH}: {batches.per_second * BATCH:,.0f} events/s acknowledged, p99 {batches.p99_ms:.1f} ms; "
          f"server {batches.server_cpu_seconds / batches.seconds:.2f} cores")
    print(f"  bare server: {bare_batches.per_second * BATCH:,.0f} events/s, {bare_per_core:,.0f} per core")
    print(f"single events: {singles.per_second:,.0f}/s over {CONNECTIONS} connections, p50 {singles.p50_ms:.1f} ms, p99 {singles.p99_ms:.1f} ms; "
          f"server {singles.server_cpu_seconds / singles.seconds:.2f} cores (wrk has the rest of the machine)")
    print(f"  at half of that: {half.per_second:,.0f}/s, p50 {half.p50_ms:.1f} ms, p99 {half.p99_ms:.1f} ms")
    print(f"  bare server: {bare_singles.per_second:,.0f}/s, p99 {bare_singles.p99_ms:.1f} ms")
    figure("collector_batched_per_core", per_core, "events/s", ">=150000")
    figure("collector_batched_vs_bare", per_core / bare_per_core, "ratio", "-", 2)
    figure("collector_single_per_s", singles.per_second, "events/s", ">=25000")
    figure("collector_single_vs_bare", singles.per_second / bare_singles.per_second, "ratio", "-", 2)
    figure("collector_single_half_load_p99_ms", half.p99_ms, "ms", "<=20", 1)
