"""The charts. Each function makes one kind of chart: its parameters for the editor, and the same question for the API."""

from __future__ import annotations

from deploy.superset import datasets
from deploy.superset.model import Chart, Condition, Dataset, Json

BLUE = {"r": 37, "g": 99, "b": 235, "a": 1}
SEQUENTIAL = "schemeBlues"


def _time_axis(dataset: Dataset, grain: str) -> Json:
    return {"columnType": "BASE_AXIS", "expressionType": "SQL", "label": dataset.time, "sqlExpression": dataset.time, "timeGrain": grain}


def _axis(column: str) -> Json:
    return {"columnType": "BASE_AXIS", "expressionType": "SQL", "label": column, "sqlExpression": column}


def number(name: str, description: str, metric: str, form: str, dataset: Dataset = datasets.DELIVERY, grain: str = "P1D") -> Chart:
    """The number of the whole range, and under it how it came about."""
    return Chart(name, description, "big_number", dataset, {
        "metric": metric, "x_axis": dataset.time, "time_grain_sqla": grain, "y_axis_format": form, "show_trend_line": True,
        "start_y_axis_at_zero": True, "color_picker": BLUE, "header_font_size": 0.4, "subheader_font_size": 0.15,
        "time_format": "smart_date", "rolling_type": "None", "aggregation": "raw", "compare_lag": None, "show_timestamp": False,
    }, {"columns": [_time_axis(dataset, grain)], "metrics": [metric]})


def table(name: str, description: str, dataset: Dataset, by: list[str], metrics: list[str], rows: int = 50) -> Chart:
    return Chart(name, description, "table", dataset, {
        "query_mode": "aggregate", "groupby": by, "metrics": metrics, "all_columns": [], "percent_metrics": [],
        "timeseries_limit_metric": metrics[0], "order_desc": True, "row_limit": rows, "server_page_length": 10, "table_timestamp_format": "smart_date",
        "show_cell_bars": True, "color_pn": False, "allow_rearrange_columns": False,
    }, {"columns": by, "metrics": metrics, "orderby": [[metrics[0], False]], "row_limit": rows})


def lines(name: str, description: str, dataset: Dataset, metric: str, by: list[str], form: str, grain: str = "P1D") -> Chart:
    return Chart(name, description, "echarts_timeseries_line", dataset, {
        "x_axis": dataset.time, "time_grain_sqla": grain, "metrics": [metric], "groupby": by, "row_limit": 10_000, "limit": 10,
        "timeseries_limit_metric": "total_impressions", "order_desc": True, "y_axis_format": form, "x_axis_time_format": "smart_date",
        "rich_tooltip": True, "show_legend": True, "legendType": "scroll", "legendOrientation": "top", "seriesType": "line",
        "markerEnabled": True, "markerSize": 4, "truncateYAxis": False, "rolling_type": None, "comparison_type": "values",
        "x_axis_sort_asc": True, "x_axis_title_margin": 15, "y_axis_title_margin": 15, "y_axis_title_position": "Left",
        "only_total": True, "tooltipTimeFormat": "smart_date", "forecastEnabled": False, "annotation_layers": [],
    }, {"columns": [_time_axis(dataset, grain), *by], "metrics": [metric], "series_columns": by, "is_timeseries": False})


def bars(name: str, description: str, dataset: Dataset, metric: str, by: str, form: str, rows: int = 20,
         conditions: tuple[Condition, ...] = ()) -> Chart:
    """The longest on top."""
    return Chart(name, description, "echarts_timeseries_bar", dataset, {
        "x_axis": by, "metrics": [metric], "groupby": [], "row_limit": rows, "order_desc": True, "orientation": "horizontal",
        "y_axis_format": form, "show_value": True, "show_legend": False, "rich_tooltip": True, "x_axis_sort": metric,
        "x_axis_sort_asc": True, "truncateYAxis": False, "truncateXAxis": True, "x_axis_title_margin": 30, "y_axis_title_margin": 30,
        "y_axis_title_position": "Left", "comparison_type": "values", "only_total": True, "annotation_layers": [],
        "xAxisForceCategorical": True,
    }, {"columns": [_axis(by)], "metrics": [metric], "orderby": [[metric, False]], "row_limit": rows}, conditions)


def heatmap(name: str, description: str, dataset: Dataset, x: str, y: str, metric: str, form: str, values: bool = True,
            conditions: tuple[Condition, ...] = ()) -> Chart:
    return Chart(name, description, "heatmap_v2", dataset, {
        "x_axis": x, "groupby": y, "metric": metric, "row_limit": 10_000, "sort_x_axis": "alpha_asc", "sort_y_axis": "alpha_desc",
        "normalize_across": "heatmap", "legend_type": "continuous", "linear_color_scheme": SEQUENTIAL, "xscale_interval": -1,
        "yscale_interval": -1, "left_margin": "auto", "bottom_margin": "auto", "value_bounds": [None, None], "y_axis_format": form,
        "x_axis_time_format": "smart_date", "show_legend": True, "show_percentage": False, "show_values": values,
    }, {"columns": [_axis(x), y], "metrics": [metric]}, conditions)


def funnel(name: str, description: str, which: str) -> Chart:
    """As bars: the labels of Superset's own funnel cannot be read on its colours."""
    return bars(name, description, datasets.JOURNEYS, "users", "step", datasets.COUNT, 10, (Condition("funnel", "==", which),))


CTR = number("CTR", "Clicks of an impression, of the whole range, and by day.", "ctr", datasets.PERCENT)
IMPRESSIONS = number("Impressions", "Ads that were rendered, and by day.", "total_impressions", datasets.COUNT)
CLICKS = number("Clicks", "Clicks on ads, and by day.", "total_clicks", datasets.COUNT)
VIEWABILITY = number("Viewability", "Share of impressions of which half was in view for a second, and by day.", "viewability", ".1%")
BY_CAMPAIGN = table("Campaigns", "Each campaign with the 95 % interval of its CTR: two whose intervals overlap may well be equal.",
                    datasets.DELIVERY, ["campaign_id"],
                    ["total_impressions", "total_clicks", "ctr", "ctr_low", "ctr_high", "viewability", "total_conversions", "conversion_rate"])
CTR_OVER_TIME = lines("CTR by campaign over time", "The ten campaigns with the most impressions.", datasets.DELIVERY, "ctr",
                      ["campaign_id"], datasets.PERCENT)
BY_COLLEGE = table("Colleges", "Each college with the 95 % interval of its CTR.", datasets.DELIVERY, ["college_id"],
                   ["total_impressions", "total_clicks", "ctr", "ctr_low", "ctr_high"])
CTR_BY_COLLEGE = bars("CTR by college", "Colleges with few impressions move by chance: see the intervals in the table beside it.",
                      datasets.DELIVERY, "ctr", "college_id", datasets.PERCENT)
COHORTS = heatmap("CTR by college and year of study", "Where a college's years answer differently.", datasets.COHORTS, "year_of_study",
                  "college_id", "ctr", datasets.PERCENT)
BY_PROGRAM = table("Programs", "Each program, with how many users its ads reached.", datasets.COHORTS, ["program"],
                   ["total_impressions", "reach", "total_clicks", "ctr", "ctr_low", "ctr_high"])
BY_DEVICE = bars("CTR by device", "Clicks of an impression.", datasets.COHORTS, "ctr", "device", datasets.PERCENT)
POSITION_CTR = heatmap("CTR by slot and position", "Which place in a slot earns clicks.", datasets.POSITIONS, "position", "slot_id", "ctr",
                       datasets.PERCENT)
CLICK_CELLS = heatmap("Where in a slot people click", "Clicks by twentieths of the slot's width and height, over all slots of the site.",
                      datasets.POSITIONS, "from_left", "from_top", "clicks", datasets.COUNT, values=False,
                      conditions=(Condition("event_type", "==", "click"), Condition("is_placed", "==", True)))
AD_FUNNEL = funnel("From impression to conversion", "Users of a day who saw an ad, clicked, converted, within 30 minutes.", "ad")
COURSE_FUNNEL = funnel("From search to course", "Users of a day who searched, opened a course, clicked in it, within 30 minutes.",
                       "course")
SEARCHES = table("Search terms", "What is searched for most, and how often nothing was found: courses to add, names to learn.",
                 datasets.SEARCHES, ["term"], ["searches", "searchers", "nothing_found"])

CHARTS = (CTR, IMPRESSIONS, CLICKS, VIEWABILITY, BY_CAMPAIGN, CTR_OVER_TIME, BY_COLLEGE, CTR_BY_COLLEGE, COHORTS, BY_PROGRAM, BY_DEVICE,
          POSITION_CTR, CLICK_CELLS, AD_FUNNEL, COURSE_FUNNEL, SEARCHES)
