import type { EChartsCoreOption } from 'echarts/core';
import { format } from '../i18n/format';
import { pathsMessages as words } from '../i18n/pathsMessages';
import type { Ways } from '../state/ways';
import { tooltipHtml, tooltipStyle } from './common';
import { seriesColor, type Palette } from './palette';

interface SankeyOption {
  ways: Ways;
  palette: Palette;
  /** Steps beyond this one stand on the right, and their names left of them. */
  steps: number;
  isNarrow: boolean;
}

/** A node a place and step; one place has one colour in every step. */
export function sankeyOption({ ways, palette, steps, isNarrow }: SankeyOption): EChartsCoreOption {
  const { nodes, links } = ways;
  const order = [...new Set(nodes.map(({ place }) => place))];
  const color = (place: string | undefined) => (place === undefined ? palette.faint : seriesColor(palette, order.filter((one) => one !== undefined).indexOf(place)));
  return {
    animation: false,
    textStyle: { fontFamily: palette.font },
    tooltip: { ...tooltipStyle(palette), trigger: 'item' },
    series: [
      {
        type: 'sankey',
        left: 2,
        right: isNarrow ? 2 : 4,
        top: 8,
        bottom: 8,
        nodeWidth: 10,
        nodeGap: 9,
        nodeAlign: 'left',
        draggable: false,
        layoutIterations: 32,
        emphasis: { focus: 'adjacency' },
        label: {
          color: palette.text,
          fontFamily: palette.font,
          fontSize: 12,
          width: isNarrow ? 56 : 120,
          overflow: 'truncate',
          textBorderColor: palette.surface,
          textBorderWidth: 2.5,
        },
        lineStyle: { color: 'source', opacity: 0.26, curveness: 0.5 },
        data: nodes.map(({ step, place, sessions, ended }, index) => ({
          name: String(index),
          depth: step - 1,
          itemStyle: { color: color(place), borderWidth: 0 },
          label: { formatter: words.place(place), ...(step === steps ? { position: 'left' as const } : {}) },
          tooltip: {
            formatter: () =>
              tooltipHtml(words.node(words.place(place), step), [
                [words.sessions, format.count(sessions)],
                ...(ended > 0 ? [[words.ends, format.count(ended)] as const] : []),
              ]),
          },
        })),
        links: links.map(({ from, to, sessions }) => ({
          source: String(from),
          target: String(to),
          value: sessions,
          tooltip: {
            formatter: () =>
              tooltipHtml(words.link(words.place(nodes[from]?.place), words.place(nodes[to]?.place)), [
                [words.sessions, format.count(sessions)],
                [words.columns.share, format.percent(sessions / Math.max(1, nodes[from]?.sessions ?? 1))],
              ]),
          },
        })),
      },
    ],
  };
}
