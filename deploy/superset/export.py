"""Writes the importable directory: `python3 -m deploy.superset.export [DIRECTORY]` (default deploy/superset/assets).

`superset import-directory` and POST /api/v1/assets/import/ take it; `deploy/superset/load.py` sends it to a Superset with the address and
password of a store."""

from __future__ import annotations

import pathlib
import shutil
import sys

import yaml

from deploy.superset import charts, dashboard, datasets
from deploy.superset.model import VERSION, Json, identity

ASSETS = pathlib.Path(__file__).parent / "assets"
DATABASE = "Marquee"
DATABASE_FILE = f"databases/{DATABASE}.yaml"
# The reader may only ask.
ADDRESS = "clickhousedb://reader:XXXXXXXXXX@127.0.0.1:8123/marquee"


def _database() -> Json:
    return {"database_name": DATABASE, "sqlalchemy_uri": ADDRESS, "uuid": identity("database", DATABASE), "version": VERSION,
            "cache_timeout": 0, "expose_in_sqllab": True, "allow_run_async": False, "allow_ctas": False, "allow_cvas": False,
            "allow_dml": False, "allow_csv_upload": False, "extra": {"allows_virtual_table_explore": True, "cost_estimate_enabled": False}}


def _file_name(name: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in name)


def files() -> dict[str, Json]:
    """Each file of the export by its path."""
    out = {"metadata.yaml": {"version": VERSION, "type": "assets", "timestamp": "2026-01-01T00:00:00+00:00"}, DATABASE_FILE: _database(),
           f"dashboards/{dashboard.SLUG}.yaml": dashboard.export()}
    for dataset in datasets.DATASETS:
        out[f"datasets/{DATABASE}/{dataset.name}.yaml"] = dataset.export(DATABASE)
    for chart in charts.CHARTS:
        out[f"charts/{_file_name(chart.name)}.yaml"] = chart.export()
    return out


class _Dumper(yaml.SafeDumper):
    """SQL over several lines as a block, as a person would write it."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def text_of(content: Json) -> str:
    head = "# Made by python3 -m deploy.superset.export: change that.\n"
    return head + yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)


def write(directory: pathlib.Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    for path, content in files().items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text_of(content), encoding="utf-8")


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ASSETS)
