import type { CustomSeriesOption } from 'echarts/charts';
import type { EChartsCoreOption } from 'echarts/core';
import type { CtrGroup, Rate } from '../api/model';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import { axisText, tooltipHtml, tooltipStyle } from './common';
import { seriesColor, type Palette } from './palette';

export const CTR_CATEGORIES = 14;
export const CTR_SERIES = 8;
const LANE = 20;

export interface CtrChartData {
  readonly categories: readonly string[];
  readonly series: readonly string[];
  /** Groups by category index, then series index. */
  readonly groups: readonly CtrGroup[];
  /** Categories in the report, drawn or not. */
  readonly allCategories: number;
}

function byImpressions(groups: readonly CtrGroup[], key: (group: CtrGroup) => string): string[] {
  const sums = new Map<string, number>();
  for (const group of groups) sums.set(key(group), (sums.get(key(group)) ?? 0) + group.impressions);
  return [...sums].sort((a, b) => b[1] - a[1] || format.collator.compare(a[0], b[0])).map(([name]) => name);
}

/** The groups that fit the chart: those of the values with the most impressions. */
export function ctrChartData(groups: readonly CtrGroup[]): CtrChartData {
  const all = byImpressions(groups, (group) => group.keys[0] ?? '');
  const categories = all.slice(0, CTR_CATEGORIES).sort((a, b) => format.collator.compare(a, b));
  const series = byImpressions(groups, (group) => group.keys[1] ?? '').slice(0, CTR_SERIES);
  series.sort((a, b) => format.collator.compare(a, b));
  const drawn = groups.filter((group) => categories.includes(group.keys[0] ?? '') && series.includes(group.keys[1] ?? ''));
  return { categories, series, groups: drawn, allCategories: all.length };
}

type RenderItem = NonNullable<CustomSeriesOption['renderItem']>;

/** A dot at the rate between the ends of its interval; series of one category stand in lanes below each other. */
function whisker(palette: Palette, lanes: number): RenderItem {
  return (_params, api) => {
    const lane = Number(api.value(4));
    const point = (value: number) => api.coord([value, Number(api.value(3))]);
    const [low, rate, high] = [point(Number(api.value(0))), point(Number(api.value(1))), point(Number(api.value(2)))];
    const size = api.size?.([0, 1]);
    const band = Array.isArray(size) ? (size[1] ?? 0) : 0;
    const spacing = Math.min(LANE, (band * 0.8) / lanes);
    const y = (rate[1] ?? 0) + (lane - (lanes - 1) / 2) * spacing;
    const color = seriesColor(palette, lane);
    const line = (x1: number, y1: number, x2: number, y2: number) => ({
      type: 'line' as const,
      shape: { x1, y1, x2, y2 },
      style: { stroke: color, lineWidth: 1.75, opacity: 0.75 },
    });
    const [x0 = 0, x1 = 0] = [low[0], high[0]];
    const cap = Math.min(4, spacing / 2 - 1);
    return {
      type: 'group',
      children: [
        // An unseen bar across the lane, so that a pointer need not hit a thin line.
        { type: 'rect', shape: { x: x0 - 6, y: y - spacing / 2, width: x1 - x0 + 12, height: spacing }, style: { fill: 'transparent' } },
        line(x0, y, x1, y),
        line(x0, y - cap, x0, y + cap),
        line(x1, y - cap, x1, y + cap),
        {
          type: 'circle',
          shape: { cx: rate[0] ?? 0, cy: y, r: spacing < 12 ? 3.5 : 5 },
          style: { fill: color, stroke: palette.surface, lineWidth: 1.5 },
        },
      ],
    };
  };
}

/** The dashed line of the overall rate, over the whole height, its value above. */
function overallLine(palette: Palette, label: string): RenderItem {
  return (params, api) => {
    const x = api.coord([Number(api.value(0)), 0])[0] ?? 0;
    // The type of a cartesian grid's params.coordSys is left open by ECharts.
    const area = params.coordSys as unknown as { y: number; height: number };
    return {
      type: 'group',
      children: [
        {
          type: 'line',
          shape: { x1: x, y1: area.y, x2: x, y2: area.y + area.height },
          style: { stroke: palette.faint, lineWidth: 1, lineDash: [4, 4] },
        },
        {
          type: 'text',
          style: { x, y: area.y - 5, text: label, align: 'center', verticalAlign: 'bottom', fill: palette.faint, fontSize: 11, fontFamily: palette.font },
        },
      ],
    };
  };
}

export function ctrOption(data: CtrChartData, total: Rate, palette: Palette, name: (key: string) => string): EChartsCoreOption {
  const lanes = Math.max(1, data.series.length);
  return {
    aria: { enabled: false },
    animationDuration: 250,
    textStyle: { fontFamily: palette.font },
    grid: { left: 8, right: 28, top: 22, bottom: 8, containLabel: true },
    tooltip: { ...tooltipStyle(palette), trigger: 'item' },
    xAxis: {
      type: 'value',
      min: 0,
      axisLabel: { ...axisText(palette), formatter: (value: number) => format.axisRate(value), hideOverlap: true },
      splitLine: { lineStyle: { color: palette.line } },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: data.categories.map(name),
      axisLabel: { ...axisText(palette), color: palette.text, width: 120, overflow: 'truncate' },
      axisLine: { lineStyle: { color: palette.lineStrong } },
      axisTick: { show: false },
    },
    series: [
      {
        type: 'custom',
        renderItem: whisker(palette, lanes),
        encode: { x: [0, 1, 2], y: 3 },
        data: data.groups.map((group) => ({
          name: group.keys.map(name).join(' · '),
          value: [
            group.low,
            group.ctr,
            group.high,
            data.categories.indexOf(group.keys[0] ?? ''),
            Math.max(0, data.series.indexOf(group.keys[1] ?? '')),
          ],
          tooltip: {
            formatter: () =>
              tooltipHtml(group.keys.map(name).join(' · '), [
                [m.measure.ctr, format.rate(group.ctr)],
                [m.measure.interval, format.rateInterval(group.low, group.high)],
                [m.measure.clicks, format.count(group.clicks)],
                [m.measure.impressions, format.count(group.impressions)],
              ]),
          },
        })),
      },
      {
        type: 'custom',
        silent: true,
        tooltip: { show: false },
        renderItem: overallLine(palette, format.rate(total.ctr)),
        encode: { x: 0 },
        data: [[total.ctr, 0]],
      },
    ],
  };
}
