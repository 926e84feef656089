import type { EChartsCoreOption } from 'echarts/core';
import { format } from '../i18n/format';
import { axisText } from './common';
import { withAlpha, type Palette } from './palette';

/** @param perSecond events of each second, the newest last. */
export function liveOption(perSecond: readonly number[], palette: Palette): EChartsCoreOption {
  return {
    animation: false,
    textStyle: { fontFamily: palette.font },
    grid: { left: 8, right: 14, top: 14, bottom: 6, containLabel: true },
    xAxis: {
      type: 'value',
      min: -perSecond.length,
      max: 0,
      interval: 15,
      axisLabel: { ...axisText(palette), formatter: (seconds: number) => (seconds === 0 ? format.ago(0) : format.duration(-seconds * 1000)) },
      axisLine: { lineStyle: { color: palette.lineStrong } },
      axisTick: { show: false },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      min: 0,
      axisLine: { show: false },
      axisTick: { show: false },
      max: ({ max }: { max: number }) => Math.max(4, Math.ceil(max * 1.1)),
      minInterval: 1,
      splitNumber: 3,
      axisLabel: { ...axisText(palette), formatter: (value: number) => format.compact(value), showMaxLabel: false },
      splitLine: { lineStyle: { color: palette.line } },
    },
    series: [
      {
        type: 'line',
        data: perSecond.map((events, index) => [index + 1 - perSecond.length, events]),
        showSymbol: false,
        smooth: 0.25,
        smoothMonotone: 'x',
        lineStyle: { width: 2, color: palette.accent },
        itemStyle: { color: palette.accent },
        areaStyle: {
          color: {
            type: 'linear', x: 0, y: 0, x2: 0, y2: 1,
            colorStops: [
              { offset: 0, color: withAlpha(palette.accent, 0.26) },
              { offset: 1, color: withAlpha(palette.accent, 0.02) },
            ],
          },
        },
      },
    ],
  };
}
