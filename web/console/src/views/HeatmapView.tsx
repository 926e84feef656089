import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo } from 'react';
import { Page } from '../app/Page';
import type { HeatCell, HeatmapReport, Site } from '../api/model';
import { cellsQuery, positionsQuery } from '../api/reports';
import { Chart } from '../charts/Chart';
import { CELLS, cellsOption, formatMeasure, measureOf, positionsOption } from '../charts/heatmapOption';
import { usePalette } from '../charts/palette';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import type { TimeRange } from '../state/range';
import type { HeatmapSearch, HeatMeasure } from '../state/search';
import { useTheme } from '../state/theme';
import { Card, Figure, Headline } from '../ui/Card';
import { Choice, Segments } from '../ui/Choice';
import { SegmentChoice } from '../ui/SegmentChoice';
import { Empty, Failure, Skeleton, TableSkeleton } from '../ui/states';
import { Table, type Column } from '../ui/Table';
import { useSort } from '../ui/useSort';

const route = getRouteApi('/heatmap');
const CELLS_HEIGHT = 440;
const POSITIONS_HEIGHT = 300;
const SLOT_HEIGHT = 48;
type Mode = 'positions' | 'cells';

export function HeatmapView() {
  const search = route.useSearch();
  return (
    <Page title={m.heatmap.title} intro={m.heatmap.intro} search={search}>
      {(site, range) => <HeatmapReportView site={site} range={range} search={search} />}
    </Page>
  );
}

interface ViewProps {
  site: Site;
  range: TimeRange | undefined;
  search: HeatmapSearch;
}

function slotName(slot: string): string {
  return slot === '' ? m.noValue : slot;
}

function HeatmapReportView({ site, range, search }: ViewProps) {
  const mode = search.mode ?? 'positions';
  const positions = useQuery(positionsQuery({ site: site.id, range, segment: search.segment }));
  const slots = useMemo(() => [...new Set(positions.data?.cells.map((cell) => cell.slot))].sort(format.collator.compare), [positions.data]);
  const slot = search.slot !== undefined && slots.includes(search.slot) ? search.slot : slots[0];
  const inside = useQuery({ ...cellsQuery({ site: site.id, range, segment: search.segment, slot: slot ?? '' }), enabled: mode === 'cells' && slot !== undefined && range !== undefined });
  const query = mode === 'positions' ? positions : inside;
  const measure = mode === 'cells' && (search.measure === undefined || search.measure === 'ctr' || search.measure === 'impressions') ? 'clicks' : (search.measure ?? 'ctr');
  const nothing = range === undefined || positions.data?.cells.length === 0 || query.data?.cells.length === 0;
  return (
    <>
      <HeatmapFilters mode={mode} measure={measure} slot={slot} slots={slots} site={site.id} segment={search.segment} />
      <div className={query.isPlaceholderData ? 'stack refreshing' : 'stack'} aria-busy={query.isFetching}>
        {query.error !== null ? (
          <div className="card">
            <Failure error={query.error} onRetry={() => void query.refetch()} />
          </div>
        ) : nothing ? (
          <div className="card">
            <Empty title={m.heatmap.emptyTitle} command={m.commands.simulate}>
              {mode === 'positions' ? m.heatmap.emptyPositions : m.heatmap.emptyCells}
            </Empty>
          </div>
        ) : (
          <HeatmapContent mode={mode} report={query.data} measure={measure} slot={slot ?? ''} search={search} />
        )}
      </div>
    </>
  );
}

interface FiltersProps {
  mode: Mode;
  measure: HeatMeasure;
  slot: string | undefined;
  slots: readonly string[];
  site: string;
  segment: string | undefined;
}

function HeatmapFilters({ mode, measure, slot, slots, site, segment }: FiltersProps) {
  const navigate = route.useNavigate();
  const measures: readonly HeatMeasure[] = mode === 'positions' ? ['ctr', 'impressions', 'clicks'] : ['clicks', 'hovers'];
  return (
    <div className="filters">
      <Segments
        label={m.heatmap.mode}
        value={mode}
        options={[
          { value: 'positions', label: m.heatmap.positions },
          { value: 'cells', label: m.heatmap.cells },
        ]}
        onChange={(next) => void navigate({ search: ({ measure: _measure, sort: _sort, dir: _dir, ...previous }) => ({ ...previous, mode: next }) })}
      />
      <Segments
        label={m.measure.label}
        value={measure}
        options={measures.map((value) => ({ value, label: m.measure[value] }))}
        onChange={(next) => void navigate({ search: (previous) => ({ ...previous, measure: next }) })}
      />
      {mode === 'cells' && slot !== undefined ? (
        <Choice
          label={m.heatmap.slot}
          value={slot}
          options={slots.map((value) => ({ value, label: slotName(value) }))}
          onChange={(next) => void navigate({ search: (previous) => ({ ...previous, slot: next }) })}
        />
      ) : null}
      <SegmentChoice site={site} segment={segment} />
    </div>
  );
}

interface ContentProps {
  mode: Mode;
  report: HeatmapReport | undefined;
  measure: HeatMeasure;
  slot: string;
  search: HeatmapSearch;
}

function placeName(mode: Mode, cell: HeatCell): string {
  return mode === 'positions'
    ? `${slotName(cell.slot)} · ${m.heatmap.position(format.count(cell.x))}`
    : m.heatmap.cellPlace(format.percent(cell.x / CELLS), format.percent(cell.y / CELLS));
}

function HeatmapContent({ mode, report, measure, slot, search }: ContentProps) {
  const best = report?.cells.reduce<HeatCell | undefined>((top, cell) => (top === undefined || measureOf(cell, measure) > measureOf(top, measure) ? cell : top), undefined);
  const sum = (field: 'impressions' | 'clicks' | 'hovers') => format.count(report?.cells.reduce((total, cell) => total + cell[field], 0) ?? 0);
  const title = mode === 'positions' ? m.heatmap.chartPositions(m.measure[measure]) : m.heatmap.chartCells(m.measure[measure], slotName(slot));
  return (
    <>
      <Headline label={m.heatmap.hottest}>
        <Figure
          lead
          label={m.heatmap.hottest}
          value={best === undefined ? undefined : formatMeasure(measureOf(best, measure), measure)}
          note={best === undefined ? undefined : placeName(mode, best)}
        />
        <Figure label={m.measure.clicks} value={report === undefined ? undefined : sum('clicks')} />
        <Figure
          label={mode === 'positions' ? m.measure.impressions : m.measure.hovers}
          value={report === undefined ? undefined : sum(mode === 'positions' ? 'impressions' : 'hovers')}
        />
      </Headline>
      <Card title={title} note={mode === 'positions' ? m.heatmap.positionsNote : m.heatmap.cellsNote}>
        {report === undefined ? (
          <Skeleton height={mode === 'cells' ? CELLS_HEIGHT : POSITIONS_HEIGHT} />
        ) : (
          <HeatmapChart mode={mode} report={report} measure={measure} description={best === undefined ? '' : m.heatmap.description(placeName(mode, best), formatMeasure(measureOf(best, measure), measure))} />
        )}
      </Card>
      <Card title={mode === 'positions' ? m.heatmap.table : m.heatmap.cellsTable} flush>
        {report === undefined ? <TableSkeleton rows={3} /> : <HeatmapTable mode={mode} report={report} measure={measure} search={search} />}
      </Card>
    </>
  );
}

function HeatmapChart({ mode, report, measure, description }: { mode: Mode; report: HeatmapReport; measure: HeatMeasure; description: string }) {
  const palette = usePalette();
  const dark = useTheme() === 'dark';
  const slots = useMemo(() => [...new Set(report.cells.map((cell) => cell.slot))].sort(format.collator.compare), [report]);
  const option = useMemo(() => {
    if (mode === 'cells') return cellsOption(report.cells, measure, palette);
    const positions = [...new Set(report.cells.map((cell) => cell.x))].sort((a, b) => a - b);
    return positionsOption({ cells: report.cells, slots, positions, measure, palette, dark, slotName });
  }, [mode, report, slots, measure, palette, dark]);
  const height = mode === 'cells' ? CELLS_HEIGHT : Math.max(POSITIONS_HEIGHT, 90 + slots.length * SLOT_HEIGHT);
  return <Chart kind="heatmap" testId="heatmap-chart" option={option} height={height} description={description} />;
}

function HeatmapTable({ mode, report, measure, search }: { mode: Mode; report: HeatmapReport; measure: HeatMeasure; search: HeatmapSearch }) {
  const [sort, setSort] = useSort(search, { column: measure, descending: true });
  const columns = useMemo(() => {
    const numbers: readonly HeatMeasure[] = mode === 'positions' ? ['impressions', 'clicks', 'ctr'] : ['clicks', 'hovers'];
    const place: Column<HeatCell> = {
      id: 'place',
      header: m.heatmap.place,
      cell: (cell) => placeName(mode, cell),
      compare: (a, b) => (mode === 'positions' ? format.collator.compare(a.slot, b.slot) || a.x - b.x : a.y - b.y || a.x - b.x),
    };
    return [
      place,
      ...numbers.map(
        (number): Column<HeatCell> => ({
          id: number,
          header: m.measure[number],
          numeric: true,
          cell: (cell) => formatMeasure(measureOf(cell, number), number),
          compare: (a, b) => measureOf(a, number) - measureOf(b, number),
        }),
      ),
    ];
  }, [mode]);
  return (
    <Table
      caption={mode === 'positions' ? m.heatmap.table : m.heatmap.cellsTable}
      columns={columns}
      rows={report.cells}
      rowKey={(cell) => `${cell.slot}/${cell.x}/${cell.y}`}
      sort={sort}
      onSort={setSort}
      limit={mode === 'positions' ? 100 : 20}
    />
  );
}
