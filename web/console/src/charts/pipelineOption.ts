import type { EChartsCoreOption } from 'echarts/core';
import type { PipelineMoment } from '../api/model';
import { format } from '../i18n/format';
import { axisText, axisTooltip, tooltipHtml } from './common';
import { withAlpha, type Palette } from './palette';

const SPAN = 15 * 60 * 1000;

export interface PipelineLine {
  readonly name: string;
  readonly color: string;
  readonly filled?: boolean;
  readonly value: (moment: PipelineMoment) => number;
}

interface AxisPoint {
  readonly seriesName: string;
  readonly color: string;
  readonly value: readonly [number, number];
}

function amount(value: number): string {
  return value > 0 && value < 10 && !Number.isInteger(value) ? format.decimal(value, 1) : format.count(value);
}

/** @param now the axis ends here: history that is not there yet keeps its place. */
export function pipelineOption(history: readonly PipelineMoment[], now: number, lines: readonly PipelineLine[], palette: Palette): EChartsCoreOption {
  return {
    useUTC: true,
    animation: false,
    textStyle: { fontFamily: palette.font },
    grid: { left: 8, right: 16, top: 14, bottom: 6, containLabel: true },
    tooltip: axisTooltip(palette, (points: readonly AxisPoint[]) => {
      const time = points[0]?.value[0];
      if (time === undefined) return '';
      return tooltipHtml(format.clock(time), points.map((point) => [point.seriesName, amount(point.value[1]), point.color]));
    }),
    xAxis: {
      type: 'time',
      min: now - SPAN,
      max: now,
      splitNumber: 3,
      axisLabel: { ...axisText(palette), formatter: (time: number) => format.bucket(time, 60), hideOverlap: true, alignMaxLabel: 'right' },
      axisLine: { lineStyle: { color: palette.lineStrong } },
      axisTick: { show: false },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      min: 0,
      max: ({ max }: { max: number }) => Math.max(4, Math.ceil(max * 1.1)),
      minInterval: 1,
      splitNumber: 3,
      axisLabel: { ...axisText(palette), formatter: (value: number) => format.compact(value), showMaxLabel: false },
      splitLine: { lineStyle: { color: palette.line } },
    },
    series: lines.map(({ name, color, filled, value }) => ({
      type: 'line',
      name,
      data: history.map((moment) => [moment.time, value(moment)]),
      showSymbol: false,
      lineStyle: { width: 2, color },
      itemStyle: { color },
      ...(filled === true ? { areaStyle: { color: withAlpha(color, 0.14) } } : {}),
    })),
  };
}
