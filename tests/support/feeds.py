"""What feeds are tested with: a real schema registry, and a producer with Confluent's own client and serializers."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
from typing import Any

from tests.support.kafka import Cluster, KafkaMarquee
from tests.support.marquee import ROOT, request, wait_until
from tests.support.ports import free_port
from tests.support.processes import send_to


def tools() -> tuple[str, str]:
    """The registry's directory and the producer's Python; installed where they are missing."""
    subprocess.run([str(ROOT / "tools/install-test-tools")], check=True)
    where = subprocess.run([str(ROOT / "tools/install-test-tools"), "--where"], check=True, capture_output=True, text=True)
    registry, python = where.stdout.split()
    return registry, python


class Registry:
    """Apicurio, which speaks Confluent's REST interface. It keeps its schemas in memory. A context manager."""

    def __init__(self) -> None:
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}/apis/ccompat/v7"
        self._process: subprocess.Popen[bytes] | None = None
        self._directory = tempfile.mkdtemp(prefix="marquee-registry-")

    def __enter__(self) -> Registry:
        home, _ = tools()
        with open(os.path.join(self._directory, "log"), "ab") as log:
            self._process = subprocess.Popen(
                ["java", "-Xmx300m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar",
                 os.path.join(home, "apicurio-registry-app-2.6.13.Final-runner.jar")], stdout=log, stderr=log, cwd=self._directory,
                env={**os.environ, "QUARKUS_HTTP_HOST": "127.0.0.1", "QUARKUS_HTTP_PORT": str(self._port)})
        wait_until(self._answers, 120, "the schema registry")
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        send_to(self._process, number)

    def _answers(self) -> bool:
        try:
            return request(self.url + "/subjects", timeout=5).status == 200
        except OSError:
            return False


class FeedProducer:
    """Another producer, in a process of its own. A context manager. Every method waits until it is done."""

    def __init__(self, cluster: Cluster, registry: Registry | None = None) -> None:
        _, python = tools()
        self._process = subprocess.Popen(
            [os.path.join(python, "bin/python"), str(ROOT / "tests/support/feed_producer.py"), cluster.bootstrap,
             registry.url if registry else ""], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def __enter__(self) -> FeedProducer:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def _order(self, **order: Any) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"the producer ended with {self._process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["done"]

    def make_topic(self, topic: str, partitions: int = 3) -> None:
        self._order(do="make_topic", topic=topic, partitions=partitions)

    def produce(self, topic: str, messages: list[dict[str, Any]], form: str = "json", schema: str = "", **more: Any) -> None:
        self._order(do="produce", topic=topic, messages=messages, format=form, schema=schema, **more)

    def register(self, subject: str, schema: str, form: str, references: list[dict[str, Any]] | None = None) -> int:
        return int(self._order(do="register", subject=subject, schema=schema, type=form, references=references or []))

    def open_transaction(self, topic: str, raw: list[tuple[int, bytes]], name: str, timeout_ms: int) -> None:
        self._order(do="open_transaction", topic=topic, id=name, timeout_ms=timeout_ms,
                    messages=[{"partition": partition, "raw": value.hex()} for partition, value in raw])

    def consume(self, topic: str, partition: int = 0) -> list[dict[str, Any]]:
        """Everything that is committed there."""
        return list(self._order(do="consume", topic=topic, partition=partition))


def compile_protos(files: dict[str, str], main: str) -> str:
    """Their FileDescriptorSet, as base64."""
    with tempfile.TemporaryDirectory() as directory:
        for name, text in files.items():
            path = os.path.join(directory, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(text)
        out = os.path.join(directory, "out")
        subprocess.run(["protoc", f"--proto_path={directory}", "--include_imports", f"--descriptor_set_out={out}", main], check=True)
        with open(out, "rb") as file:
            return base64.b64encode(file.read()).decode()


def feed(name: str, topic: str, form: str, fields: str = "\n      type: {constant: click}", registry: str = "") -> str:
    """One feed of the feeds file."""
    access = f"\n    schema_registry: {{url: '{registry}'}}" if registry else ""
    return f"  - name: {name}\n    topic: {topic}\n    format: {form}{access}\n    site: campus\n    fields:{fields}\n"


def with_feeds(marquee: KafkaMarquee, *feeds: str) -> KafkaMarquee:
    """The same Marquee, which reads these feeds once it is started."""
    path = os.path.join(marquee.data_dir, "feeds.yaml")
    with open(path, "w") as file:
        file.write("feeds:\n" + "".join(feeds))
    marquee.environment["MARQUEE_FEEDS_FILE"] = path
    return marquee


def feed_status(marquee: KafkaMarquee, name: str) -> dict[str, Any]:
    """Summed over the loaders."""
    total: dict[str, Any] = {"events": 0, "dead_letters": 0, "ignored": 0, "lag_messages": 0, "partitions": 0, "last_error": ""}
    for loader in marquee.loaders:
        for one in loader.get("/v1/loader").json()["feeds"]:
            if one["name"] == name:
                for key in ("events", "dead_letters", "ignored", "lag_messages"):
                    total[key] += one[key]
                total["partitions"] += len(one["partitions"])
                total["last_error"] = total["last_error"] or one["last_error"]
    return total
