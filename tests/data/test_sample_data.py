"""The shipped sample data is whole: counts taken straight from the files, by the standard library alone."""

import csv
import gzip
import pathlib
import unittest

DATA = pathlib.Path(__file__).resolve().parents[2] / "data"


def rows(path: str) -> list[dict[str, str]]:
    with gzip.open(DATA / path, "rt", encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


class SampleData(unittest.TestCase):
    def test_open_bandit_men_has_the_published_clicks(self) -> None:
        for policy, clicks in (("random", 46), ("bts", 69)):
            impressions = rows(f"open_bandit/{policy}/men/men.csv.gz")
            self.assertEqual(len(impressions), 10_000)
            self.assertEqual(sum(int(r["click"]) for r in impressions), clicks)

    def test_moodle_log_has_the_published_events(self) -> None:
        events = rows("moodle_edify/moodle_events.csv.gz")
        self.assertEqual(len(events), 64_422)
        self.assertEqual(sum(r["event_name"] == "Course viewed" for r in events), 22_027)


if __name__ == "__main__":
    unittest.main()
