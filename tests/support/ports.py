"""Ports for the servers of tests, also for those that are killed and started again."""

from __future__ import annotations

import socket

_held: dict[int, socket.socket] = {}  # until this process ends


def free_port() -> int:
    """A port that this process keeps bound, and does not listen on: servers that set SO_REUSEADDR can, one after the other, and between
    them the kernel gives it to nobody's outgoing connection."""
    return _hold(0)


def free_ports(count: int) -> int:
    """The first of so many in a row."""
    while True:
        first = free_port()
        try:
            for port in range(first + 1, first + count):
                _hold(port)
            return first
        except OSError:
            continue


def _hold(port: int) -> int:
    holder = socket.socket()
    try:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", port))
    except OSError:
        holder.close()
        raise
    port = int(holder.getsockname()[1])
    if port in _held:  # of one that was asked for by number
        holder.close()
        raise OSError(f"port {port} is held")
    _held[port] = holder
    return port
