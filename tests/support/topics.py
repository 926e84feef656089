"""Writes to and reads from topics as another producer or consumer does (Debian's python3-confluent-kafka)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import confluent_kafka

from tests.support.kafka import Cluster


@dataclasses.dataclass
class TopicMessage:
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: dict[str, bytes]


class TopicProducer:
    """Not thread safe. Messages are acknowledged by all replicas, and not sent again where that is not known to have failed."""

    def __init__(self, cluster: Cluster, topic: str) -> None:
        self._topic = topic
        self._producer = confluent_kafka.Producer({"bootstrap.servers": cluster.bootstrap, "enable.idempotence": True, "linger.ms": 2})
        self._sent: list[tuple[int, int]] = []

    def send(self, values: Sequence[bytes], partition: int = 0) -> list[int]:
        """The offsets of the messages, when all are acknowledged."""
        offsets: list[int] = []
        failures: list[object] = []

        def delivered(error: object, message: confluent_kafka.Message) -> None:
            if error is not None:
                failures.append(error)
            else:
                offsets.append(message.offset())

        for value in values:
            self._producer.produce(self._topic, value, partition=partition, on_delivery=delivered)
            self._producer.poll(0)
        self._producer.flush(60)
        if failures or len(offsets) != len(values):
            raise AssertionError(f"{self._topic}: {len(offsets)} of {len(values)} messages acknowledged: {failures[:3]}")
        return offsets


def read_topic(cluster: Cluster, topic: str, partitions: int = 1) -> list[TopicMessage]:
    """All that the topic holds now."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": "tests", "enable.auto.commit": False,
                                         "auto.offset.reset": "earliest"})
    try:
        messages: list[TopicMessage] = []
        for number in range(partitions):
            place = confluent_kafka.TopicPartition(topic, number, 0)
            low, high = consumer.get_watermark_offsets(place, timeout=30)
            place.offset = low
            consumer.assign([place])
            at = low
            while at < high:
                message = consumer.poll(30)
                if message is None:
                    raise AssertionError(f"{topic}: no message at offset {at} of {high}")
                if message.error() is not None:
                    raise AssertionError(f"{topic}: {message.error()}")
                at = message.offset() + 1
                messages.append(TopicMessage(message.partition(), message.offset(), message.key(), message.value() or b"",
                                             dict(message.headers() or [])))
        return messages
    finally:
        consumer.close()
