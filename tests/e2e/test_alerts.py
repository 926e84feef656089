"""The alert rules: promtool takes them, each is seen to fire, says what to do, and is in the README.

That what they name is exported: test_pipeline.py. That a real Prometheus sees by them: tests/faults/test_pipeline.py.
"""

from __future__ import annotations

import unittest

import yaml

from tests.support.prometheus import RULES, promtool, rules

TESTS = RULES.with_name("marquee.rules.test.yaml")


class RulesTest(unittest.TestCase):
    def test_promtool_takes_the_rules_and_their_unit_tests_pass(self) -> None:
        for arguments in (("check", "rules", str(RULES)), ("test", "rules", str(TESTS))):
            done = promtool(*arguments)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_rule_says_what_to_do_and_is_seen_to_fire(self) -> None:
        tests = [one for test in yaml.safe_load(TESTS.read_text())["tests"] for one in test["alert_rule_test"]]
        fired = {one["alertname"] for one in tests if one["exp_alerts"]}
        for rule in rules():
            with self.subTest(rule["alert"]):
                self.assertIn(rule["labels"]["severity"], ("warning", "critical"))
                self.assertGreater(len(rule["annotations"]["summary"]), 20)
                self.assertGreater(len(rule["annotations"]["description"]), 60)
                self.assertIn(rule["alert"], fired)
        self.assertEqual(len({rule["alert"] for rule in rules()}), len(rules()))

    def test_the_readme_names_every_alert(self) -> None:
        readme = RULES.with_name("README.md").read_text()
        for rule in rules():
            self.assertIn(f"`{rule['alert']}`", readme)


if __name__ == "__main__":
    unittest.main()
