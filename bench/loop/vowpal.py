"""Vowpal Wabbit's contextual bandits (cb_explore_adf), told what Marquee is told. Needs the Python of tools/install-vowpal."""

from __future__ import annotations

from typing import Any

from vowpalwabbit import Workspace

from bench.loop.baselines import Baseline
from bench.loop.world import Impression, World

# All features of the request with all of the ad, and whether the page is of the ad's category; costs are -1 for a click.
COMMON = "--cb_explore_adf --quiet -q SA -b 20 --cb_type mtr"
SETTINGS = {
    **{f"squarecb gamma_scale={gamma} l={rate}": f"--squarecb --gamma_scale {gamma} -l {rate}" for gamma in (100, 1000, 10000) for rate in (0.5,)},
    **{f"epsilon={epsilon} l={rate}": f"--epsilon {epsilon} -l {rate}" for epsilon in (0.02, 0.05) for rate in (0.5, 0.1)},
}
REQUEST = ("college_id", "program", "year_of_study", "city", "device", "page_id", "course_category")
HOUR_MS = 3_600_000


class Vowpal(Baseline):
    """Slot by slot from what is left; the slot is a feature of the request."""

    def __init__(self, world: World, seed: int, setting: str) -> None:
        super().__init__(world, seed)
        self.workspace = Workspace(f"{COMMON} {SETTINGS[setting]} --random_seed {seed}")
        self.lines = [f"|A ad={ad.id} campaign={ad.campaign} category={ad.category} advertiser={ad.advertiser}" for ad in world.ads]

    def line(self, ad: int, visit: dict[str, Any]) -> str:
        return self.lines[ad] + (" |M match" if self.world.ads[ad].category == visit.get("course_category") else "")

    @staticmethod
    def shared(visit: dict[str, Any]) -> str:
        features = [f"{name}={visit[name]}" for name in REQUEST if name in visit]
        features += [f"term={word}" for word in visit.get("query", "").split()]
        features.append(f"hour={visit['time'] // HOUR_MS % 24}")
        return "shared |S " + " ".join(features)

    def choose(self, visits: list[dict[str, Any]]) -> list[list[Impression]]:
        return [self.slate_of(visit) for visit in visits]

    def slate_of(self, visit: dict[str, Any]) -> list[Impression]:
        left, slate = list(visit["eligible"]), []
        shared = self.shared(visit)
        for slot in range(self.world.slots):
            shared_here = f"{shared} slot={slot}"
            lines = [self.line(ad, visit) for ad in left]
            chances = self.workspace.predict("\n".join((shared_here, *lines)))
            place = self.random.choices(range(len(left)), chances)[0]
            # Learned later, when the click could have come.
            slate.append(Impression(visit, slot, left[place], (shared_here, lines, place, chances[place])))
            del left[place]
        return slate

    def learn(self, impression: Impression, is_clicked: bool) -> None:
        shared, lines, place, chance = impression.handle
        lines[place] = f"0:{-int(is_clicked)}:{chance} {lines[place]}"
        self.workspace.learn("\n".join((shared, *lines)))
        impression.handle = None
