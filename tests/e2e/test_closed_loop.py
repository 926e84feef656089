"""A short closed loop in a world whose truth is known: Marquee over HTTP, in the environment's time, beside the uniform policy and the oracle."""

from __future__ import annotations

import subprocess
import unittest

from bench.loop import baselines
from bench.loop.served import ENVIRONMENT, SITE, Served
from bench.loop.world import Run, World, play
from tests.support.marquee import BINARY, Marquee, wait_until

VISITS, SEED = 6_000, 1
AT_ONCE_MS = 600_000  # Few visits are many moments: with more of them at a time the week is shorter.


class Loop(unittest.TestCase):
    def test_marquee_learns_the_environment_over_http_and_its_events_have_the_environments_times(self) -> None:
        runs = {}
        with World("calibrated", SEED, VISITS) as world:
            runs["uniform"] = play(world, baselines.Uniform(world, SEED), Run("calibrated", SEED, "uniform"), AT_ONCE_MS)
        with World("calibrated", SEED, VISITS) as world:
            runs["oracle"] = play(world, baselines.Oracle(world, SEED), Run("calibrated", SEED, "oracle"), AT_ONCE_MS)
        with World("calibrated", SEED, VISITS) as world, Marquee(ENVIRONMENT) as marquee:
            served = Served(world, marquee)
            served.put_campaigns()
            run = runs["marquee"] = play(world, served, Run("calibrated", SEED, "marquee"), AT_ONCE_MS)
            served.close()
            shown = run.total().shown
            where = f"FROM marquee.events WHERE site_id = '{SITE}'"
            wait_until(lambda: marquee.count(f"SELECT count() {where} AND event_type = 'impression'") == shown, 60, "the impressions to land")
            first, last, days = next(iter(marquee.rows(f"SELECT toDate(min(event_time)), toDate(max(event_time)), uniqExact(toDate(event_time)) {where}")))
            self.assertEqual((first, last, days), ("2026-03-02", "2026-03-08", "7"))
            # Clicks of the last minutes are still to come when the week ends.
            self.assertAlmostEqual(marquee.count(f"SELECT count() {where} AND event_type = 'click'"), run.total().clicks, delta=5)
        self.assertAlmostEqual(runs["uniform"].rate(), 0.011, delta=0.0005)
        self.assertEqual(runs["uniform"].total().shown, shown)
        # By true chances, which have no luck in them but that of which ads were shown.
        self.assertGreater(runs["marquee"].rate(3.5), 1.25 * runs["uniform"].rate(3.5))
        self.assertGreater(runs["oracle"].rate(), runs["marquee"].rate())
        # Of visits that were decided together some are of one student, whom the first has tired.
        self.assertAlmostEqual(runs["oracle"].total().best / runs["oracle"].total().chance, 1, delta=0.01)

    def test_an_environment_that_there_is_not_is_answered_with_those_that_there_are(self) -> None:
        result = subprocess.run([BINARY, "simulate", "--environment", "calm"], capture_output=True, text=True, timeout=60)
        self.assertNotEqual(result.returncode, 0)
        for name in ("calibrated", "drifting", "many-new-ads", "position-heavy", "cold"):
            self.assertIn(name, result.stderr)


if __name__ == "__main__":
    unittest.main()
