"""Events in the log's binary form, written independently of libs/event: version, bitmap of the fields present, the fields."""

from __future__ import annotations

import struct
from typing import Any

FIELDS = ["site_id", "session_id", "seq", "external_id", "event_time", "received_time", "type", "user_key", "college_id", "program", "city",
          "device", "os", "browser", "year_of_study", "is_bot", "consent", "page_id", "page_path", "referrer_host", "slot_id", "position",
          "viewport_width", "viewport_height", "scroll_depth", "x", "y", "page_x", "page_y", "campaign_id", "ad_id", "decision_id",
          "course_id", "search_query", "results_count", "dwell_ms", "visible_ms", "value", "propensity", "policy", "props"]
SIGNED = {"event_time", "received_time", "results_count"}
TYPES = ["", "page_view", "page_leave", "impression", "viewable_impression", "hover", "click", "scroll", "search", "course_view",
         "course_click", "conversion", "exposure", "custom"]


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def record(version: int = 1, **fields: Any) -> bytes:
    """One event. Text may be bytes, which need not be UTF-8; type is a name."""
    bits = 0
    body = bytearray()
    for index, name in enumerate(FIELDS):
        if name not in fields:
            continue
        value = fields[name]
        bits |= 1 << index
        if name == "is_bot":
            continue
        if name == "type":
            body += varint(TYPES.index(value))
        elif name == "value":
            body += struct.pack("<d", value)
        elif name == "propensity":
            body += struct.pack("<f", value)
        elif name in SIGNED:
            body += varint(value * 2 if value >= 0 else -value * 2 - 1)
        elif isinstance(value, int):
            body += varint(value)
        else:
            text = value.encode() if isinstance(value, str) else value
            body += varint(len(text)) + text
    return bytes([version]) + varint(bits) + bytes(body)
