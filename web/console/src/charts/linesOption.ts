import type { EChartsCoreOption } from 'echarts/core';
import type { CampaignPoint, CampaignSeries } from '../api/model';
import { format } from '../i18n/format';
import type { CampaignMeasure } from '../state/search';
import { axisText, axisTooltip, tooltipHtml } from './common';
import { seriesColor, withAlpha, type Palette } from './palette';

export const LINES = 8;

function formatValue(value: number, measure: CampaignMeasure): string {
  return measure === 'ctr' ? format.rate(value) : format.count(value);
}

interface LinesOption {
  campaigns: readonly CampaignSeries[];
  measure: CampaignMeasure;
  bucketSeconds: number;
  palette: Palette;
}

interface AxisPoint {
  readonly seriesName: string;
  readonly seriesIndex: number;
  readonly value: readonly [number, number | null];
}

export function linesOption({ campaigns, measure, bucketSeconds, palette }: LinesOption): EChartsCoreOption {
  // A rate of no impressions is no rate: the line breaks there.
  const value = (point: CampaignPoint) => (measure === 'ctr' && point.impressions === 0 ? null : point[measure]);
  return {
    useUTC: true,
    animation: false,
    textStyle: { fontFamily: palette.font },
    grid: { left: 8, right: 16, top: 16, bottom: 8, containLabel: true },
    tooltip: axisTooltip(palette, (points: readonly AxisPoint[]) => {
      const time = points[0]?.value[0];
      if (time === undefined) return '';
      const sorted = [...points].sort((a, b) => (b.value[1] ?? -1) - (a.value[1] ?? -1));
      const title = bucketSeconds >= 86_400 ? format.day(time) : format.dayTime(time);
      return tooltipHtml(
        title,
        sorted.map((point) => [
          point.seriesName,
          point.value[1] === null ? '–' : formatValue(point.value[1], measure),
          seriesColor(palette, point.seriesIndex),
        ]),
      );
    }),
    xAxis: {
      type: 'time',
      axisLabel: { ...axisText(palette), formatter: (time: number) => format.bucket(time, bucketSeconds), hideOverlap: true },
      axisLine: { lineStyle: { color: palette.lineStrong } },
      axisTick: { show: false },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      min: 0,
      axisLabel: { ...axisText(palette), formatter: (tick: number) => (measure === 'ctr' ? format.axisRate(tick) : format.compact(tick)) },
      splitLine: { lineStyle: { color: palette.line } },
      ...(measure === 'ctr' ? {} : { minInterval: 1 }),
    },
    series: campaigns.map((campaign, index) => ({
      type: 'line',
      name: campaign.name,
      data: campaign.points.map((point) => [point.time, value(point)]),
      showSymbol: campaign.points.length === 1,
      symbol: 'circle',
      symbolSize: 6,
      lineStyle: { width: 2, color: seriesColor(palette, index) },
      itemStyle: { color: seriesColor(palette, index) },
      ...(campaigns.length === 1 ? { areaStyle: { color: withAlpha(seriesColor(palette, 0), 0.12) } } : {}),
      emphasis: { focus: 'series' },
    })),
  };
}
