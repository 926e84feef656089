import { useEffect, useRef, useState } from 'react';
import type { EChartsCoreOption, EChartsType } from 'echarts/core';
import { Skeleton } from '../ui/states';

export type ChartKind = 'custom' | 'line' | 'heatmap' | 'bar' | 'sankey';

const parts: Readonly<Record<ChartKind, () => Promise<unknown>>> = {
  custom: () => Promise.resolve(),
  bar: () => import('./echartsBar'),
  line: () => import('./echartsLine'),
  heatmap: () => import('./echartsHeatmap'),
  sankey: () => import('./echartsSankey'),
};

// Nobody points at a chart before it is drawn.
let hasTooltips = false;
async function loadTooltips(): Promise<void> {
  await import('./echartsTooltip');
  hasTooltips = true;
}

/** Without what ECharts does not know yet. */
function known(option: EChartsCoreOption): EChartsCoreOption {
  return hasTooltips ? option : { ...option, tooltip: undefined };
}

// Asked for as soon as a view with a chart is, so that it travels together with the view's numbers.
const library = import('./echarts');

interface ChartProps {
  kind: ChartKind;
  /** Built with useMemo: a new object is drawn again. */
  option: EChartsCoreOption;
  height: number;
  /** What the picture says, for those who do not see it; the table beside it holds the numbers. */
  description: string;
  testId?: string;
}

/** A canvas of a size known before its library is loaded, so that the page never moves. */
export function Chart({ kind, option, height, description, testId }: ChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType>(null);
  const latest = useRef(option);
  const [ready, setReady] = useState(false);
  const [isWhole, setWhole] = useState(false);

  useEffect(() => {
    let gone = false;
    let observer: ResizeObserver | undefined;
    void Promise.all([library, parts[kind]()]).then(([{ init }]) => {
      const element = host.current;
      if (gone || element === null) return;
      const created = init(element, null, { renderer: 'canvas' });
      created.setOption(known(latest.current), { notMerge: true });
      chart.current = created;
      observer = new ResizeObserver(() => {
        created.resize();
      });
      observer.observe(element);
      setReady(true);
      const isLater = !hasTooltips;
      return loadTooltips().then(() => {
        if (gone) return;
        if (isLater) created.setOption(latest.current, { notMerge: true });
        setWhole(true);
      });
    });
    return () => {
      gone = true;
      observer?.disconnect();
      chart.current?.dispose();
      chart.current = null;
    };
  }, [kind]);

  useEffect(() => {
    latest.current = option;
    chart.current?.setOption(known(option), { notMerge: true });
  }, [option]);

  return (
    <div className="chart" style={{ height }} role="img" aria-label={description} data-testid={testId} data-ready={isWhole}>
      {ready ? null : <Skeleton height={height} />}
      <div ref={host} className="canvas" />
    </div>
  );
}
