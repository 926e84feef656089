"""A network of hosts that exists only for a test: a network namespace for each host, on one bridge, whose links can be cut and
slowed, one direction at a time.

All of it lives in the namespaces of the process that runs the test (enter()), so that nothing of it outlives that process.
"""

from __future__ import annotations

import os
import subprocess
import sys

from tests.support.host import Host

MARK = "MARQUEE_TEST_NETWORK"
PREFIX = "10.213.7."


def why_impossible() -> str:
    """Why this machine cannot make such a network; empty where it can."""
    if MARK in os.environ:
        return ""
    done = subprocess.run(["unshare", "--net", "--mount", "sh", "-c",
                           "ip link add one type veth peer name two && mount -t tmpfs none /run && nft add table inet cut"],
                          capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"network namespaces cannot be made here (they need root): {done.stderr.strip()}"


def enter(module: str) -> None:
    """Runs `module` again, with this process's arguments, in namespaces of its own. Returns only in there. Processes that it
    leaves behind end with it."""
    if MARK in os.environ:
        return
    os.environ[MARK] = "1"
    os.execvp("unshare", ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc", "sh", "-c",
                          'mkdir -p /run/netns && mount -t tmpfs none /run/netns && exec "$0" -m "$@"',
                          sys.executable, module, *sys.argv[1:]])


class Network:
    """Hosts by name, and the test itself at PREFIX + "1". Only after enter()."""

    def __init__(self, *names: str) -> None:
        self._run("ip", "link", "set", "lo", "up")
        self._run("ip", "link", "add", "hub", "type", "bridge")
        self._run("ip", "addr", "add", PREFIX + "1/24", "dev", "hub")
        self._run("ip", "link", "set", "hub", "up")
        self.hosts = {name: self._host(name, number) for number, name in enumerate(names, 2)}
        self.hosts["test"] = Host(PREFIX + "1")
        for host in self.hosts.values():
            self._in(host, "nft", "add table inet cut; add chain inet cut input { type filter hook input priority 0; }")

    def _host(self, name: str, number: int) -> Host:
        host = Host(f"{PREFIX}{number}", ("ip", "netns", "exec", name))
        self._run("ip", "netns", "add", name)
        self._run("ip", "link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", name)
        self._run("ip", "link", "set", f"to-{name}", "master", "hub", "up")
        self._in(host, "ip", "link", "set", "lo", "up")
        self._in(host, "ip", "addr", "add", host.address + "/24", "dev", "eth0")
        self._in(host, "ip", "link", "set", "eth0", "up")
        return host

    def drop(self, source: str, target: str, percent: int = 100) -> None:
        """From now on so much of what `source` sends to `target` is lost, without a word to either."""
        some = "" if percent == 100 else f"numgen random mod 100 < {percent} "
        self._in(self.hosts[target], "nft", f"add rule inet cut input ip saddr {self.hosts[source].address} {some}drop")

    def slow(self, name: str, rate: str) -> None:
        """What `name` sends goes no faster than `rate` (as 2mbit); what must wait long is lost."""
        self._in(self.hosts[name], "tc", "qdisc", "replace", "dev", "eth0", "root", "tbf", "rate", rate, "burst", "16kb",
                 "latency", "500ms")

    def heal(self) -> None:
        for name, host in self.hosts.items():
            self._in(host, "nft", "flush chain inet cut input")
            if name != "test":
                self._in(host, "tc", "qdisc", "del", "dev", "eth0", "root", check=False)

    def _in(self, host: Host, *command: str, check: bool = True) -> None:
        self._run(*host.prefix, *command, check=check)

    @staticmethod
    def _run(*command: str, check: bool = True) -> None:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
