import type { EChartsCoreOption } from 'echarts/core';
import { format } from '../i18n/format';
import { shareOf, type Back } from '../state/retention';
import { axisText, axisTooltip, tooltipHtml } from './common';
import { withAlpha, type Palette } from './palette';

interface RetentionOption {
  backs: readonly Back[];
  palette: Palette;
  at: (k: number) => string;
}

/** The share of all cohorts that came back, by time since they began; the time that they began in is left out. */
export function retentionOption({ backs, palette, at }: RetentionOption): EChartsCoreOption {
  const places = backs.flatMap((back, k) => (k === 0 || back.users === 0 ? [] : [{ k, share: shareOf(back) ?? 0, ...back }]));
  return {
    animation: false,
    textStyle: { fontFamily: palette.font },
    grid: { left: 8, right: 20, top: 14, bottom: 8, containLabel: true },
    tooltip: axisTooltip(palette, (points: readonly { dataIndex: number }[]) => {
      const place = places[points[0]?.dataIndex ?? -1];
      return place === undefined ? '' : tooltipHtml(at(place.k), [[format.percent(place.share), `${format.count(place.back)} / ${format.count(place.users)}`]]);
    }),
    xAxis: {
      type: 'category',
      boundaryGap: false,
      data: places.map(({ k }) => at(k)),
      axisLabel: { ...axisText(palette), hideOverlap: true },
      axisLine: { lineStyle: { color: palette.lineStrong } },
      axisTick: { show: false },
    },
    yAxis: { type: 'value', min: 0, axisLabel: { ...axisText(palette), formatter: (value: number) => format.axisRate(value) }, splitNumber: 3, splitLine: { lineStyle: { color: palette.line } } },
    series: [
      {
        type: 'line',
        data: places.map(({ share }) => share),
        symbolSize: 6,
        showSymbol: places.length <= 31,
        itemStyle: { color: palette.series[0] },
        lineStyle: { width: 2, color: palette.series[0] },
        areaStyle: { color: withAlpha(palette.series[0] ?? palette.accent, 0.1) },
      },
    ],
  };
}
