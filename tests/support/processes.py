"""Signals to processes that tests have started."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import time


def send(pid: int, number: signal.Signals) -> None:
    """Sends a signal. After SIGSTOP no thread of the process runs any more: the signal alone would let one on another core answer yet.
    Raises ProcessLookupError where there is no such process."""
    os.kill(pid, number)
    if number == signal.SIGSTOP:
        deadline = time.monotonic() + 30
        while not _is_stopped(pid):
            assert time.monotonic() < deadline, f"process {pid} goes on"
            time.sleep(0.001)


def send_to(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """The same to a child of ours; nothing where it has ended."""
    if process.poll() is None:
        send(process.pid, number)


def _is_stopped(pid: int) -> bool:
    states = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            states.append((task / "stat").read_text().rpartition(")")[2].split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue  # a thread that has ended
    return all(state in "TtZX" for state in states)
