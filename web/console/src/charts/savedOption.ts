// The picture of a saved report: of any report, as its table says.
import type { EChartsCoreOption } from 'echarts/core';
import type { Cell, ReportChart, ReportTable } from '../api/saved';
import { format } from '../i18n/format';
import { cellText } from '../i18n/savedMessages';
import type { ChartKind } from './Chart';
import { axisText, axisTooltip, tooltipHtml, tooltipStyle } from './common';
import { seriesColor, type Palette } from './palette';

const LINES = 8;
const BARS = 30;
const GRID = 100;
const BAR_HEIGHT = 30;
const DAY_SECONDS = 86_400;

interface Drawing {
  readonly table: ReportTable;
  readonly chart: ReportChart;
  readonly palette: Palette;
}

export interface Picture {
  readonly kind: ChartKind;
  readonly option: EChartsCoreOption;
  readonly height: number;
  /** Of several lines. */
  readonly legend?: readonly { readonly name: string; readonly color: string }[];
}

type Row = readonly Cell[];

function text(table: ReportTable, row: Row, column: number): string {
  return cellText(row[column] ?? null, table.columns[column]?.type ?? 'text');
}

function label({ table, chart }: Drawing, row: Row): string {
  return chart.labels.map((column) => text(table, row, column)).join(' · ');
}

function number(cell: Cell | undefined): number | null {
  return typeof cell === 'number' ? cell : null;
}

function valueText({ table, chart }: Drawing, value: number | null): string {
  return cellText(value, table.columns[chart.value]?.type ?? 'real');
}

function valueAxis({ table, chart, palette }: Drawing) {
  const isShare = table.columns[chart.value]?.type === 'share';
  return {
    type: 'value',
    axisLabel: { ...axisText(palette), formatter: (tick: number) => (isShare ? format.axisRate(tick) : format.compact(tick)), hideOverlap: true },
    splitLine: { lineStyle: { color: palette.line } },
  };
}

function drawnRows({ table, chart }: Drawing): readonly Row[] {
  return table.rows.slice(0, chart.rows);
}

interface AxisPoint {
  readonly seriesName: string;
  readonly seriesIndex: number;
  readonly value: readonly [number, number | null];
}

type Point = [time: number, value: number | null];

/** A point without value where some are missing: a line across would say that there was something. */
function withBreaks(points: Point[]): Point[] {
  points.sort((a, b) => a[0] - b[0]);
  const step = Math.min(...points.slice(1).map((point, index) => point[0] - (points[index]?.[0] ?? 0)));
  return points.flatMap((point, index): Point[] => {
    const before = points[index - 1];
    return before !== undefined && point[0] - before[0] > step ? [[before[0] + step, null], point] : [point];
  });
}

function linesPicture(drawing: Drawing): Picture {
  const { chart, palette } = drawing;
  const lines = new Map<string, Point[]>();
  for (const row of drawnRows(drawing)) {
    const name = label(drawing, row);
    const points = lines.get(name) ?? [];
    points.push([Date.parse(String(row[chart.x])), number(row[chart.value])]);
    lines.set(name, points);
  }
  const sum = (points: readonly Point[]) => points.reduce((total, point) => total + (point[1] ?? 0), 0);
  const drawn = [...lines].sort((a, b) => sum(b[1]) - sum(a[1])).slice(0, LINES);
  const isByDay = drawn.every(([, points]) => points.every(([time]) => time % (DAY_SECONDS * 1000) === 0));
  return {
    kind: 'line',
    height: 360,
    ...(drawn.length > 1 ? { legend: drawn.map(([name], index) => ({ name, color: seriesColor(palette, index) })) } : {}),
    option: {
      useUTC: true,
      animation: false,
      textStyle: { fontFamily: palette.font },
      grid: { left: 8, right: 16, top: 16, bottom: 8, containLabel: true },
      tooltip: axisTooltip(palette, (points: readonly AxisPoint[]) => {
        const time = points[0]?.value[0];
        if (time === undefined) return '';
        const title = isByDay ? format.day(time) : format.dayTime(time);
        return tooltipHtml(
          title,
          points.map((point) => [point.seriesName, valueText(drawing, point.value[1]), seriesColor(palette, point.seriesIndex)]),
        );
      }),
      xAxis: {
        type: 'time',
        axisLabel: { ...axisText(palette), formatter: (time: number) => format.bucket(time, isByDay ? DAY_SECONDS : 3600), hideOverlap: true },
        axisLine: { lineStyle: { color: palette.lineStrong } },
      },
      yAxis: valueAxis(drawing),
      series: drawn.map(([name, points], index) => ({
        type: 'line',
        name: name === '' ? (drawing.table.columns[chart.value]?.name ?? '') : name,
        data: withBreaks(points),
        showSymbol: points.length === 1,
        lineStyle: { width: 2, color: seriesColor(palette, index) },
        itemStyle: { color: seriesColor(palette, index) },
      })),
    },
  };
}

function barsPicture(drawing: Drawing): Picture {
  const { chart, palette } = drawing;
  const rows = drawnRows(drawing).slice(0, BARS);
  return {
    kind: 'bar',
    height: 60 + rows.length * BAR_HEIGHT,
    option: {
      animation: false,
      textStyle: { fontFamily: palette.font },
      grid: { left: 8, right: 64, top: 8, bottom: 8, containLabel: true },
      tooltip: {
        ...tooltipStyle(palette),
        trigger: 'item',
        formatter: (bar: { dataIndex: number }) => {
          const row = rows[bar.dataIndex];
          return row === undefined ? '' : tooltipHtml(label(drawing, row), [[drawing.table.columns[chart.value]?.name ?? '', valueText(drawing, number(row[chart.value]))]]);
        },
      },
      xAxis: valueAxis(drawing),
      yAxis: {
        type: 'category',
        inverse: true,
        data: rows.map((row) => label(drawing, row)),
        axisLabel: { ...axisText(palette), color: palette.text, width: 180, overflow: 'truncate' },
        axisLine: { lineStyle: { color: palette.lineStrong } },
        axisTick: { show: false },
      },
      series: [
        {
          type: 'bar',
          barMaxWidth: 18,
          data: rows.map((row) => number(row[chart.value])),
          itemStyle: { color: seriesColor(palette, 0) },
          label: {
            show: true,
            position: 'right',
            color: palette.text,
            fontFamily: palette.font,
            formatter: (bar: { value: number | null }) => valueText(drawing, bar.value),
          },
        },
      ],
    },
  };
}

function axisOf(drawing: Drawing, column: number): { values: readonly Cell[]; names: readonly string[] } {
  if (drawing.chart.isGrid) {
    const values = Array.from({ length: GRID }, (_, index) => index);
    return { values, names: values.map((value) => format.percent(value / GRID)) };
  }
  const texts = new Map(drawnRows(drawing).map((row) => [row[column] ?? null, text(drawing.table, row, column)]));
  const values = [...texts.keys()].sort((a, b) => (typeof a === 'number' && typeof b === 'number' ? a - b : format.collator.compare(String(a), String(b))));
  return { values, names: values.map((value) => texts.get(value) ?? '') };
}

function cellsPicture(drawing: Drawing): Picture {
  const { chart, palette } = drawing;
  const columns = axisOf(drawing, chart.x);
  const rows = axisOf(drawing, chart.labels[0] ?? 0);
  const cells = drawnRows(drawing).map((row) => [columns.values.indexOf(row[chart.x] ?? null), rows.values.indexOf(row[chart.labels[0] ?? 0] ?? null), number(row[chart.value])]);
  const most = Math.max(0, ...cells.map((cell) => cell[2] ?? 0));
  const axis = (names: readonly string[]) => ({ type: 'category', data: names, axisLabel: { ...axisText(palette), hideOverlap: true }, axisTick: { show: false } });
  return {
    kind: 'heatmap',
    height: chart.isGrid ? 440 : Math.min(600, 130 + rows.names.length * 40),
    option: {
      animation: false,
      textStyle: { fontFamily: palette.font },
      grid: { left: 8, right: 16, top: 8, bottom: 46, containLabel: true },
      tooltip: {
        ...tooltipStyle(palette),
        trigger: 'item',
        formatter: ({ value }: { value: readonly [number, number, number | null] }) =>
          tooltipHtml(`${rows.names[value[1]] ?? ''} · ${columns.names[value[0]] ?? ''}`, [[drawing.table.columns[chart.value]?.name ?? '', valueText(drawing, value[2])]]),
      },
      xAxis: { ...axis(columns.names), position: 'top' },
      yAxis: { ...axis(rows.names), inverse: true },
      visualMap: {
        type: 'continuous',
        min: 0,
        max: most === 0 ? 1 : most,
        calculable: false,
        orient: 'horizontal',
        left: 'center',
        bottom: 0,
        itemWidth: 10,
        itemHeight: 180,
        text: [valueText(drawing, most), valueText(drawing, 0)],
        textStyle: axisText(palette),
        inRange: { color: [...palette.heat] },
      },
      series: [{ type: 'heatmap', data: cells, itemStyle: { borderColor: palette.surface, borderWidth: chart.isGrid ? 0 : 2 } }],
    },
  };
}

/** Undefined where the numbers stand alone. */
export function savedPicture(table: ReportTable, palette: Palette): Picture | undefined {
  const { chart } = table;
  if (chart === undefined || chart.kind === 'figures') return undefined;
  const drawing = { table, chart, palette };
  if (chart.kind === 'lines') return linesPicture(drawing);
  return chart.kind === 'cells' ? cellsPicture(drawing) : barsPicture(drawing);
}
