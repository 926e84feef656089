"""kill -9 of `marquee load --from` at random moments, while events come and land. The tables are then as they were or as they
should be, and a rewind that runs to its end brings back what was lost before.

    python3 -m unittest -v tests.faults.test_rewind        (MARQUEE_REWIND_KILLS=12, MARQUEE_REWIND_SEED=random)
"""

from __future__ import annotations

import os
import random
import subprocess
import time
import unittest

from tests.support.kafka import Cluster, KafkaMarquee
from tests.support.ledger import Ledger, Writer, assert_exactly_once
from tests.support.marquee import BINARY, wait_until
from tests.support.rewind import double, lose, rewind, start_load

KILLS = int(os.environ.get("MARQUEE_REWIND_KILLS", "12"))
SEED = int(os.environ.get("MARQUEE_REWIND_SEED", random.SystemRandom().randrange(1_000_000)))


class KilledRewind(unittest.TestCase):
    def kill_some(self, marquee: KafkaMarquee, draw: random.Random, kills: int, seconds: float) -> int:
        """Returns how many were cut off: the rest had ended before."""
        cut = 0
        for _ in range(kills):
            process = subprocess.Popen([BINARY, "load", "--quiet", "--from", "start"], env=marquee.environment,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(draw.uniform(0.1, seconds))  # the random moment itself
            process.kill()
            cut += process.wait() < 0
        return cut

    def test_leaves_everything_as_it_was_or_as_it_should_be(self) -> None:
        print(f"{KILLS} kills, seed {SEED}", flush=True)
        draw = random.Random(SEED)
        with Cluster() as cluster, KafkaMarquee(cluster, loaders=2) as marquee:
            ledger = Ledger()
            writers = start_load(marquee, ledger, SEED, 500)
            seconds = 1.2 * float(rewind(marquee, "start")["seconds"])
            # On tables that are whole: whichever of old and new a kill leaves, it is whole.
            cut = self.kill_some(marquee, draw, KILLS // 2, seconds)
            for writer in writers:
                writer.finish()
                self.assertIsNone(writer.failure)
            assert_exactly_once(marquee, ledger, 120)

            writers = [Writer(marquee, ledger, f"v{i}", SEED + 10 + i, days=3) for i in range(2)]
            for writer in writers:
                writer.start()
            lose(marquee, draw, seconds=2)
            double(marquee, draw, seconds=2)
            cut += self.kill_some(marquee, draw, KILLS - KILLS // 2, seconds)
            rewind(marquee, "start")
            for writer in writers:
                writer.finish()
                self.assertIsNone(writer.failure)
            assert_exactly_once(marquee, ledger, 120)
            wait_until(lambda: marquee.count("SELECT count() FROM system.databases WHERE startsWith(name, 'marquee_re')") == 0, 30,
                       "what was left to be cleared")
        self.assertGreater(cut, KILLS // 3, "too few were cut off to show anything")


if __name__ == "__main__":
    unittest.main()
