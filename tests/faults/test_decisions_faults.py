"""What breaks while ads are decided: always an eligible ad or a clear empty answer, and no limit exceeded beyond its bound.

    python3 -m unittest -v tests.faults.test_decisions_faults
"""

from __future__ import annotations

import collections
import collections.abc
import pathlib
import signal
import time
import unittest
from typing import Any

from tests.support.deciders import FULL, AdSite, Crowd, campaign
from tests.support.kafka import Cluster, KafkaMarquee
from tests.support.marquee import Marquee, wait_until

# Why a placement may be empty.
CLEAR = {"no_candidate", "not_ready", "not_logged", "unknown_slot"}
CROWDS = 3


class Crowds:
    """Several at once, each of so many users; afterwards what they were told is looked at."""

    def __init__(self, site: AdSite, users: collections.abc.Sequence[int] = (10_000,) * CROWDS) -> None:
        self.all = [Crowd(site, seed, users=count) for seed, count in enumerate(users)]

    def __enter__(self) -> Crowds:
        for one in self.all:
            one.start()
        self.more()
        return self

    def __exit__(self, *_: object) -> None:
        for one in self.all:
            one.finish()
        told = {why for one in self.all for why in one.empty}
        assert told <= CLEAR, told

    def served(self) -> list[tuple[str, str, str]]:
        return [one for crowd in self.all for one in crowd.served]

    def shown(self) -> list[tuple[str, str, str]]:
        return [one for crowd in self.all for one in crowd.shown]

    def empty(self) -> list[str]:
        return [why for crowd in self.all for why in crowd.empty]

    def more(self, answers: int = 100) -> None:
        before = len(self.served()) + len(self.empty())
        wait_until(lambda: len(self.served()) + len(self.empty()) >= before + answers, 60, f"{answers} more answers")

    def more_served(self, ads: int = 50, since: int | None = None) -> None:
        """Than now, or than there were then."""
        before = len(self.served()) if since is None else since
        wait_until(lambda: len(self.served()) >= before + ads, 60, f"{ads} more ads")


class Alone(unittest.TestCase):
    """One process, its own log and store."""

    def test_the_store_may_hang_and_die_while_ads_are_served(self) -> None:
        with Marquee() as marquee:
            site = AdSite(marquee, [marquee.url], campaign("law", 2))
            with Crowds(site) as crowds:
                self.assertTrue(marquee.signal_store(signal.SIGSTOP))
                crowds.more_served(300)
                self.assertTrue(marquee.signal_store(signal.SIGKILL))
                crowds.more_served(300)
            self.assertEqual(crowds.empty(), [])
            wait_until(lambda: _has(site.decisions, len(crowds.served())), 120, "every decision to land")
            wait_until(lambda: _has(lambda: site.count("event_type = 'impression'"), len(crowds.shown())), 120, "every impression to land")
            self.assertEqual(site.decisions(), len(crowds.served()))
            self.assertEqual(site.count("event_type = 'impression'"), len(crowds.shown()))

    def test_a_catalog_that_changes_at_full_load_serves_nothing_ineligible(self) -> None:
        elsewhere = {"targeting": {"field": "page", "in": ["exam"]}, "tier": "sponsorship"}
        with Marquee() as marquee:
            site = AdSite(marquee, [marquee.url], campaign("law", 2), campaign("art"), campaign("exam", **elsewhere),
                          campaign("draft", status="draft", tier="sponsorship"))
            with Crowds(site) as crowds:
                for turn in range(30):
                    site.put(campaign("art", status="paused" if turn % 2 else "active"))
                    site.put(campaign("exam", 1 + turn % 3, **elsewhere))
                    site.put(campaign("draft", 1 + turn % 3, status="draft", tier="sponsorship"))
                site.put(campaign("art", status="paused"))
                wait_until(lambda: not any(site.ask(marquee.url)["ad"]["id"].startswith("art") for _ in range(20)), 20, "the pause")
                # Of each what it had asked for by then, and one that was on its way.
                before = [len(crowd.served) + 1 for crowd in crowds.all]
                crowds.more_served(200)
            for crowd, count in zip(crowds.all, before, strict=True):
                self.assertNotIn("art-0", {ad for _, ad, _ in crowd.served[count:]})
            self.assertEqual(crowds.empty(), [])
            self.assertEqual({ad for _, ad, _ in crowds.served()}, {"law-0", "law-1", "art-0"})
            wait_until(lambda: _has(site.decisions, len(crowds.served())), 60, "every decision to land")

    def test_without_a_model_or_with_a_damaged_one_ads_are_served_all_the_same(self) -> None:
        with Marquee() as marquee:
            site = AdSite(marquee, [marquee.url], campaign("law", 3))
            self.assertTrue(site.ask(marquee.url)["ad"])
            model = pathlib.Path(marquee.data_dir, "decisions", "model")
            for spoil in (lambda: model.unlink(missing_ok=True), lambda: model.write_bytes(b"no model")):
                marquee.stop()
                spoil()
                marquee.start()
                site.urls = [marquee.url]
                site.wait_served(marquee.url)
                with Crowds(site) as crowds:
                    crowds.more_served()
                self.assertEqual({ad for _, ad, _ in crowds.served()}, {"law-0", "law-1", "law-2"})


def _has(look: collections.abc.Callable[[], int], wanted: int) -> bool:
    """A store that is away has none."""
    try:
        return look() >= wanted
    except (AssertionError, OSError):
        return False


class Together(unittest.TestCase):
    """Two deciders over Kafka."""

    cluster: Cluster

    @classmethod
    def setUpClass(cls) -> None:
        cls.cluster = Cluster()
        cls.enterClassContext(cls.cluster)

    def test_kill_9_under_load_exceeds_no_limit_beyond_its_bound(self) -> None:
        last, cap = 1_000, 4
        with KafkaMarquee(self.cluster, collectors=0, deciders=2) as marquee:
            def law(budget: int) -> dict[str, Any]:
                return campaign("law", 2, budget={"total": {"impressions": budget}},
                                caps=[{"scope": "campaign", "count": cap, "window": "1h"}])

            site = AdSite(marquee, [one.url for one in marquee.deciders], law(1_000_000))
            # Few, who come to their caps at once, and many, of whom hardly one does: who comes back takes a while, and others serve on.
            with Crowds(site, users=(100, 100_000, 100_000)) as crowds:
                for turn in range(4):
                    crowds.more_served(100)
                    self._kill(marquee, crowds, site, turn % 2)
                # What was counted before counts: only so much more may come, and the last kill is on the way to it.
                budget = len(crowds.shown()) + last
                site.put(law(budget))
                crowds.more_served(100)
                self._kill(marquee, crowds, site, 0)
                wait_until(lambda: crowds.all[-1].empty[-20:] == ["no_candidate"] * 20, 120, "the budget to be spent")
            # What is shown counts. What was served and could not be, as who was asked to show it was away, stays reserved: of the budget, too.
            print(f"{len(crowds.shown())} impressions of a budget of {budget}, {len(crowds.served())} ads")
            self.assertLessEqual(len(crowds.shown()), budget + last // 2)
            self.assertGreaterEqual(len(crowds.served()), budget - last // 2, "much of the budget is not served")
            of_user = collections.Counter(user for user, _, _ in crowds.shown())
            self.assertGreaterEqual(max(of_user.values()), cap, "nobody came to a cap")
            self.assertLessEqual(max(of_user.values()), 2 * cap)
            self.assertEqual({ad for _, ad, _ in crowds.served()}, {"law-0", "law-1"})
            served = {decision for _, _, decision in crowds.served()}
            # How many there are says nothing: who was killed has logged some that it never served.
            wait_until(lambda: served <= self._landed(marquee, site), 120, "all that was served to be in the log")

    @staticmethod
    def _landed(marquee: KafkaMarquee, site: AdSite) -> set[str]:
        return {row[0] for row in marquee.rows(f"SELECT decision_id FROM marquee.decisions FINAL WHERE site_id = '{site.id}'")}

    @staticmethod
    def _kill(marquee: KafkaMarquee, crowds: Crowds, site: AdSite, place: int) -> None:
        """And has it come back, while the other serves."""
        victim = marquee.deciders[place]
        victim.kill()
        crowds.more(100)
        victim.start()
        site.urls[place] = victim.url

    def test_while_kafka_is_away_answers_are_empty_and_afterwards_nothing_is_exceeded(self) -> None:
        budget = 1_000
        with KafkaMarquee(self.cluster, collectors=0, deciders=2) as marquee:
            site = AdSite(marquee, [one.url for one in marquee.deciders], campaign("law", 2, budget={"total": {"impressions": budget}}))
            with Crowds(site) as crowds:
                crowds.more_served(100)
                self.cluster.signal(0, signal.SIGSTOP)
                try:
                    for decider in marquee.deciders:
                        wait_until(lambda decider=decider: not decider.is_ready(), 30, "them to be of no use")
                    began = time.monotonic()
                    self.assertIn(site.ask(marquee.deciders[0].url, user_id="u", **FULL)["because"], CLEAR)
                    self.assertLess(time.monotonic() - began, 10, "kafka.acknowledge is ten seconds: nobody waits so long for an ad")
                    before = len(crowds.served())
                finally:
                    self.cluster.signal(0, signal.SIGCONT)
                for decider in marquee.deciders:
                    wait_until(decider.is_ready, 60, "them to be of use again")
                crowds.more_served(100, since=before)  # The first of them may have spent all by now.
                wait_until(lambda: crowds.all[0].empty[-20:] == ["no_candidate"] * 20, 120, "the budget to be spent")
            self.assertLessEqual(len(crowds.shown()), budget + budget // 2)
            self.assertLessEqual(site.count("event_type = 'impression'"), budget + budget // 2)


if __name__ == "__main__":
    unittest.main()
