import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { Page } from '../app/Page';
import type { CampaignSeries, CampaignsReport, Site } from '../api/model';
import { campaignsQuery } from '../api/reports';
import { Chart } from '../charts/Chart';
import { LINES, linesOption } from '../charts/linesOption';
import { seriesColor, usePalette } from '../charts/palette';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import type { TimeRange } from '../state/range';
import type { CampaignMeasure, CampaignsSearch, Interval } from '../state/search';
import { Card, Figure, Headline } from '../ui/Card';
import { Segments } from '../ui/Choice';
import { rateColumns } from '../ui/rateColumns';
import { SegmentChoice } from '../ui/SegmentChoice';
import { Empty, Failure, Skeleton, TableSkeleton } from '../ui/states';
import { Table, type Column } from '../ui/Table';
import { useSort } from '../ui/useSort';

const route = getRouteApi('/campaigns');
const CHART_HEIGHT = 340;
const measures: readonly CampaignMeasure[] = ['impressions', 'clicks', 'ctr'];
const intervals: readonly Interval[] = ['minute', 'hour', 'day'];
const MAX_POINTS = 3000;
const SECONDS: Readonly<Record<Interval, number>> = { minute: 60, hour: 3600, day: 86_400 };

/** The finest interval that still reads as a line. */
export function automaticInterval(range: TimeRange): Interval {
  const hours = (range.to - range.from) / 3_600_000;
  if (hours <= 6) return 'minute';
  return hours <= 24 * 14 ? 'hour' : 'day';
}

function usableIntervals(range: TimeRange | undefined): readonly Interval[] {
  if (range === undefined) return intervals;
  return intervals.filter((interval) => (range.to - range.from) / 1000 / SECONDS[interval] <= MAX_POINTS);
}

export function CampaignsView() {
  const search = route.useSearch();
  return (
    <Page title={m.campaigns.title} intro={m.campaigns.intro} search={search} actions={<ManageLink search={search} />}>
      {(site, range) => <CampaignsReportView site={site} range={range} search={search} />}
    </Page>
  );
}

function ManageLink({ search: { site } }: { search: CampaignsSearch }) {
  return (
    <Link to="/campaigns/manage" search={site === undefined ? {} : { site }} className="button">
      {m.campaigns.manage}
    </Link>
  );
}

function CampaignsReportView({ site, range, search }: { site: Site; range: TimeRange | undefined; search: CampaignsSearch }) {
  const navigate = route.useNavigate();
  const usable = usableIntervals(range);
  const automatic = range === undefined ? 'hour' : automaticInterval(range);
  const interval = search.interval !== undefined && usable.includes(search.interval) ? search.interval : automatic;
  const measure = search.measure ?? 'impressions';
  const query = useQuery(campaignsQuery({ site: site.id, range, segment: search.segment, interval }));
  const empty = range === undefined || query.data?.campaigns.length === 0;
  return (
    <>
      <div className="filters">
        <Segments
          label={m.measure.label}
          value={measure}
          options={measures.map((value) => ({ value, label: m.measure[value] }))}
          onChange={(next) => void navigate({ search: (previous) => ({ ...previous, measure: next }) })}
        />
        <Segments
          label={m.campaigns.interval}
          value={interval}
          options={usable.map((value) => ({ value, label: m.campaigns.intervals[value] }))}
          onChange={(next) => void navigate({ search: (previous) => ({ ...previous, interval: next }) })}
        />
        <SegmentChoice site={site.id} segment={search.segment} />
      </div>
      <div className={query.isPlaceholderData ? 'stack refreshing' : 'stack'} aria-busy={query.isFetching}>
        {query.error !== null ? (
          <div className="card">
            <Failure error={query.error} onRetry={() => void query.refetch()} />
          </div>
        ) : empty ? (
          <div className="card">
            <Empty title={m.campaigns.emptyTitle} command={m.commands.simulate}>
              {m.campaigns.emptyAdvice}
            </Empty>
          </div>
        ) : (
          <CampaignsContent report={query.data} measure={measure} interval={interval} search={search} />
        )}
      </div>
    </>
  );
}

interface ContentProps {
  report: CampaignsReport | undefined;
  measure: CampaignMeasure;
  interval: Interval;
  search: CampaignsSearch;
}

function CampaignsContent({ report, measure, interval, search }: ContentProps) {
  const palette = usePalette();
  const drawn = useMemo(() => report?.campaigns.toSorted((a, b) => b.impressions - a.impressions).slice(0, LINES), [report]);
  const all = report?.campaigns.length ?? 0;
  const note = drawn !== undefined && drawn.length < all ? m.campaigns.top(drawn.length, all) : m.campaigns.chartNote(m.campaigns.intervals[interval].toLowerCase());
  return (
    <>
      <Headline label={m.campaigns.title}>
        <Figure
          lead
          label={m.measure.impressions}
          value={report === undefined ? undefined : format.count(report.total.impressions)}
        />
        <Figure label={m.measure.clicks} value={report === undefined ? undefined : format.count(report.total.clicks)} />
        <Figure
          label={m.measure.ctr}
          value={report === undefined ? undefined : format.rate(report.total.ctr)}
          note={report === undefined ? undefined : format.rateInterval(report.total.low, report.total.high)}
        />
        <Figure label={m.campaigns.active} value={report === undefined ? undefined : format.count(all)} />
      </Headline>
      <Card
        title={m.campaigns.overTime(m.measure[measure])}
        note={note}
        actions={
          <ul className="legend">
            {drawn?.map((campaign, index) => (
              <li key={campaign.id}>
                <i className="swatch" style={{ background: seriesColor(palette, index) }} />
                {campaign.name}
              </li>
            ))}
          </ul>
        }
      >
        {report === undefined || drawn === undefined ? (
          <Skeleton height={CHART_HEIGHT} />
        ) : (
          <CampaignsChart campaigns={drawn} measure={measure} bucketSeconds={report.bucketSeconds} />
        )}
      </Card>
      <Card title={m.campaigns.table} flush>
        {report === undefined ? <TableSkeleton rows={3} /> : <CampaignsTable report={report} search={search} />}
      </Card>
    </>
  );
}

function CampaignsChart({ campaigns, measure, bucketSeconds }: { campaigns: readonly CampaignSeries[]; measure: CampaignMeasure; bucketSeconds: number }) {
  const palette = usePalette();
  const option = useMemo(() => linesOption({ campaigns, measure, bucketSeconds, palette }), [campaigns, measure, bucketSeconds, palette]);
  return <Chart kind="line" testId="campaigns-chart" option={option} height={CHART_HEIGHT} description={m.campaigns.description(m.measure[measure], campaigns.length)} />;
}

function CampaignsTable({ report, search }: { report: CampaignsReport; search: CampaignsSearch }) {
  const [sort, setSort] = useSort(search, { column: 'impressions', descending: true });
  const columns = useMemo(() => {
    const highest = Math.max(0, ...report.campaigns.map((campaign) => campaign.ctr));
    const name: Column<CampaignSeries> = {
      id: 'campaign',
      header: m.campaigns.campaign,
      cell: (campaign) => campaign.name,
      compare: (a, b) => format.collator.compare(a.name, b.name),
      footer: m.ctr.overall,
    };
    return [name, ...rateColumns<CampaignSeries>(report.total, highest)];
  }, [report]);
  return <Table caption={m.campaigns.table} columns={columns} rows={report.campaigns} rowKey={(campaign) => campaign.id} sort={sort} onSort={setSort} />;
}
