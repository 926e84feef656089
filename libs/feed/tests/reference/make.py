"""Makes avro.jsonl: random Avro schemas, values encoded by fastavro, and what they are as JSON by the rules of docs/feeds.md.

    $(tools/install-test-tools --where | tail -1)/bin/python libs/feed/tests/reference/make.py >libs/feed/tests/reference/avro.jsonl

Each line: {"schema": ..., "bytes": hex, "json": ...}. The seed is fixed, so that the file only changes with this one or fastavro.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import io
import json
import random
import string
import struct
import uuid
from typing import Any

import fastavro

CASES = 300


class Generator:
    """Draws schemas, and for a schema values with their JSON."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.names = 0

    def name(self) -> str:
        self.names += 1
        return f"N{self.names}"

    def schema(self, depth: int) -> Any:
        simple = ["null", "boolean", "int", "long", "float", "double", "bytes", "string", "date", "time-millis", "time-micros",
                  "timestamp-millis", "timestamp-micros", "decimal", "fixed-decimal", "uuid", "enum", "fixed"]
        kind = self.draw.choice(simple + (["record", "array", "map", "union", "optional"] * 3 if depth > 0 else []))
        logical = {"date": "int", "time-millis": "int", "time-micros": "long", "timestamp-millis": "long", "timestamp-micros": "long"}
        if kind in logical:
            return {"type": logical[kind], "logicalType": kind}
        if kind == "decimal":
            return {"type": "bytes", "logicalType": "decimal", "precision": 30, "scale": self.draw.choice([0, 2, 9])}
        if kind == "fixed-decimal":
            return {"type": "fixed", "name": self.name(), "size": 12, "logicalType": "decimal", "precision": 20, "scale": 4}
        if kind == "uuid":
            return {"type": "string", "logicalType": "uuid"}
        if kind == "enum":
            return {"type": "enum", "name": self.name(), "namespace": self.draw.choice(["", "a.b"]), "symbols": ["A", "B", "C"]}
        if kind == "fixed":
            return {"type": "fixed", "name": self.name(), "size": self.draw.randrange(1, 20)}
        if kind == "record":
            return {"type": "record", "name": self.name(), "fields": [{"name": f"f{i}", "type": self.schema(depth - 1)}
                                                                      for i in range(self.draw.randrange(0, 6))]}
        if kind == "array":
            return {"type": "array", "items": self.schema(depth - 1)}
        if kind == "map":
            return {"type": "map", "values": self.schema(depth - 1)}
        if kind == "optional":
            while self.is_union_or_null(inner := self.schema(depth - 1)):
                pass
            return ["null", inner]
        return ["null", "string", {"type": "array", "items": self.schema(depth - 1)}] if kind == "union" else kind

    @staticmethod
    def is_union_or_null(schema: Any) -> bool:
        return isinstance(schema, list) or schema == "null"

    def text(self) -> str:
        return "".join(self.draw.choices(string.printable + "äß漢🎓\u0001", k=self.draw.randrange(0, 12)))

    def value(self, schema: Any) -> tuple[Any, Any]:
        """What fastavro is given, and what it is as JSON."""
        draw = self.draw
        if isinstance(schema, list):
            branch = draw.choice(schema)
            return self.value(branch)
        kind = schema if isinstance(schema, str) else schema["type"]
        logical = None if isinstance(schema, str) else schema.get("logicalType")
        if logical is not None:
            return self.logical(schema, logical)
        if kind == "null":
            return None, None
        if kind == "boolean":
            return (draw.random() < 0.5,) * 2
        if kind in ("int", "long"):
            bits = draw.randrange(1, 32 if kind == "int" else 64)
            return (draw.randrange(-(1 << (bits - 1)), 1 << (bits - 1)),) * 2
        if kind == "float":
            return (struct.unpack("<f", struct.pack("<f", draw.randrange(-100_000, 100_000) / 8))[0],) * 2
        if kind == "double":
            return (draw.uniform(-1, 1) * 10 ** draw.randrange(-20, 20),) * 2
        if kind in ("bytes", "fixed"):
            content = draw.randbytes(schema["size"] if kind == "fixed" else draw.randrange(0, 12))
            return content, base64.b64encode(content).decode()
        if kind == "string":
            return (self.text(),) * 2
        if kind == "enum":
            return (draw.choice(schema["symbols"]),) * 2
        if kind == "array":
            items = [self.value(schema["items"]) for _ in range(draw.randrange(0, 4))]
            return [item[0] for item in items], [item[1] for item in items]
        if kind == "map":
            entries = {self.text(): self.value(schema["values"]) for _ in range(draw.randrange(0, 4))}
            return {k: v[0] for k, v in entries.items()}, {k: v[1] for k, v in entries.items()}
        assert kind == "record", kind
        fields = {f["name"]: self.value(f["type"]) for f in schema["fields"]}
        return {k: v[0] for k, v in fields.items()}, {k: v[1] for k, v in fields.items()}

    def logical(self, schema: dict[str, Any], logical: str) -> tuple[Any, Any]:
        draw = self.draw
        if logical == "date":
            day = datetime.date(1, 1, 1) + datetime.timedelta(days=draw.randrange(0, 3_000_000))
            return day, day.isoformat()
        if logical in ("time-millis", "time-micros"):
            micros = draw.randrange(0, 86_400_000_000)
            if logical == "time-millis":
                micros -= micros % 1000
            time = (datetime.datetime.min + datetime.timedelta(microseconds=micros)).time()
            return time, micros // 1000
        if logical in ("timestamp-millis", "timestamp-micros"):
            micros = draw.randrange(-10 ** 15, 4 * 10 ** 15)
            if logical == "timestamp-millis":
                micros -= micros % 1000
            time = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(microseconds=micros)
            return time, micros // 1000
        if logical == "decimal":
            digits = draw.randrange(1, schema["precision"] + 1)
            number = decimal.Decimal(draw.randrange(-(10 ** digits) + 1, 10 ** digits)).scaleb(-schema["scale"])
            return number, float(number)
        assert logical == "uuid", logical
        identifier = uuid.UUID(int=draw.getrandbits(128))
        return str(identifier), str(identifier)


def main() -> None:
    decimal.getcontext().prec = 60
    generator = Generator(1)
    for _ in range(CASES):
        schema = generator.schema(3)
        while isinstance(schema, str):
            schema = generator.schema(3)
        value, expected = generator.value(schema)
        encoded = io.BytesIO()
        fastavro.schemaless_writer(encoded, fastavro.parse_schema(json.loads(json.dumps(schema))), value)
        print(json.dumps({"schema": schema, "bytes": encoded.getvalue().hex(), "json": expected}))


if __name__ == "__main__":
    main()
