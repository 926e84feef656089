"""Writes what Grafana reads: `python -m deploy.grafana.export [DIRECTORY]` (default deploy/grafana), by the Python of tools/install-bi.

    dashboards/*.json                    one per dashboard
    provisioning/alerting/marquee.json   the alert rules"""

from __future__ import annotations

import json
import pathlib
import sys
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana import alerts, campaigns, operations, pages

HERE = pathlib.Path(__file__).parent
DASHBOARDS = (campaigns.live, campaigns.cohorts, pages.positions, pages.funnel, operations.pipeline, operations.store)


def _text(value: object) -> str:
    return json.dumps(value, cls=JSONEncoder, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _as_later_grafanas_have_it(dashboard: dict[str, Any]) -> dict[str, Any]:
    """The builders write for Grafana 10 and later; what later ones have given up is left out, so that it is valid for all of them."""
    dashboard.pop("style", None)
    for variable in dashboard.get("templating", {}).get("list", []):
        for key in ("id", "auto", "auto_min", "auto_count"):
            variable.pop(key, None)
    for number, panel in enumerate(dashboard["panels"], 1):
        panel["id"] = number
        panel["options"].pop("footer", None)
    return dashboard


def files() -> dict[str, str]:
    out = {}
    for build in DASHBOARDS:
        dashboard = _as_later_grafanas_have_it(json.loads(_text(build().build())))
        out[f"dashboards/{dashboard['uid']}.json"] = _text(dashboard)
    rules = [json.loads(_text(rule.build())) for rule in alerts.rules()]
    for rule in rules:
        # In a file the group says what the API's rule says itself.
        for key in ("ruleGroup", "folderUID", "orgID"):
            rule.pop(key, None)
        for query in rule["data"]:
            query["model"]["refId"] = query["refId"]
    out["provisioning/alerting/marquee.json"] = _text({"apiVersion": 1, "groups": [
        {"orgId": 1, "name": "marquee", "folder": alerts.FOLDER, "interval": "1m", "rules": rules}]})
    return out


def main() -> None:
    directory = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    for name, text in files().items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
