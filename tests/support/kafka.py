"""Real Kafka brokers, and the roles of Marquee that run beside each other on them."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence

from tests.support.host import HERE, Host
from tests.support.marquee import BINARY, ROOT, Answer, Marquee, request, wait_until
from tests.support.ports import free_port
from tests.support.processes import send_to


class _Reader:
    """Kafka's wire types, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def number(self, size: int) -> int:
        self._at += size
        return int.from_bytes(self._data[self._at - size:self._at], "big", signed=True)

    def text(self) -> str:
        size = max(self.number(2), 0)
        self._at += size
        return self._data[self._at - size:self._at].decode()

    def numbers(self) -> list[int]:
        return [self.number(4) for _ in range(self.number(4))]


class Cluster:
    """`brokers` Kafka nodes, each broker and controller (KRaft), on `hosts`, with further server properties. A context manager;
    leaves nothing behind."""

    def __init__(self, brokers: int = 1, hosts: Sequence[Host] | None = None, properties: Mapping[str, str] | None = None) -> None:
        self.directory = tempfile.mkdtemp(prefix="marquee-kafka-")
        self.hosts = list(hosts or [HERE] * brokers)
        self.ports = [free_port() for _ in range(brokers)]
        self._controllers = [free_port() for _ in range(brokers)]
        self._voters = ",".join(f"{i + 1}@{self.hosts[i].address}:{port}" for i, port in enumerate(self._controllers))
        self.processes: list[subprocess.Popen[bytes] | None] = [None] * brokers
        self._properties = os.path.join(self.directory, "further.properties")
        pathlib.Path(self._properties).write_text("".join(f"{name}={value}\n" for name, value in (properties or {}).items()))
        self.environment: dict[str, str] = {}  # of the brokers, besides this process's

    @property
    def bootstrap(self) -> str:
        return ",".join(f"{host.address}:{port}" for host, port in zip(self.hosts, self.ports, strict=True))

    def __enter__(self) -> Cluster:
        try:
            for index in range(len(self.ports)):
                self.start(index)
            for index, port in enumerate(self.ports):
                wait_until(lambda index=index: self.answers(index), 120, f"the broker at port {port}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            if process is not None:
                process.kill()
                process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self, index: int) -> None:
        home = os.path.join(self.directory, f"node-{index + 1}")
        with open(os.path.join(self.directory, f"node-{index + 1}.log"), "ab") as log:
            self.processes[index] = subprocess.Popen(
                [*self.hosts[index].prefix, str(ROOT / "deploy/kafka/broker"), home, str(self.ports[index]),
                 str(self._controllers[index]), str(index + 1), self._voters], stdout=log, stderr=log,
                env={**os.environ, "MARQUEE_KAFKA_HEAP": "300m", "MARQUEE_KAFKA_LISTEN": self.hosts[index].address,
                     "MARQUEE_KAFKA_PROPERTIES": self._properties, **self.environment})

    def kill(self, index: int) -> None:
        process = self.processes[index]
        assert process is not None
        process.kill()
        process.wait()

    def signal(self, index: int, number: signal.Signals) -> None:
        process = self.processes[index]
        assert process is not None
        send_to(process, number)

    def answers(self, index: int) -> bool:
        """Every API's versions, which a broker that serves its clients tells."""
        return self._ask(index, "00120000") != b""

    def is_in_sync(self) -> bool:
        """Every broker knows a leader of every partition, and all its replicas to be in sync."""
        return all(self._is_in_sync(index) for index in range(len(self.ports)))

    def _is_in_sync(self, index: int) -> bool:
        answer = _Reader(self._ask(index, "00030001", "ffffffff"))  # Metadata of every topic
        for _ in range(answer.number(4)):  # brokers: id, host, port, rack
            answer.number(4), answer.text(), answer.number(4), answer.text()
        answer.number(4)  # controller
        topics = answer.number(4)
        for _ in range(topics):
            answer.number(2), answer.text(), answer.number(1)
            for _ in range(answer.number(4)):
                answer.number(2), answer.number(4)
                leader, replicas, in_sync = answer.number(4), answer.numbers(), answer.numbers()
                if leader < 0 or len(in_sync) < len(replicas):
                    return False
        return topics > 0

    def _ask(self, index: int, api: str, body: str = "") -> bytes:
        """The answer to a request of this key and version, all in hexadecimal; empty where there is none."""
        request = bytes.fromhex(api + "000000010000" + body)
        try:
            with socket.create_connection((self.hosts[index].address, self.ports[index]), 1) as connection:
                connection.sendall(len(request).to_bytes(4, "big") + request)
                connection.settimeout(2)
                with connection.makefile("rb") as stream:
                    size = int.from_bytes(stream.read(4), "big")
                    return stream.read(size)[4:]
        except OSError:
            return b""


class Role:
    """One `marquee collect`, `marquee load` or `marquee decide`."""

    def __init__(self, name: str, environment: Mapping[str, str], log_path: str, host: Host = HERE) -> None:
        self.name, self.environment, self.log_path, self.host = name, dict(environment), log_path, host
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self._begin = 0

    def start(self, ready: bool = True) -> None:
        self.spawn()
        self.wait_listening()
        if ready:
            wait_until(self.is_ready, 60, f"marquee {self.name} to be ready")

    def spawn(self) -> None:
        """Starts it and waits for nothing; wait_listening() must follow."""
        with open(self.log_path, "ab") as log:
            self._begin = log.seek(0, os.SEEK_END)
            self.process = subprocess.Popen([*self.host.prefix, BINARY, self.name], env=self.environment, stdout=log, stderr=log)

    def wait_listening(self) -> None:
        self.url = wait_until(self._address, 60, f"marquee {self.name} to listen")

    def log_since_start(self) -> str:
        with open(self.log_path, errors="replace") as log:
            log.seek(self._begin)
            return log.read()

    def _address(self) -> str:
        assert self.process is not None
        text = self.log_since_start()
        if self.process.poll() is not None:
            raise AssertionError(f"marquee {self.name} ended with {self.process.returncode}:\n{text[-2000:]}")
        found = re.search(r'"url":"(http://[^"]+)"', text)
        return found.group(1) if found else ""

    def is_ready(self) -> bool:
        try:
            return request(self.url + "/readyz", timeout=5).status == 200
        except OSError:
            return False

    def log_tail(self, lines: int = 30) -> str:
        with open(self.log_path, errors="replace") as log:
            return "".join(log.readlines()[-lines:])

    def get(self, path: str) -> Answer:
        return request(self.url + path)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        send_to(self.process, number)

    def stop(self) -> int | None:
        """SIGTERM, and the exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode


class KafkaMarquee(Marquee):
    """Marquee on Kafka: `serve` with store, API and console, and collectors, loaders and deciders of their own."""

    def __init__(self, cluster: Cluster, environment: Mapping[str, str] | None = None, partitions: int = 4, collectors: int = 1,
                 loaders: int = 1, session: str = "6s", host: Host = HERE, data_dir: str | None = None, deciders: int = 0) -> None:
        name = f"t{os.getpid()}x{id(self):x}"
        self.topic = f"{name}.events"
        super().__init__({
            "MARQUEE_LOG_KIND": "kafka", "MARQUEE_KAFKA_BROKERS": cluster.bootstrap, "MARQUEE_KAFKA_TOPIC": self.topic,
            "MARQUEE_KAFKA_GROUP": f"{name}-loaders", "MARQUEE_KAFKA_PARTITIONS": str(partitions), "MARQUEE_KAFKA_SESSION": session,
            "MARQUEE_KAFKA_REPLICATION": str(min(3, len(cluster.ports))), "MARQUEE_SERVE_COLLECT": "false",
            "MARQUEE_SERVE_LOAD": "false", **(environment or {})}, data_dir, host)
        self.cluster = cluster
        self._roles_wanted = {"collect": collectors, "load": loaders, "decide": deciders}
        self.collectors: list[Role] = []
        self.loaders: list[Role] = []
        self.deciders: list[Role] = []
        self._turn = 0

    def __enter__(self) -> KafkaMarquee:
        self.run("migrate", "up", "--topics-only")
        self.start()
        self.collectors = [self.add("collect") for _ in range(self._roles_wanted["collect"])]
        self.loaders = [self.add("load") for _ in range(self._roles_wanted["load"])]
        self.deciders = [self.add("decide") for _ in range(self._roles_wanted["decide"])]
        return self

    def __exit__(self, *arguments: object) -> None:
        for role in self.collectors + self.loaders + self.deciders:
            if role.process is not None:
                role.signal(signal.SIGCONT)
            role.stop()
        super().__exit__(*arguments)

    def add(self, name: str, environment: Mapping[str, str] | None = None, host: Host = HERE) -> Role:
        """Starts one more `marquee NAME`; the caller keeps it (or it is killed with the others where it is in the lists)."""
        role = self._role(name, environment, host)
        role.start()
        return role

    def add_unready(self, name: str, environment: Mapping[str, str]) -> Role:
        """The same without waiting until it is ready."""
        role = self._role(name, environment)
        role.start(ready=False)
        return role

    def _role(self, name: str, environment: Mapping[str, str] | None, host: Host = HERE) -> Role:
        number = len(list(pathlib.Path(self.data_dir).glob(f"{name}-*.log"))) + 1
        log_path = os.path.join(self.data_dir, f"{name}-{number}.log")
        pathlib.Path(log_path).touch()
        return Role(name, {**self.environment, "MARQUEE_HTTP_LISTEN": host.address, **(environment or {})}, log_path, host)

    @property
    def url(self) -> str:
        return str(self.runtime["http_url"])

    def post_events(self, events: list[dict[str, object]], site: str = "campus", timeout: float = 30) -> Answer:
        """To one collector after the other."""
        self._turn += 1
        collector = self.collectors[self._turn % len(self.collectors)]
        return request(collector.url + "/v1/events", "POST", json.dumps(events).encode(),
                       {"Authorization": f"Bearer {self.runtime['write_keys'][site]}", "Content-Type": "application/json"}, timeout)

    def log_tail(self, lines: int = 30) -> str:
        text = super().log_tail(lines)
        for role in self.loaders + self.collectors + self.deciders:
            text += f"\n== {role.log_path}\n" + role.log_tail(lines)
        return text
