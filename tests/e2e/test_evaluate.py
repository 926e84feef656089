"""`marquee evaluate` as people run it: on the Open Bandit logs beside obp's own estimators, and on logs of one's own."""

from __future__ import annotations

import functools
import json
import math
import pathlib
import subprocess
import tempfile
import unittest
from typing import Any

from tests.support.marquee import BINARY, ROOT

DATA = ROOT / "data/open_bandit"


def evaluate(*arguments: str | pathlib.Path, status: int = 0) -> str:
    result = subprocess.run([BINARY, "evaluate", *map(str, arguments)], capture_output=True, text=True, timeout=300)
    if result.returncode != status:
        raise AssertionError(f"evaluate ended with {result.returncode}, not {status}:\n{result.stdout}\n{result.stderr}")
    return result.stdout if status != 1 else result.stderr


def log_of(policy: str, campaign: str) -> pathlib.Path:
    return DATA / policy / campaign / f"{campaign}.csv.gz"


@functools.cache
def obp_python() -> str:
    subprocess.run([str(ROOT / "tools/install-obp")], check=True)
    where = subprocess.run([str(ROOT / "tools/install-obp"), "--where"], check=True, capture_output=True, text=True)
    return where.stdout.strip() + "/bin/python"


def obp(*arguments: str | pathlib.Path) -> Any:
    script = ROOT / "tests/support/obp_estimates.py"
    result = subprocess.run([obp_python(), str(script), *map(str, arguments)], capture_output=True, text=True, timeout=600)
    if result.returncode != 0:
        raise AssertionError(f"obp: {result.stderr}")
    return json.loads(result.stdout)


class OpenBandit(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="marquee-evaluate-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def agrees_with_obp(self, logged: str, campaign: str, policy: str, clip: float) -> dict[str, Any]:
        """Every estimate is obp's from the same inputs; the report."""
        log, dump = log_of(logged, campaign), self.directory / "dump.ndjson"
        report: dict[str, Any] = json.loads(evaluate(log, "--policy", policy, "--clip", str(clip), "--switch", str(clip),
                                                     "--dump", dump, "--format", "json", "--force"))
        theirs = obp("estimates", log, dump, "uniform" if policy == "uniform" else "dumped", str(clip), str(clip))
        ours = {one["estimator"]: one for one in report["estimates"]}
        self.assertEqual(sorted(ours), sorted(theirs))
        for name, value in theirs.items():
            self.assertLess(abs(ours[name]["value"] - value), 1e-9, name)
            self.assertTrue(math.isfinite(value), name)
        # Clipping and switching did something, or the comparison of theirs says nothing.
        self.assertNotEqual(ours["clipped-ipw"]["value"], ours["ipw"]["value"])
        self.assertNotEqual(ours["switch-dr"]["value"], ours["dr"]["value"])
        return report

    def test_uniform_from_the_bts_log_of_men_agrees_with_obp_and_with_the_random_log(self) -> None:
        report = self.agrees_with_obp("bts", "men", "uniform", clip=1)
        self.assertTrue(report["trusted"])
        self.assertEqual((report["decisions"], report["ads"], report["positions"]), (10_000, 34, 3))
        # Means by item and position, drawn to the mean, are too high for what this log rarely shows; the log says so itself.
        self.assertEqual([one["estimator"] for one in report["estimates"] if not one["trusted"]], ["dm"])
        random = json.loads(evaluate(log_of("random", "men"), "--policy", "uniform", "--format", "json"))
        self.assertAlmostEqual(random["logged_value"], 0.0046, 12)
        self.assertAlmostEqual(random["estimates"][0]["value"], 0.0046, 12)
        for one in report["estimates"]:
            if one["estimator"] in ("ipw", "snipw", "dr", "sndr"):
                spread = math.hypot(one["standard_error"], random["logged_standard_error"])
                self.assertLess(abs(one["value"] - 0.0046), 3 * spread, one["estimator"])

    def test_uniform_from_the_bts_log_of_women_is_refused(self) -> None:
        arguments = (log_of("bts", "women"), "--policy", "uniform", "--format", "json")
        refused = json.loads(evaluate(*arguments, status=2))
        self.assertFalse(refused["trusted"])
        self.assertIsNone(refused["estimates"])
        self.assertAlmostEqual(refused["effective_decisions"], 2.0778, 3)
        for reason in ("count as 2.08 under this policy", "only 0.0208 % of the decisions", "one decision has 69.4 % of the weight"):
            self.assertTrue(any(reason in refusal for refusal in refused["refusals"]), refused["refusals"])
        table = evaluate(*arguments[:3], status=2)
        self.assertIn("REFUSED", table)
        self.assertNotIn("snipw", table)

    def test_uniform_from_the_bts_log_of_women_agrees_with_obp_when_forced_and_is_marked(self) -> None:
        report = self.agrees_with_obp("bts", "women", "uniform", clip=1)
        self.assertFalse(report["trusted"])
        self.assertEqual({one["trusted"] for one in report["estimates"]}, {False})
        table = evaluate(log_of("bts", "women"), "--policy", "uniform", "--force")
        self.assertIn("UNTRUSTED", table)
        self.assertIn("snipw", table)

    def test_bts_from_the_random_logs_agrees_with_obp(self) -> None:
        for campaign in ("men", "women"):
            with self.subTest(campaign):
                report = self.agrees_with_obp("random", campaign, "bts", clip=1)
                self.assertTrue(report["trusted"], report["refusals"])

    def test_bts_shows_items_as_often_as_obps_does(self) -> None:
        draws = 20_000
        for campaign in ("men", "women"):
            theirs = obp("thompson", campaign, draws)
            dump = self.directory / "bts.ndjson"
            evaluate(log_of("random", campaign), "--policy", "bts", "--dump", dump, "--format", "json")
            lines = [json.loads(line) for line in dump.read_text().splitlines()]
            ours = {(int(one["ad_id"]), int(one["position"]) - 1): one["target"] for one in lines[1:]}
            self.assertEqual(len(ours), 3 * len(theirs))
            for (item, place), p in ours.items():
                error = math.sqrt(p * (1 - p) / draws)
                self.assertLess(abs(theirs[item][place] - p), 5 * error + 2 / draws, (campaign, item, place))

    def test_bootstrap_is_the_same_with_the_same_seed(self) -> None:
        arguments = (log_of("bts", "men"), "--policy", "uniform", "--bootstrap", "50", "--format", "json", "--seed")
        self.assertEqual(evaluate(*arguments, "4"), evaluate(*arguments, "4"))
        self.assertNotEqual(evaluate(*arguments, "4"), evaluate(*arguments, "5"))


class OwnLogs(unittest.TestCase):
    """200 decisions, half of them law's; the ad "a" is clicked by law alone, "b" by nobody. Both are shown with 1/2."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="marquee-evaluate-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def write(self, name: str, text: str) -> pathlib.Path:
        path = self.directory / name
        path.write_text(text)
        return path

    def decisions(self) -> list[tuple[str, str, int]]:
        return [("ab"[i % 2], ("law", "arts")[i // 2 % 2], int(i % 4 == 0)) for i in range(200)]

    def policy(self) -> pathlib.Path:
        only = {ad: {"weights": {ad: 1}} for ad in "ab"}
        rules = [{"when": {"college": "law"}, "then": only["a"]}]
        return self.write("policy.json", json.dumps({"rules": rules, "otherwise": only["b"]}))

    def check(self, log: pathlib.Path, policy: str | pathlib.Path) -> None:
        report = json.loads(evaluate(log, "--policy", policy, "--format", "json"))
        values = {one["estimator"]: one["value"] for one in report["estimates"]}
        # Law sees "a" and clicks each time; arts see "b".
        self.assertAlmostEqual(values["ipw"], 0.5, 12)
        self.assertAlmostEqual(values["snipw"], 0.5, 12)
        self.assertAlmostEqual(report["logged_value"], 0.25, 12)
        self.assertAlmostEqual(report["effective_decisions"], 100, 9)

    def test_rules_on_csv(self) -> None:
        rows = "".join(f"{ad},1,{reward},0.5,{college}\n" for ad, college, reward in self.decisions())
        self.check(self.write("log.csv", "ad_id,position,reward,propensity,college\n" + rows), self.policy())

    def test_rules_on_ndjson_with_candidates(self) -> None:
        candidates = [{"ad_id": ad, "propensity": 0.5} for ad in "ab"]
        rows = ({"ad_id": ad, "reward": reward, "context": {"college": college}, "candidates": candidates}
                for ad, college, reward in self.decisions())
        self.check(self.write("log.ndjson", "\n".join(map(json.dumps, rows))), self.policy())

    def test_a_policy_that_was_computed_elsewhere(self) -> None:
        rows = ({"ad_id": ad, "reward": reward, "candidates": [
                    {"ad_id": one, "propensity": 0.5, "target": int((one == "a") == (college == "law"))} for one in "ab"]}
                for ad, college, reward in self.decisions())
        self.check(self.write("scored.ndjson", "\n".join(map(json.dumps, rows))), "target")

    def test_what_is_wrong_is_named_and_ends_with_status_1(self) -> None:
        log = self.write("log.csv", "ad_id,position,reward,propensity\na,1,0,0.5\nb,1,0,0\n")
        self.assertIn("log.csv: line 3: propensity: 0 is not above 0", evaluate(log, "--policy", "uniform", status=1))
        self.assertIn("cannot open", evaluate(self.directory / "none.csv", "--policy", "uniform", status=1))
        good = self.write("good.csv", "ad_id,position,reward,propensity\n" + "a,1,0,0.5\nb,1,0,0.5\n" * 9)
        self.assertIn("no candidates with a target", evaluate(good, "--policy", "target", status=1))
        self.assertIn("cannot read the policy", evaluate(good, "--policy", self.directory / "none.json", status=1))
        bad = self.write("bad.json", '{"weights": {"a": "x"}}')
        self.assertIn("bad.json: policy.weights.a", evaluate(good, "--policy", bad, status=1))


if __name__ == "__main__":
    unittest.main()
