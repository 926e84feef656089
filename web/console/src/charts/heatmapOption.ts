import type { EChartsCoreOption } from 'echarts/core';
import type { HeatCell } from '../api/model';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import type { HeatMeasure } from '../state/search';
import { axisText, tooltipHtml, tooltipStyle } from './common';
import type { Palette } from './palette';

export const CELLS = 100;

export function measureOf(cell: HeatCell, measure: HeatMeasure): number {
  return cell[measure];
}

export function formatMeasure(value: number, measure: HeatMeasure): string {
  return measure === 'ctr' ? format.rate(value) : format.count(value);
}

function cellLines(cell: HeatCell): [string, string][] {
  const lines: [string, string][] = [];
  if (cell.impressions > 0) lines.push([m.measure.ctr, format.rate(cell.ctr)], [m.measure.impressions, format.count(cell.impressions)]);
  lines.push([m.measure.clicks, format.count(cell.clicks)]);
  if (cell.hovers > 0) lines.push([m.measure.hovers, format.count(cell.hovers)]);
  return lines;
}

function visualMap(cells: readonly HeatCell[], measure: HeatMeasure, palette: Palette) {
  const values = cells.map((cell) => measureOf(cell, measure));
  const max = Math.max(0, ...values);
  return {
    type: 'continuous',
    min: 0,
    max: max === 0 ? 1 : max,
    dimension: 2,
    calculable: false,
    orient: 'horizontal',
    left: 'center',
    bottom: 0,
    itemWidth: 10,
    itemHeight: 180,
    text: [formatMeasure(max, measure), formatMeasure(0, measure)],
    textStyle: axisText(palette),
    inRange: { color: [...palette.heat] },
    outOfRange: { color: [palette.surface] },
  };
}

/** Dark text on light cells and the other way about, by where the value stands on the scale. */
function labelColor(value: number, max: number, dark: boolean): string {
  const strong = max > 0 && value / max > 0.5;
  return strong === dark ? '#0e1115' : '#ffffff';
}

interface PositionsOption {
  cells: readonly HeatCell[];
  slots: readonly string[];
  positions: readonly number[];
  measure: HeatMeasure;
  palette: Palette;
  dark: boolean;
  slotName: (slot: string) => string;
}

export function positionsOption({ cells, slots, positions, measure, palette, dark, slotName }: PositionsOption): EChartsCoreOption {
  const max = Math.max(0, ...cells.map((cell) => measureOf(cell, measure)));
  const labelled = cells.length <= 120;
  return {
    animation: false,
    textStyle: { fontFamily: palette.font },
    grid: { left: 8, right: 12, top: 46, bottom: 46, containLabel: true },
    tooltip: { ...tooltipStyle(palette), trigger: 'item' },
    xAxis: {
      type: 'category',
      position: 'top',
      name: m.heatmap.positionAxis,
      nameLocation: 'middle',
      nameGap: 26,
      nameTextStyle: axisText(palette),
      data: positions.map((position) => format.count(position)),
      axisLabel: { ...axisText(palette), color: palette.text },
      axisLine: { show: false },
      axisTick: { show: false },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: slots.map(slotName),
      axisLabel: { ...axisText(palette), color: palette.text, width: 110, overflow: 'truncate' },
      axisLine: { show: false },
      axisTick: { show: false },
    },
    visualMap: visualMap(cells, measure, palette),
    series: [
      {
        type: 'heatmap',
        data: cells.map((cell) => {
          const value = measureOf(cell, measure);
          return {
            value: [positions.indexOf(cell.x), slots.indexOf(cell.slot), value],
            label: { color: labelColor(value, max, dark) },
            tooltip: {
              formatter: () => tooltipHtml(`${slotName(cell.slot)} · ${m.heatmap.position(format.count(cell.x))}`, cellLines(cell)),
            },
          };
        }),
        label: {
          show: labelled,
          fontFamily: palette.font,
          fontSize: 13,
          fontWeight: 600,
          formatter: (point: { value: readonly number[] }) => formatMeasure(point.value[2] ?? 0, measure),
        },
        itemStyle: { borderColor: palette.surface, borderWidth: 3, borderRadius: 6 },
        emphasis: { itemStyle: { borderColor: palette.text, borderWidth: 2 } },
      },
    ],
  };
}

export function cellsOption(cells: readonly HeatCell[], measure: HeatMeasure, palette: Palette): EChartsCoreOption {
  const ticks = Array.from({ length: CELLS }, (_, index) => String(index));
  const axis = {
    type: 'category',
    data: ticks,
    axisLabel: {
      ...axisText(palette),
      interval: (index: number) => index % 25 === 0 || index === CELLS - 1,
      formatter: (value: string) => format.percent(Number(value) === CELLS - 1 ? 1 : Number(value) / CELLS),
    },
    axisTick: { show: false },
    axisLine: { lineStyle: { color: palette.lineStrong } },
  };
  return {
    animation: false,
    textStyle: { fontFamily: palette.font },
    grid: { left: 8, right: 16, top: 12, bottom: 46, containLabel: true, show: true, borderColor: palette.lineStrong },
    tooltip: { ...tooltipStyle(palette), trigger: 'item' },
    xAxis: { ...axis, position: 'top' },
    yAxis: { ...axis, inverse: true },
    visualMap: visualMap(cells, measure, palette),
    series: [
      {
        type: 'heatmap',
        data: cells.map((cell) => ({
          value: [cell.x, cell.y, measureOf(cell, measure)],
          tooltip: {
            formatter: () =>
              tooltipHtml(m.heatmap.cellPlace(format.percent(cell.x / CELLS), format.percent(cell.y / CELLS)), cellLines(cell)),
          },
        })),
        emphasis: { itemStyle: { borderColor: palette.text, borderWidth: 1 } },
      },
    ],
  };
}
