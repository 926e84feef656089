"""What Open Bandit Pipeline (obp 0.5.7) makes of the inputs that `marquee evaluate --dump` wrote. Prints JSON.

Run by the Python of tools/install-obp:
    obp_estimates.py estimates LOG.csv.gz DUMP uniform|dumped CLIP SWITCH     every estimator that both have
    obp_estimates.py thompson CAMPAIGN DRAWS                                  how often BernoulliTS shows an item at a place

obp's packages import torch, pandas and plots when they are imported. Its modules are imported here one by one, under
packages that hold only their path, with empty modules in the place of torch and pandas, which none of the functions that
are called uses.
"""

from __future__ import annotations

import csv
import gzip
import importlib
import json
import pathlib
import sys
import types

import numpy as np


def obp_module(name: str) -> types.ModuleType:
    root = next(pathlib.Path(p) / "obp" for p in sys.path if (pathlib.Path(p) / "obp/ope/estimators.py").exists())
    for package in ("obp", "obp.ope", "obp.policy"):
        if package not in sys.modules:
            module = types.ModuleType(package)
            module.__path__ = [str(root.joinpath(*package.split(".")[1:]))]  # type: ignore[attr-defined]
            sys.modules[package] = module
    for absent in ("torch", "pandas"):
        module = types.ModuleType(absent)
        module.tensor = module.Tensor = module.DataFrame = object  # type: ignore[attr-defined]
        sys.modules.setdefault(absent, module)
    return importlib.import_module(name)


def estimates(log: str, dump: str, policy: str, clip: float, switch: float) -> dict[str, float]:
    with gzip.open(log, "rt", encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    with open(dump, encoding="utf-8") as f:
        head, *decisions = (json.loads(line) for line in f)
    index = {ad: i for i, ad in enumerate(head["ads"])}
    action = np.array([index[row["item_id"]] for row in rows])
    position = np.array([int(row["position"]) - 1 for row in rows])
    n, n_actions, places = len(rows), len(head["ads"]), 3
    if policy == "uniform":
        table = np.full((n_actions, places), 1 / n_actions)
    else:
        table = np.full((n_actions, places), np.nan)
        table[action, position] = [one["target"] for one in decisions]
        assert not np.isnan(table).any(), "the log does not show every item at every place"
    q_hat = np.array(head["q_hat"])[[one["fold"] for one in decisions]].transpose(0, 2, 1)
    given = {
        "reward": np.array([int(row["click"]) for row in rows]),
        "action": action,
        "position": position,
        "pscore": np.array([float(row["propensity_score"]) for row in rows]),
        "action_dist": np.tile(table, (n, 1, 1)),
        "estimated_rewards_by_reg_model": q_hat,
    }
    ope = obp_module("obp.ope.estimators")
    estimators = {
        "ipw": ope.InverseProbabilityWeighting(),
        "clipped-ipw": ope.InverseProbabilityWeighting(lambda_=clip),
        "snipw": ope.SelfNormalizedInverseProbabilityWeighting(),
        "dm": ope.DirectMethod(),
        "dr": ope.DoublyRobust(),
        "sndr": ope.SelfNormalizedDoublyRobust(),
        "switch-dr": ope.SwitchDoublyRobust(lambda_=switch),
    }
    return {name: float(one.estimate_policy_value(**given)) for name, one in estimators.items()}


def thompson(campaign: str, draws: int) -> list[list[float]]:
    contextfree = obp_module("obp.policy.contextfree")
    items = {"all": 80, "men": 34, "women": 46}[campaign]
    policy = contextfree.BernoulliTS(n_actions=items, len_list=3, random_state=12345, is_zozotown_prior=True, campaign=campaign)
    return policy.compute_batch_action_dist(n_rounds=1, n_sim=draws)[0].tolist()


if __name__ == "__main__":
    if sys.argv[1] == "estimates":
        print(json.dumps(estimates(*sys.argv[2:5], float(sys.argv[5]), float(sys.argv[6]))))
    else:
        print(json.dumps(thompson(sys.argv[2], int(sys.argv[3]))))
