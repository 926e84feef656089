"""Writes a feed's topic as its producer would, with Confluent's own client and serializers. Run by tests/support/feeds.py under the
Python of tools/install-test-tools; takes orders as lines of JSON and answers each with one.
"""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory


def unwrapped(value: Any) -> Any:
    """JSON's values, with {"$bytes": hex} as bytes."""
    if isinstance(value, dict):
        if set(value) == {"$bytes"}:
            return bytes.fromhex(value["$bytes"])
        return {k: unwrapped(v) for k, v in value.items()}
    return [unwrapped(v) for v in value] if isinstance(value, list) else value


class Worker:
    def __init__(self, bootstrap: str, registry: str) -> None:
        self.bootstrap = bootstrap
        self.registry = SchemaRegistryClient({"url": registry}) if registry else None
        self.producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5})
        self.transactional: dict[str, Producer] = {}
        self.serializers: dict[str, Any] = {}

    def make_topic(self, order: dict[str, Any]) -> None:
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        admin.create_topics([NewTopic(order["topic"], order["partitions"])])[order["topic"]].result()

    def register(self, order: dict[str, Any]) -> int:
        """Registers a schema under a subject, with references; its id."""
        references = [SchemaReference(r["name"], r["subject"], r["version"]) for r in order.get("references", [])]
        assert self.registry is not None
        return int(self.registry.register_schema(order["subject"], Schema(order["schema"], order["type"], references)))

    def serializer(self, order: dict[str, Any]) -> Any:
        key = json.dumps([order["topic"], order["format"], order.get("schema"), order.get("message")])
        if key not in self.serializers:
            self.serializers[key] = self.make_serializer(order)
        return self.serializers[key]

    def make_serializer(self, order: dict[str, Any]) -> Any:
        if order["format"] == "json":
            return lambda value, _: json.dumps(value).encode()
        if order["format"] == "json-schema":
            return JSONSerializer(order["schema"], self.registry)
        if order["format"] == "avro":
            references = [SchemaReference(r["name"], r["subject"], r["version"]) for r in order.get("references", [])]
            serialize = AvroSerializer(self.registry, Schema(order["schema"], "AVRO", references))
            return lambda value, context: serialize(unwrapped(value), context)
        files = descriptor_pb2.FileDescriptorSet.FromString(base64.b64decode(order["schema"]))
        pool = descriptor_pool.DescriptorPool()
        for file in files.file:
            pool.Add(file)
        kind = message_factory.GetMessageClass(pool.FindMessageTypeByName(order["message"]))
        to_bytes = ProtobufSerializer(kind, self.registry, {"use.deprecated.format": False})
        return lambda value, context: to_bytes(json_format.ParseDict(value, kind()), context)

    def produce(self, order: dict[str, Any]) -> int:
        """Each message has "value" (JSON, null) or "raw" (hex), and may have key, headers, partition, timestamp."""
        serialize = self.serializer(order)
        context = SerializationContext(order["topic"], MessageField.VALUE)
        errors: list[str] = []
        for message in order["messages"]:
            if "raw" in message:
                value = bytes.fromhex(message["raw"])
            else:
                value = None if message["value"] is None else serialize(message["value"], context)
            optional = {k: message[k] for k in ("key", "partition", "timestamp") if k in message}
            self.producer.produce(order["topic"], value, headers=message.get("headers"),
                                  on_delivery=lambda error, _: errors.append(str(error)) if error else None, **optional)
            self.producer.poll(0)
        self.producer.flush()
        if errors:
            raise RuntimeError(errors[0])
        return len(order["messages"])

    def open_transaction(self, order: dict[str, Any]) -> None:
        """Begins a transaction, writes, and leaves it open."""
        producer = Producer({"bootstrap.servers": self.bootstrap, "transactional.id": order["id"],
                             "transaction.timeout.ms": order["timeout_ms"]})
        producer.init_transactions()
        producer.begin_transaction()
        for message in order["messages"]:
            producer.produce(order["topic"], bytes.fromhex(message["raw"]), partition=message["partition"])
        producer.flush()
        self.transactional[order["id"]] = producer

    def consume(self, order: dict[str, Any]) -> list[dict[str, Any]]:
        """Everything that is in a partition of a topic and committed."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "test", "enable.auto.commit": False,
                             "enable.partition.eof": True, "isolation.level": "read_committed"})
        consumer.assign([TopicPartition(order["topic"], order["partition"], 0)])
        found = []
        while (message := consumer.poll(30)) is not None and message.error() is None:
            found.append({"key": (message.key() or b"").decode(errors="replace"), "value": (message.value() or b"").hex(),
                          "headers": {name: value.decode() for name, value in message.headers() or []}})
        consumer.close()
        return found


def main() -> None:
    worker = Worker(sys.argv[1], sys.argv[2])
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = {"done": getattr(worker, order["do"])(order)}
        except Exception as error:  # whatever it is, the test that gave the order shows it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
