import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { Page } from '../app/Page';
import type { CtrGroup, CtrReport, Site } from '../api/model';
import { ctrQuery, DIMENSIONS } from '../api/reports';
import { Chart } from '../charts/Chart';
import { ctrChartData, ctrOption } from '../charts/ctrOption';
import { seriesColor, usePalette } from '../charts/palette';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import type { TimeRange } from '../state/range';
import type { CtrSearch } from '../state/search';
import { Card, Figure, Headline } from '../ui/Card';
import { Choice } from '../ui/Choice';
import { SegmentChoice } from '../ui/SegmentChoice';
import { rateColumns } from '../ui/rateColumns';
import { Empty, Failure, Skeleton, TableSkeleton } from '../ui/states';
import { Table, type Column } from '../ui/Table';
import { useSort } from '../ui/useSort';

const route = getRouteApi('/ctr');
const NOTHING = '-';
const CHART_HEIGHT = 360;

/** The grouping that shows something true on a site before the reader chose one. */
function defaultGrouping(site: Site): { by: string; then: string | undefined } {
  return site.id === 'open-bandit' ? { by: 'policy', then: 'campaign_id' } : { by: 'college_id', then: undefined };
}

function grouping(search: CtrSearch, site: Site): { by: string; then: string | undefined } {
  const standard = defaultGrouping(site);
  if (search.by === undefined && search.then === undefined) return standard;
  const by = search.by ?? standard.by;
  const then = search.then === undefined || search.then === NOTHING || search.then === by ? undefined : search.then;
  return { by, then };
}

function valueName(key: string): string {
  return key === '' ? m.noValue : key;
}

export function CtrView() {
  const search = route.useSearch();
  return (
    <Page title={m.ctr.title} intro={m.ctr.intro} search={search}>
      {(site, range) => <CtrReportView site={site} range={range} search={search} />}
    </Page>
  );
}

function CtrReportView({ site, range, search }: { site: Site; range: TimeRange | undefined; search: CtrSearch }) {
  const { by, then } = grouping(search, site);
  const dimensions = then === undefined ? [by] : [by, then];
  const query = useQuery(ctrQuery({ site: site.id, range, segment: search.segment, by: dimensions }));
  const report = query.data;
  const empty = range === undefined || (report?.total.impressions === 0);
  return (
    <>
      <CtrFilters by={by} then={then} site={site.id} segment={search.segment} />
      <div className={query.isPlaceholderData ? 'stack refreshing' : 'stack'} aria-busy={query.isFetching}>
        {query.error !== null ? (
          <div className="card">
            <Failure error={query.error} onRetry={() => void query.refetch()} />
          </div>
        ) : empty ? (
          <div className="card">
            <CtrEmpty site={site} />
          </div>
        ) : (
          <CtrContent report={report} dimensions={dimensions} search={search} />
        )}
      </div>
    </>
  );
}

function CtrFilters({ by, then, site, segment }: { by: string; then: string | undefined; site: string; segment: string | undefined }) {
  const navigate = route.useNavigate();
  const options = DIMENSIONS.map((dimension) => ({ value: dimension, label: m.dimension(dimension) }));
  return (
    <div className="filters">
      <Choice
        label={m.ctr.groupBy}
        options={options}
        value={by}
        onChange={(next) => void navigate({ search: (previous) => ({ ...previous, by: next, then: then ?? NOTHING }) })}
      />
      <Choice
        label={m.ctr.thenBy}
        options={[{ value: NOTHING, label: m.ctr.noSecond }, ...options.filter((option) => option.value !== by)]}
        value={then ?? NOTHING}
        onChange={(next) => void navigate({ search: (previous) => ({ ...previous, by, then: next }) })}
      />
      <SegmentChoice site={site} segment={segment} />
    </div>
  );
}

function CtrEmpty({ site }: { site: Site }) {
  if (site.events !== undefined && site.events > 0) {
    return (
      <Empty title={m.ctr.emptyTitle}>
        {m.ctr.emptyNoAds(site.name)} <Link to="/funnel" search={{ site: site.id }}>{m.ctr.seeFunnel}</Link>
      </Empty>
    );
  }
  return (
    <Empty title={m.ctr.emptyTitle} command={m.commands.simulate}>
      {m.ctr.emptyLoad}
    </Empty>
  );
}

function CtrContent({ report, dimensions, search }: { report: CtrReport | undefined; dimensions: readonly string[]; search: CtrSearch }) {
  const by = format.list(dimensions.map(m.dimension));
  return (
    <>
      <Headline label={m.ctr.overall}>
        <Figure
          lead
          testId="overall-ctr"
          label={m.ctr.overall}
          value={report === undefined ? undefined : format.rate(report.total.ctr)}
          note={report === undefined ? undefined : m.measure.intervalOf(format.rateInterval(report.total.low, report.total.high))}
        />
        <Figure label={m.measure.clicks} value={report === undefined ? undefined : format.count(report.total.clicks)} />
        <Figure label={m.measure.impressions} value={report === undefined ? undefined : format.count(report.total.impressions)} />
        <Figure label={by} value={report === undefined ? undefined : m.ctr.groups(report.groups.length)} />
      </Headline>
      <CtrChart report={report} by={by} />
      <Card title={m.ctr.table} flush>
        {report === undefined ? <TableSkeleton /> : <CtrTable report={report} dimensions={dimensions} search={search} />}
      </Card>
    </>
  );
}

function CtrChart({ report, by }: { report: CtrReport | undefined; by: string }) {
  const palette = usePalette();
  const data = useMemo(() => (report === undefined ? undefined : ctrChartData(report.groups)), [report]);
  const option = useMemo(
    () => (report === undefined || data === undefined ? undefined : ctrOption(data, report.total, palette, valueName)),
    [report, data, palette],
  );
  const best = data?.groups.reduce<CtrGroup | undefined>((top, group) => (top === undefined || group.ctr > top.ctr ? group : top), undefined);
  const note = data !== undefined && data.allCategories > data.categories.length ? m.ctr.chartTop(data.categories.length, data.allCategories) : '';
  const legend =
    data !== undefined && data.series.length > 1 ? (
      <ul className="legend">
        {data.series.map((name, index) => (
          <li key={name}>
            <i className="swatch" style={{ background: seriesColor(palette, index) }} />
            {valueName(name)}
          </li>
        ))}
      </ul>
    ) : null;
  return (
    <Card title={m.ctr.chart(by)} note={m.ctr.chartNote(note)} actions={legend}>
      {option === undefined ? (
        <Skeleton height={CHART_HEIGHT} />
      ) : (
        <Chart
          kind="custom"
          testId="ctr-chart"
          option={option}
          height={CHART_HEIGHT}
          description={m.ctr.chartDescription(by, best?.keys.map(valueName).join(', ') ?? '', format.rate(best?.ctr ?? 0))}
        />
      )}
    </Card>
  );
}

function CtrTable({ report, dimensions, search }: { report: CtrReport; dimensions: readonly string[]; search: CtrSearch }) {
  const [sort, setSort] = useSort(search, { column: 'impressions', descending: true });
  const columns = useMemo(() => {
    const highest = Math.max(0, ...report.groups.map((group) => group.ctr));
    const keys = dimensions.map(
      (dimension, index): Column<CtrGroup> => ({
        id: dimension,
        header: m.dimension(dimension),
        cell: (group) => valueName(group.keys[index] ?? ''),
        compare: (a, b) => format.collator.compare(a.keys[index] ?? '', b.keys[index] ?? ''),
        footer: index === 0 ? m.ctr.overall : '',
      }),
    );
    return [...keys, ...rateColumns<CtrGroup>(report.total, highest)];
  }, [report, dimensions]);
  return (
    <Table
      caption={m.ctr.table}
      columns={columns}
      rows={report.groups}
      rowKey={(group) => group.keys.join('\u0000')}
      sort={sort}
      onSort={setSort}
    />
  );
}
