"""The kinds of panels that the dashboards are made of: sizes, colours and units in one place."""

from __future__ import annotations

from grafana_foundation_sdk.builders import bargauge, common, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog import builder as cogbuilder
from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models.dashboard import (DashboardCursorSync, DashboardLinkType, DataSourceRef, DataTransformerConfig, DynamicConfigValue, FieldColorModeId,
                                                     Threshold, ThresholdsMode)

from deploy.grafana.queries import STORE, StoreQuery

# Grafana's own names of units: short counts (12.3 K), proportions of 1, seconds, bytes.
COUNT, PERCENT, SECONDS, BYTES, RATE, EXACT = "short", "percentunit", "s", "bytes", "cps", "locale"

Query = cogbuilder.Builder[variants.Dataquery]


def thresholds(*steps: tuple[float | None, str]) -> builders.ThresholdsConfig:
    """From (None, colour) upwards."""
    return builders.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps([Threshold(value=value, color=color) for value, color in steps])


NEUTRAL = thresholds((None, "blue"))


def _unit_of(unit: str) -> list[DynamicConfigValue]:
    return [DynamicConfigValue(id_val="unit", value=unit), *([DynamicConfigValue(id_val="decimals", value=2)] if unit == PERCENT else [])]


def number(title: str, description: str, query: Query, unit: str, width: int = 6, levels: builders.ThresholdsConfig = NEUTRAL,
           source: DataSourceRef = STORE, decimals: int | None = None) -> stat.Panel:
    panel = (stat.Panel().title(title).description(description).datasource(source).with_target(query).unit(unit).span(width).height(4)
             .thresholds(levels).color_mode(looks.BigValueColorMode.VALUE).graph_mode(looks.BigValueGraphMode.NONE)
             .justify_mode(looks.BigValueJustifyMode.CENTER).reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
             .no_value("none"))
    return panel if decimals is None else panel.decimals(decimals)


def series(title: str, description: str, queries: list[Query], unit: str, width: int = 12, height: int = 8, least: str = "1h",
           source: DataSourceRef = STORE, is_bars: bool = False, is_stacked: bool = False) -> timeseries.Panel:
    """`least`: the shortest step that the source has."""
    panel = (timeseries.Panel().title(title).description(description).datasource(source).targets(queries).unit(unit).span(width).height(height)
             .interval(least).min(0).line_width(2).fill_opacity(60 if is_bars else 8).show_points(looks.VisibilityMode.AUTO)
             .draw_style(looks.GraphDrawStyle.BARS if is_bars else looks.GraphDrawStyle.LINE)
             .legend(common.VizLegendOptions().display_mode(looks.LegendDisplayMode.LIST).placement(looks.LegendPlacement.BOTTOM)
                     .show_legend(True).calcs([]))
             .tooltip(common.VizTooltipOptions().mode(looks.TooltipDisplayMode.MULTI).sort(looks.SortOrder.DESCENDING)))
    if is_stacked:
        panel = panel.stacking(common.StackingConfig().mode(looks.StackingMode.NORMAL).group("A"))
    return panel


def rows(title: str, description: str, sql: str, units: dict[str, str], width: int = 12, height: int = 9, sort_by: str | None = None,
         gauge: str | None = None) -> table.Panel:
    """A table; `units` by column; the column `gauge` is drawn as a bar."""
    panel = (table.Panel().title(title).description(description).datasource(STORE).with_target(StoreQuery(sql)).span(width).height(height)
             .cell_height(looks.TableCellHeight.SM).show_header(True))
    for column, unit in units.items():
        look = [DynamicConfigValue(id_val="custom.cellOptions", value={"type": "gauge", "mode": "basic", "valueDisplayMode": "text"})] if column == gauge else []
        panel = panel.override_by_name(column, [*_unit_of(unit), *look])
    if sort_by is not None:
        panel = panel.sort_by([common.TableSortByFieldState().display_name(sort_by).desc(True)])
    return panel


def matrix(title: str, description: str, sql: str, columns: str, lines: str, value: str, unit: str, width: int = 12, height: int = 10) -> table.Panel:
    """A table of `value` by `lines` and `columns`, each cell in the colour of its value."""
    panel = (table.Panel().title(title).description(description).datasource(STORE).with_target(StoreQuery(sql)).span(width).height(height)
             .cell_height(looks.TableCellHeight.SM).show_header(True).unit(unit)
             .color_scheme(builders.FieldColor().mode(FieldColorModeId.CONTINUOUS_BL_YL_RD)).min(0)
             .with_transformation(DataTransformerConfig(id_val="groupingToMatrix", options={
                 "columnField": columns, "rowField": lines, "valueField": value, "emptyValue": "null"}))
             .override_by_field_type("number", [DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-background", "mode": "basic"})]))
    return panel.decimals(2) if unit == PERCENT else panel


def bars(title: str, description: str, query: Query, unit: str, width: int = 12, height: int = 9) -> bargauge.Panel:
    """A bar for each row of the answer: its first column names it, its second is how long it is."""
    panel = (bargauge.Panel().title(title).description(description).datasource(STORE).with_target(query).unit(unit).span(width).height(height).min(0)
             .orientation(looks.VizOrientation.HORIZONTAL).display_mode(looks.BarGaugeDisplayMode.GRADIENT).show_unfilled(True)
             .thresholds(NEUTRAL).reduce_options(common.ReduceDataOptions().values(True).limit(25).calcs(["lastNotNull"])))
    return panel.decimals(2) if unit == PERCENT else panel


def dashboard(uid: str, title: str, description: str, time: str, refresh: str) -> builders.Dashboard:
    return (builders.Dashboard(title).uid(uid).description(description).tags(["marquee"]).time(time, "now").refresh(refresh).timezone("browser")
            .tooltip(DashboardCursorSync.CROSSHAIR).readonly()
            .link(builders.DashboardLink("Marquee").type(DashboardLinkType.DASHBOARDS).tags(["marquee"]).as_dropdown(True).include_vars(True).keep_time(True)))
