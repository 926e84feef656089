"""A real ZooKeeper, which ClickHouse's replicated tables need for their DDL (Debian's package zookeeper)."""

from __future__ import annotations

import glob
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

from tests.support.marquee import wait_until
from tests.support.ports import free_port

JARS = ("zookeeper", "zookeeper-jute", "slf4j-api", "slf4j-simple", "netty*", "snappy*", "metrics-core*", "commons-cli")


class ZooKeeper:
    """One server on a free port. A context manager; leaves nothing behind."""

    def __enter__(self) -> ZooKeeper:
        self.directory = tempfile.mkdtemp(prefix="marquee-zookeeper-")
        self.port = free_port()
        configuration = pathlib.Path(self.directory, "zoo.cfg")
        configuration.write_text(f"tickTime=500\ndataDir={self.directory}/data\nclientPort={self.port}\n"
                                 "clientPortAddress=127.0.0.1\nadmin.enableServer=false\n4lw.commands.whitelist=srvr\n")
        jars = [path for name in JARS for path in glob.glob(f"/usr/share/java/{name}.jar")]
        with open(os.path.join(self.directory, "log"), "wb") as log:
            self.process = subprocess.Popen(["java", "-cp", ":".join(jars), "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                                             str(configuration)], stdout=log, stderr=log)
        wait_until(self._answers, 60, "ZooKeeper to answer")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(pathlib.Path(self.directory, "log").read_text())
        try:
            with socket.create_connection(("127.0.0.1", self.port), 2) as one:
                one.sendall(b"srvr")  # before it serves it says so
                answer = b""
                while piece := one.recv(4096):
                    answer += piece
                return b"Mode: standalone" in answer
        except OSError:
            return False
