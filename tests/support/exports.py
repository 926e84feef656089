"""Reports that are exported, on random events with names that make trouble, and the table that each report's JSON comes to."""

from __future__ import annotations

import random
import time
from typing import Any

from tests.support.marquee import Marquee
from tests.support.reports import import_events, text_time

DAY = 86_400_000
BEGIN = (int(time.time()) // 86_400 - 5) * DAY
RANGE = {"from": text_time(BEGIN + DAY), "to": text_time(BEGIN + 3 * DAY)}

# Each would be a formula, a second cell, a second line, or another encoding to a program that reads CSV badly.
TROUBLE = ["law", '=HYPERLINK("http://x.example","a")', "+1", "-1", "@SUM(A1)", '"quoted", and more', "two\nlines", "Zürich 大学", "'apostrophe", " =1"]
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")

STEPS = [{"types": ["impression"]}, {"types": ["hover"], "optional": True}, {"types": ["click"]}]
# The report, and what it is asked for; a funnel by its whole definition.
REPORTS: list[tuple[str, dict[str, Any]]] = [
    ("ctr", {"by": "campaign_id,device"}), ("ctr", {"by": "position", "compare": "previous", **RANGE}),
    ("metrics", {"metrics": "impressions,ctr,spend,dwell", "by": "campaign_id"}), ("metrics", {"metrics": "ctr,reach"}),
    ("metrics", {"metrics": "clicks,viewability", "by": "hour,day,minute", "compare": "previous", **RANGE}),
    ("metrics", {"metrics": "clicks,reach", "by": "year_of_study", "sample": "0.5"}),
    ("campaigns", {"interval": "day"}), ("heatmap", {}), ("heatmap", {"mode": "page", "page": "home"}),
    ("searches", {}), ("paths", {"places": "2"}), ("retention", RANGE),
    ("funnel", {"steps": STEPS}), ("funnel", {"steps": STEPS, "by": "campaign_id", "compare": "previous", **RANGE}), ("funnel", {"steps": STEPS, "dropped_after": 1}),
    ("segments", {}), ("ctr", {"by": "segment"}),
]


def load(marquee: Marquee, seed: int) -> None:
    draw = random.Random(seed)
    types = ["impression", "viewable_impression", "hover", "click", "page_view", "search", "conversion"]
    import_events(marquee, [
        {"type": draw.choice(types), "session_id": f"x{number // 10}", "seq": number % 10 + 1, "event_time": BEGIN + draw.randrange(4 * DAY),
         "user_id": f"u{number // 20}", "consent": "full", "campaign_id": draw.choice(TROUBLE), "ad_id": "a", "slot_id": draw.choice(["top", "side"]), "position": draw.randrange(3),
         "page_id": draw.choice(["home", "course", *TROUBLE]), "page_x": draw.randrange(10_000), "page_y": draw.randrange(10_000), "device": draw.choice(["phone", ""]),
         "search_query": draw.choice(TROUBLE), "results_count": draw.randrange(2), "value": draw.randrange(9) / 4, "dwell_ms": draw.randrange(900), "year_of_study": draw.randrange(4)}
        for number in range(3000)])
    for title in TROUBLE[:4]:
        rule = {"types": ["click"], "filter": ["campaign_id=" + title.replace("\\", "\\\\").replace(",", "\\,")]}
        answer = marquee.api("/v1/segments", "POST", {"site": "campus", "title": title, "definition": {"kind": "rule", "rule": rule}})
        assert answer.status == 201, answer.body


def expected(kind: str, report: dict[str, Any]) -> tuple[list[str], list[list[Any]]]:
    """Names and cells of the report's table; times as the report has them."""
    return {"ctr": ctr, "metrics": metrics, "campaigns": campaigns, "heatmap": heatmap, "searches": searches, "paths": paths, "retention": retention,
            "funnel": funnel, "segments": segments}[kind](report)


def keys(by: list[str], values: list[str]) -> list[Any]:
    return [int(value) if name in ("position", "year_of_study") else value for name, value in zip(by, values, strict=True)]


COUNTS = ["impressions", "viewable_impressions", "clicks"]
RATES = ["ctr", "low", "high"]


def of(names: list[str], values: dict[str, Any]) -> list[Any]:
    return [values[name] for name in names]


def ctr(report: dict[str, Any]) -> tuple[list[str], list[list[Any]]]:
    compared = report["previous_total"] is not None
    columns = [*report["by"], *COUNTS, *RATES, "p_value", "false_discovery_rate", *([f"previous_{name}" for name in COUNTS + RATES] if compared else [])]
    return columns, [[*keys(report["by"], row["keys"]), *of([*COUNTS, *RATES, "p_value", "false_discovery_rate"], row),
                      *(of(COUNTS + RATES, row["previous"]) if compared else [])] for row in report["rows"]]


def metrics(report: dict[str, Any]) -> tuple[list[str], list[list[Any]]]:
    compared = report["total"]["previous"] is not None
    bounded = [report["sample"] is not None or name in ("ctr", "viewability") for name in report["metrics"]]
    columns = list(report["by"])
    for prefix in ("", "previous_") if compared else ("",):
        for name, has_bounds in zip(report["metrics"], bounded, strict=True):
            columns += [prefix + name, *([f"{prefix}{name}_low", f"{prefix}{name}_high"] if has_bounds else [])]
    rows = []
    for row in report["rows"] if report["by"] else [{**report["total"], "keys": []}]:
        cells = keys(report["by"], row["keys"])
        for period in ("values", "previous") if compared else ("values",):
            for i, has_bounds in enumerate(bounded):
                value = row[period][i] if row[period] else {}
                cells += [value.get(name) for name in (["value", "low", "high"] if has_bounds else ["value"])]
        rows.append(cells)
    return columns, rows


def campaigns(report: dict[str, Any]) -> tuple[list[str], list[list[Any]]]:
    return ["campaign_id", "campaign", "time", *COUNTS, *RATES], [
        [one["id"], one["name"], point["time"], *of(COUNTS + RATES, point)] for one in report["campaigns"] for point in one["points"]]


def heatmap(report: dict[str, Any]) -> tuple[list[str], list[list[Any]]]:
    names = ["slot", "x", "y", "impressions", "viewable_impressions", "hovers", "clicks", "ctr", "viewability"]
    return names, [of(names, cell) for cell in report["cells"]]


def searches(report: dict[str, Any]) -> tuple[list[str], list[list[Any]]]:
    names = ["term", "searches", "users", "without_results", "without_click"]
    return names, [of(names, term) for term in report["terms"]]


def paths(report: dict[str, Any]) -> tuple[list[str], list[list[Any]]]:
    nodes = report["nodes"]
    return ["step", "from", "to", "sessions"], [[nodes[link["from"]]["step"], nodes[link["from"]]["place"], nodes[link["to"]]["place"], link["sessions"]]
                                                for link in report["links"]]


def retention(report: dict[str, Any]) -> tuple[list[str], list[list[Any]]]:
    return ["cohort", "users", "interval", "back", "back_share"], [[cohort["time"], cohort["users"], i, back, back / cohort["users"]] for cohort in report["cohorts"]
                                                     for i, back in enumerate(cohort["back"])]


def segments(report: dict[str, Any]) -> tuple[list[str], list[list[Any]]]:
    titles = {one["id"]: one["title"] for one in report["segments"]}
    rows = [[one["id"], one["title"], None, None, one["size"], one["users"], one["share"], None, None, None] for one in report["segments"]]
    rows += [[one["a"], titles[one["a"]], one["b"], titles[one["b"]], None, one["users"], one["users"] / report["site_users"], one["share_of_a"], one["share_of_b"],
              one["jaccard"]] for one in report["overlaps"]]
    return ["segment", "title", "other", "other_title", "size", "users", "share_of_site", "share_of_segment", "share_of_other", "jaccard"], rows


def funnel(report: dict[str, Any]) -> tuple[list[str], list[list[Any]]]:
    if report["dropped"] is not None:
        return ["user_key"], [[key] for key in report["dropped"]["keys"]]
    times = ["from_previous", "from_first", "median_ms_from_previous", "p90_ms_from_previous"]
    by = [] if report["by"] is None else [report["by"]]
    compared = report["previous"] is not None
    rows = []
    for key, one in [("(all)", report), *((row["key"], row) for row in report["rows"])]:
        for i, step in enumerate(one["steps"]):
            named = report["steps"][i]
            rows.append([*([key] if by else []), i + 1, named["name"], named["is_optional"], step["users"],
                         *([one["previous"]["steps"][i]["users"]] if compared else []), *of(times, step)])
    return [*by, "step", "name", "is_optional", "users", *(["previous_users"] if compared else []), *times], rows
