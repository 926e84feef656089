"""Kafka Connect as a way from Kafka into the store: one standalone worker with a sink into ClickHouse.

The sink is bench/connect/src/Sink.java: `clickhouse-kafka-connect` is in no package registry, and its exactly-once mode keeps its
state in a KeeperMap table, which the embedded engine refuses for want of a Keeper.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from bench.figures import ROOT
from bench.pipelines import Stage
from tests.support.kafka import free_port
from tests.support.marquee import request, wait_until

# As the connector's documentation advises for throughput: large polls instead of 500 records.
WORKER = """\
bootstrap.servers={bootstrap}
key.converter=org.apache.kafka.connect.converters.ByteArrayConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
value.converter.schemas.enable=false
plugin.discovery=service_load
listeners=http://127.0.0.1:{port}
offset.storage.file.filename={directory}/offsets
offset.flush.interval.ms=5000
consumer.max.poll.records=50000
consumer.fetch.min.bytes=1000000
consumer.fetch.max.wait.ms=200
consumer.max.partition.fetch.bytes=16777216
consumer.auto.offset.reset=earliest
consumer.session.timeout.ms=6000
"""
CONNECTOR = """\
name={group}
connector.class=marquee.bench.Sink
tasks.max=2
topics={topic}
store.table=events_in
store.url={url}
store.user={user}
store.password={password}
"""


class Connect:
    """A worker with two tasks. `group`: another reads the topic from its beginning."""

    def __init__(self, stage: Stage, topic: str, group: str) -> None:
        self.label = "Kafka Connect, at least once"
        self._stage, self._topic, self._group = stage, topic, group
        self._port = free_port()
        self._class_path = subprocess.run([str(ROOT / "bench/connect/install")], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        marquee = self._stage.marquee
        directory = os.path.join(marquee.data_dir, self._group)
        os.makedirs(directory, exist_ok=True)
        worker, connector = os.path.join(directory, "worker.properties"), os.path.join(directory, "connector.properties")
        with open(worker, "w") as file:
            file.write(WORKER.format(bootstrap=marquee.cluster.bootstrap, port=self._port, directory=directory))
        with open(connector, "w") as file:
            file.write(CONNECTOR.format(group=self._group, topic=self._stage.topic(self._topic), url=marquee.runtime["store_url"],
                                        user=marquee.runtime["store_user"], password=marquee.runtime["store_password"]))
        with open(os.path.join(directory, "log"), "ab") as log:
            self.process = subprocess.Popen(
                ["java", "-Xmx1g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", self._class_path,
                 "org.apache.kafka.connect.cli.ConnectStandalone", worker, connector], stdout=log, stderr=log)

    def is_running(self) -> bool:
        try:
            status = request(f"http://127.0.0.1:{self._port}/connectors/{self._group}/status", timeout=5).json()
        except (OSError, ValueError):
            return False
        return bool(status.get("tasks")) and all(task["state"] == "RUNNING" for task in status["tasks"])

    def wait_running(self) -> None:
        wait_until(self.is_running, 60, "the connector to run", 0.2)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def processes(self) -> Sequence[int]:
        assert self.process is not None
        return [self.process.pid]
