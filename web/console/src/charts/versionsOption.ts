import type { EChartsCoreOption } from 'echarts/core';
import type { ModelVersion } from '../api/personalization';
import { format } from '../i18n/format';
import { axisText, axisTooltip, tooltipHtml } from './common';
import type { Palette } from './palette';

interface VersionsOption {
  /** Newest first. */
  readonly versions: readonly ModelVersion[];
  readonly value: (version: ModelVersion) => number;
  readonly name: string;
  readonly color: string;
  readonly palette: Palette;
  /** What is said beside a version under the pointer. */
  readonly remark: (version: ModelVersion) => readonly [name: string, value: string] | undefined;
}

interface AxisPoint {
  readonly seriesName: string;
  readonly dataIndex: number;
  readonly color: string;
}

/** One number over the versions, beside the line of 1 that it is measured by. */
export function versionsOption({ versions, value, name, color, palette, remark }: VersionsOption): EChartsCoreOption {
  const points = versions.toReversed();
  const isLong = (points.at(-1)?.time ?? 0) - (points[0]?.time ?? 0) > 86_400_000;
  return {
    useUTC: true,
    animation: false,
    textStyle: { fontFamily: palette.font },
    grid: { left: 8, right: 16, top: 14, bottom: 6, containLabel: true },
    tooltip: axisTooltip(palette, (found: readonly AxisPoint[]) => {
      const point = found.find((one) => one.seriesName === name);
      const version = points[point?.dataIndex ?? -1];
      if (point === undefined || version === undefined) return '';
      const further = remark(version);
      return tooltipHtml(version.policy, [
        [name, format.decimal(value(version), 3), color],
        [format.dayTime(version.time), ''],
        ...(further === undefined ? [] : [further]),
      ]);
    }),
    xAxis: {
      type: 'time',
      splitNumber: 3,
      axisLabel: { ...axisText(palette), formatter: (time: number) => (isLong ? format.bucket(time, 3600) : format.bucket(time, 60)), hideOverlap: true },
      axisLine: { onZero: false, lineStyle: { color: palette.lineStrong } },
      axisTick: { show: false },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      min: ({ min }: { min: number }) => Math.max(0, Math.floor(Math.min(min, 0.95) * 20) / 20),
      max: ({ max }: { max: number }) => Math.ceil(Math.max(max, 1.05) * 20) / 20,
      splitNumber: 3,
      axisLabel: { ...axisText(palette), formatter: (tick: number) => format.decimal(tick, 2), showMaxLabel: false },
      splitLine: { lineStyle: { color: palette.line } },
    },
    series: [
      {
        type: 'line',
        name,
        data: points.map((version) => ({
          value: [version.time, value(version)],
          ...(version.rolledBack === undefined ? {} : { symbolSize: 10, symbol: 'diamond' }),
        })),
        symbol: points.length === 1 ? 'circle' : 'none',
        symbolSize: 6,
        lineStyle: { width: 2, color },
        itemStyle: { color },
      },
      {
        type: 'line',
        name: '1',
        silent: true,
        data: points.map((version) => [version.time, 1]),
        symbol: 'none',
        lineStyle: { width: 1, type: [4, 4], color: palette.faint },
      },
    ],
  };
}
