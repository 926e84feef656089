"""The dashboard: the numbers first, the charts under them, filters by site, time and campaign."""

from __future__ import annotations

import dataclasses

from deploy.superset import charts, datasets
from deploy.superset.model import VERSION, Chart, Dataset, Json, identity

TITLE = "Marquee: campaigns"
SLUG = "marquee-campaigns"
_COLUMNS = 12


@dataclasses.dataclass(frozen=True)
class Row:
    """Charts side by side, with how many of the dashboard's twelve columns each takes; height in units of 8 pixels."""

    height: int
    charts: tuple[tuple[Chart, int], ...]


@dataclasses.dataclass(frozen=True)
class Section:
    title: str
    rows: tuple[Row, ...]


SECTIONS = (
    Section("How are my campaigns doing?", (
        Row(26, ((charts.CTR, 3), (charts.CLICKS, 3), (charts.IMPRESSIONS, 3), (charts.VIEWABILITY, 3))),
        Row(46, ((charts.BY_CAMPAIGN, 7), (charts.CTR_OVER_TIME, 5))))),
    Section("Who clicks?", (
        Row(50, ((charts.CTR_BY_COLLEGE, 6), (charts.BY_COLLEGE, 6))),
        Row(50, ((charts.COHORTS, 6), (charts.BY_PROGRAM, 6))))),
    Section("Where do they click?", (
        Row(70, ((charts.POSITION_CTR, 5), (charts.CLICK_CELLS, 4), (charts.BY_DEVICE, 3))),)),
    Section("What do they come for?", (
        Row(46, ((charts.AD_FUNNEL, 4), (charts.COURSE_FUNNEL, 4), (charts.SEARCHES, 4))),)),
)


def _element(kind: str, name: str, children: list[str], parents: list[str], **meta: object) -> Json:
    return {"id": name, "type": kind, "children": children, "parents": parents, **({"meta": meta} if meta else {})}


def position() -> Json:
    """Superset's layout: rows in a grid, charts in rows."""
    elements: Json = {}
    rows: list[str] = []
    above = ["ROOT_ID", "GRID_ID"]
    for number, section in enumerate(SECTIONS):
        title = f"HEADER-{number}"
        elements[title] = _element("HEADER", title, [], above, text=section.title, headerSize="MEDIUM_HEADER",
                                   background="BACKGROUND_TRANSPARENT")
        rows.append(title)
        for index, row in enumerate(section.rows):
            if sum(width for _, width in row.charts) != _COLUMNS:
                raise ValueError(f"a row of \"{section.title}\" does not fill {_COLUMNS} columns")
            name = f"ROW-{number}-{index}"
            inside = [f"CHART-{identity('chart', chart.name)[:8]}" for chart, _ in row.charts]
            elements[name] = _element("ROW", name, inside, above, background="BACKGROUND_TRANSPARENT")
            for child, (chart, width) in zip(inside, row.charts, strict=True):
                elements[child] = _element("CHART", child, [], [*above, name], chartId=0, uuid=identity("chart", chart.name),
                                           sliceName=chart.name, width=width, height=row.height)
            rows.append(name)
    return {"DASHBOARD_VERSION_KEY": "v2", "ROOT_ID": {"id": "ROOT_ID", "type": "ROOT", "children": ["GRID_ID"]},
            "GRID_ID": _element("GRID", "GRID_ID", rows, ["ROOT_ID"]), "HEADER_ID": {"id": "HEADER_ID", "type": "HEADER", "meta": {"text": TITLE}},
            **elements}


def _filter(name: str, kind: str, description: str, targets: list[Json], control: Json, cascade: list[str] | None = None) -> Json:
    # requiredFirst: charts wait for the first item that is chosen by itself; without it they show the sum over all sites beside its name.
    return {"requiredFirst": bool(control.get("defaultToFirstItem")), "id": f"NATIVE_FILTER-{name.lower()}", "name": name, "filterType": kind, "description": description, "type": "NATIVE_FILTER",
            "targets": targets, "controlValues": control, "cascadeParentIds": cascade or [], "defaultDataMask": {"extraFormData": {}, "filterState": {}},
            "scope": {"rootPath": ["ROOT_ID"], "excluded": []}}


def _values_of(column: str, dataset: Dataset = datasets.DELIVERY) -> list[Json]:
    return [{"column": {"name": column}, "datasetUuid": identity("dataset", dataset.name)}]


def filters() -> list[Json]:
    # One site at a time, as in Marquee's own reports: the sum over sites is nobody's figure.
    one = {"enableEmptyFilter": True, "defaultToFirstItem": True, "multiSelect": False, "searchAllOptions": True, "inverseSelection": False}
    many = {"enableEmptyFilter": False, "defaultToFirstItem": False, "multiSelect": True, "searchAllOptions": True, "inverseSelection": False}
    return [_filter("Site", "filter_select", "The site that shows the ads", _values_of("site_id"), one),
            _filter("Time", "filter_time", "Range of time (UTC)", [{}], {"enableEmptyFilter": False}),
            _filter("Campaign", "filter_select", "None selected: all", _values_of("campaign_id"), many, ["NATIVE_FILTER-site"])]


def export() -> Json:
    return {"dashboard_title": TITLE, "slug": SLUG, "description": "Delivery, CTR with intervals, positions, funnels, searches.",
            "css": "", "certified_by": None, "certification_details": None, "published": True, "uuid": identity("dashboard", TITLE),
            "position": position(), "version": VERSION,
            "metadata": {"native_filter_configuration": filters(), "color_scheme": "supersetColors", "cross_filters_enabled": True,
                         "refresh_frequency": 0, "expanded_slices": {}, "timed_refresh_immune_slices": [], "label_colors": {},
                         "shared_label_colors": [], "default_filters": "{}", "chart_configuration": {}}}
