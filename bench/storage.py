"""Bytes that an event takes on disk, all columns, after merges: a simulated stream."""

from __future__ import annotations

import os
import tempfile

from bench.figures import figure, landed
from tests.support.marquee import Marquee, wait_until


def run(short: bool) -> None:
    events = 200_000 if short else 5_000_000
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as directory, Marquee() as marquee:
        path = os.path.join(directory, "events.ndjson")
        marquee.run("simulate", "--events", str(events), "--out", path, "--quiet")
        marquee.run("import", "events", "--site", "campus", "--quiet", path)
        wait_until(lambda: landed(marquee) >= events, 600, "the events to land", 0.2)
        marquee.sql("OPTIMIZE TABLE marquee.events FINAL", timeout=600)
        rows, size = next(marquee.rows("SELECT sum(rows), sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'marquee' AND table = 'events'"))
        print(f"{int(rows):,} events, {int(size):,} bytes; the largest columns:")
        for name, column in marquee.rows("SELECT name, data_compressed_bytes FROM system.columns WHERE database = 'marquee' AND table = 'events' "
                                          "ORDER BY 2 DESC LIMIT 8"):
            print(f"  {name:<16} {int(column) / int(rows):6.2f} bytes an event")
        rollups = marquee.count("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'marquee' AND table != 'events'")
        print(f"  and all rollups  {rollups / int(rows):6.2f} bytes an event")
    if int(rows) < events * 0.99:
        raise RuntimeError(f"{rows} of {events} events were stored")
    figure("bytes_per_event", int(size) / int(rows), "bytes", "<=20", 1)
