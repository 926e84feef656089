"""Half of what this machine can carry, for twenty minutes: does anything grow? Collector, loader, store, broker and `marquee serve`
are watched from outside: memory, file handles, threads, and how far the loader is behind.

    make bench NAME=soak
    bench/run --minutes 3 soak
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import statistics
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.figures import figure
from bench.pipelines import MarqueeLoader, Stage
from tests.support.kafka import Cluster, KafkaMarquee
from tests.support.marquee import BINARY, wait_until

EVERY_SECONDS = 2.0
WARM_UP = 0.4  # of the run: the loaders' windows of identities, the store's caches and the broker's heap fill first.
# The largest growth over the measured part that still counts as flat: noise of allocators, merges and garbage collection.
FLAT_SHARE, FLAT_MIB, FLAT_FDS = 0.10, 24.0, 24.0
WINDOW = 200_000  # Identities that a loader keeps of a partition: full well within the warm-up.


@dataclass
class Series:
    """What was seen of one process, with the time in seconds."""

    times: list[float] = field(default_factory=list)
    rss_mib: list[float] = field(default_factory=list)
    handles: list[float] = field(default_factory=list)
    threads: list[float] = field(default_factory=list)

    def look(self, now: float, pid: int) -> None:
        directory = pathlib.Path(f"/proc/{pid}")
        pages = int((directory / "statm").read_text().split()[1])
        self.times.append(now)
        self.rss_mib.append(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)
        self.handles.append(len(list((directory / "fd").iterdir())))
        self.threads.append(len(list((directory / "task").iterdir())))


def slope(times: list[float], values: list[float]) -> float:
    """Per second: the median of the slopes between points half the series apart, which single spikes do not move."""
    half = len(times) // 2
    return statistics.median((values[i + half] - values[i]) / (times[i + half] - times[i]) for i in range(len(times) - half))


@contextlib.contextmanager
def load(marquee: KafkaMarquee, rate: float, batch: int = 2000) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([BINARY, "simulate", "--rate", f"{rate:.0f}", "--batch", str(batch), "--duration", "24h", "--quiet", "--url",
                                marquee.collectors[0].url], env=marquee.environment, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def capacity(stage: Stage, loader: MarqueeLoader, seconds: float) -> float:
    """Events a second that go all the way while the collector takes what it can: the loader works on its backlog all the time."""
    with load(stage.marquee, 0):
        time.sleep(seconds / 4)
        before, began = stage.landed(), time.monotonic()
        time.sleep(seconds)
        rate = (stage.landed() - before) / (time.monotonic() - began)
    wait_until(lambda: lag(loader)[0] == 0, 600, "the loader to catch up", 0.5)
    return rate


def lag(loader: MarqueeLoader) -> tuple[int, float]:
    """Events, and seconds of the partition that is furthest behind."""
    assert loader.role is not None
    status = loader.role.get("/v1/loader").json()
    return int(status["lag_events"]), max((float(one["lag_seconds"]) for one in status["partitions"]), default=0.0)


def watch(stage: Stage, loader: MarqueeLoader, seconds: float) -> tuple[dict[str, Series], list[float]]:
    marquee = stage.marquee
    store, broker, serve, collector = marquee.store_pid(), marquee.cluster.processes[0], marquee.process, marquee.collectors[0].process
    assert store and broker and serve and collector
    pids = {"loader": loader.processes()[0], "collector": collector.pid, "serve": serve.pid, "store": store, "broker": broker.pid}
    seen = {name: Series() for name in pids}
    lags: list[float] = []
    began = time.monotonic()
    while (now := time.monotonic() - began) < seconds:
        if now >= seconds * WARM_UP:
            for name, pid in pids.items():
                seen[name].look(now, pid)
            lags.append(lag(loader)[1])
        time.sleep(EVERY_SECONDS)
    return seen, lags


def judge(seen: dict[str, Series], lags: list[float]) -> list[str]:
    """Prints what was seen; what is not flat."""
    growing = []
    handles = 0.0
    for name, series in seen.items():
        length = series.times[-1] - series.times[0]
        rss = slope(series.times, series.rss_mib)
        fds, threads = (slope(series.times, values) * length for values in (series.handles, series.threads))
        handles += max(fds, 0.0)
        typical = statistics.median(series.rss_mib)
        print(f"{name:<10} {typical:6.0f} MiB (largest {max(series.rss_mib):.0f}), {statistics.median(series.handles):.0f} handles, "
              f"{statistics.median(series.threads):.0f} threads; over {length / 60:.0f} minutes {rss * length:+.1f} MiB, {fds:+.0f} handles, "
              f"{threads:+.0f} threads")
        figure(f"soak_rss_growth_mib_per_hour_{name}", rss * 3600, "MiB/h", "-", 1)
        if rss * length > max(FLAT_SHARE * typical, FLAT_MIB):
            growing.append(f"memory of {name}")
        if fds > FLAT_FDS:
            growing.append(f"file handles of {name}")
        if threads > FLAT_FDS:
            growing.append(f"threads of {name}")
    figure("soak_fds_growth", handles, "handles", f"<={FLAT_FDS:.0f}")
    figure("soak_max_lag_seconds", max(lags), "s", "<=10", 2)
    third = len(lags) // 3
    if max(lags) > 10 or statistics.median(lags[-third:]) > statistics.median(lags[:third]) + 1:
        growing.append("lag")
    return growing


def run(short: bool, minutes: float = 20) -> None:
    seconds = 40 if short else minutes * 60
    with Cluster() as cluster, KafkaMarquee(cluster, {"MARQUEE_LOADER_IDENTITY_WINDOW": str(WINDOW)}, partitions=4, loaders=0) as marquee:
        stage = Stage(marquee)
        loader = MarqueeLoader(stage, f"{marquee.topic}-soak")
        loader.start()
        limit = capacity(stage, loader, 5 if short else 20)
        print(f"capacity {limit:,.0f} events/s; {limit / 2:,.0f} for {seconds / 60:.1f} minutes", flush=True)
        before, began = stage.landed(), time.monotonic()
        with load(marquee, limit / 2):
            seen, lags = watch(stage, loader, seconds)
            rate = (stage.landed() - before) / (time.monotonic() - began)
        loader.stop()
    figure("soak_events_per_s", rate, "events/s", f">={limit / 2 * 0.95:.0f}")
    growing = judge(seen, lags)
    if short:
        print("too short to say what grows: with less than three minutes nothing has filled yet")
    elif growing:
        raise RuntimeError(f"not flat: {', '.join(growing)}")
