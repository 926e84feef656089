"""Starts a Marquee and runs the tests of marquee.js (tests/browser/sdk_*.test.mjs) on it."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.support.marquee import ROOT, Marquee

TESTS = ("sdk_events.test.mjs", "sdk_ads.test.mjs", "sdk_privacy.test.mjs")


def on_sdk() -> int:
    with Marquee() as marquee:
        environment = {**os.environ, "MARQUEE_URL": marquee.url, "MARQUEE_TOKEN": marquee.runtime["admin_token"],
                       "MARQUEE_STORE_URL": marquee.runtime["store_url"], "MARQUEE_STORE_USER": marquee.runtime["store_user"],
                       "MARQUEE_STORE_PASSWORD": marquee.runtime["store_password"]}
        failed = 0
        for test in TESTS:
            # A part of a check's name runs that check alone.
            failed |= subprocess.run(["node", str(ROOT / "tests/browser" / test), *sys.argv[1:]], env=environment, timeout=300).returncode
        return failed


if __name__ == "__main__":
    sys.exit(on_sdk())
