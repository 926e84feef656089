"""Where a process runs: on this machine as it is, or on a host of a network that exists only for a test (network.py)."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Host:
    """`prefix` is put before a command to run it there; `address` is where others reach it."""

    address: str = "127.0.0.1"
    prefix: tuple[str, ...] = ()


HERE = Host()
