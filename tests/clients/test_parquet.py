"""Reports in Parquet, read by pyarrow: their types, and that they say what the JSON says."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import tempfile
import unittest
from typing import Any

from tests.clients.store import installed
from tests.e2e import test_exports as exports
from tests.support.exports import REPORTS, expected

READ = """
import json, sys
import pyarrow.parquet
for path in sys.argv[1:]:
    table = pyarrow.parquet.read_table(path)
    columns = table.to_pydict()
    print(json.dumps({"types": [str(field.type) for field in table.schema], "names": table.column_names,
                      "rows": [list(row) for row in zip(*columns.values())]}, default=str))
"""
TEXT, WHOLE, REAL, TRUTH, DAY, TIME = "string", "uint64", "double", "bool", "date32[day]", "timestamp[ms, tz=UTC]"
TYPES = {"impressions": WHOLE, "viewable_impressions": WHOLE, "clicks": WHOLE, "hovers": WHOLE, "x": WHOLE, "y": WHOLE, "searches": WHOLE, "users": WHOLE,
         "without_results": WHOLE, "without_click": WHOLE, "step": WHOLE, "sessions": WHOLE, "interval": WHOLE, "back": WHOLE, "previous_users": WHOLE,
         "previous_impressions": WHOLE, "previous_viewable_impressions": WHOLE, "previous_clicks": WHOLE, "position": WHOLE, "year_of_study": WHOLE,
         "campaign_id": TEXT, "campaign": TEXT, "device": TEXT, "slot": TEXT, "term": TEXT, "from": TEXT, "to": TEXT, "name": TEXT, "user_key": TEXT,
         "segment": TEXT, "title": TEXT, "other": TEXT, "other_title": TEXT, "size": WHOLE,
         "is_optional": TRUTH, "day": DAY, "time": TIME, "hour": TIME, "minute": TIME, "cohort": TIME}


def setUpModule() -> None:
    exports.setUpModule()


def tearDownModule() -> None:
    exports.tearDownModule()


def as_printed(value: Any, kind: str) -> Any:
    if kind != TIME or value is None:
        return value
    return value.replace("T", " ").replace(".000", "").removesuffix("Z") + "+00:00"


class Parquet(unittest.TestCase):
    def test_every_report_has_its_types_and_says_what_its_json_says(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            paths = []
            for i, (kind, asked) in enumerate(REPORTS):
                answer = exports.ask(kind, asked, "parquet")
                self.assertEqual((answer.status, answer.headers["content-type"]), (200, "application/vnd.apache.parquet"), answer.body[:500])
                paths.append(os.path.join(directory, f"{i}.parquet"))
                pathlib.Path(paths[-1]).write_bytes(answer.body)
            lines = subprocess.run([installed()["python"] + "/bin/python", "-c", READ, *paths], check=True, capture_output=True, text=True).stdout.splitlines()
        for line, (kind, asked) in zip(lines, REPORTS, strict=True):
            with self.subTest(kind=kind, asked=asked):
                got = json.loads(line)
                names, rows = expected(kind, exports.ask(kind, asked, "json").json())
                # Metrics may be estimates and shares: all of them are real numbers.
                types = [REAL if kind == "metrics" and name not in asked.get("by", "").split(",") else TYPES.get(name, REAL) for name in names]
                self.assertEqual((got["names"], got["types"]), (names, types))
                self.assertEqual(got["rows"], [[as_printed(cell, types[i]) for i, cell in enumerate(row)] for row in rows])


if __name__ == "__main__":
    unittest.main()
