"""Starts a Marquee with the sample data and runs tests/browser/console.test.mjs on it."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.support.marquee import ROOT, Marquee


def main() -> int:
    with Marquee() as marquee:
        marquee.run("import", "open-bandit", str(ROOT / "data/open_bandit"))
        marquee.run("import", "moodle", str(ROOT / "data/moodle_edify/moodle_events.csv.gz"))
        environment = {**os.environ, "MARQUEE_URL": marquee.url, "MARQUEE_TOKEN": marquee.runtime["admin_token"],
                       "MARQUEE_WRITE_KEY": marquee.runtime["write_keys"]["campus"]}
        return subprocess.run(["node", str(ROOT / "tests/browser/console.test.mjs")], env=environment, timeout=600).returncode


if __name__ == "__main__":
    sys.exit(main())
