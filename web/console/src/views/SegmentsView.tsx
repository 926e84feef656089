import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { Page } from '../app/Page';
import type { Site } from '../api/model';
import { segmentsQuery, type Segment } from '../api/segmentList';
import { forgetSegment, forgetSegmentLeaving, refreshSegment, segmentsReportQuery, type SegmentsReport, type SegmentUsers } from '../api/segments';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import { liveMessages } from '../i18n/liveMessages';
import { segmentMessages as words } from '../i18n/segmentMessages';
import type { TimeRange } from '../state/range';
import type { SegmentsSearch } from '../state/search';
import { useMay } from '../state/session';
import { tell, tellFailure } from '../state/toasts';
import { useRemoval } from '../state/useRemoval';
import { Button } from '../ui/Button';
import { Card } from '../ui/Card';
import { EditIcon, RefreshIcon } from '../ui/actionIcons';
import { CloseIcon, PlusIcon } from '../ui/icons';
import { Empty, Failure, TableSkeleton } from '../ui/states';
import { Table, type Column } from '../ui/Table';
import { useSort } from '../ui/useSort';
import { OverlapsCard } from './OverlapsCard';
import { SegmentEditor } from './SegmentEditor';
import '../styles/editing.css';
import '../styles/segments.css';

const route = getRouteApi('/segments');

export function SegmentsView() {
  const search = route.useSearch();
  const mayChange = useMay('analyst');
  const actions =
    search.edit === undefined && mayChange ? (
      <Link to="/segments" search={{ ...search, edit: 'new' }} className="button primary">
        <PlusIcon />
        {words.new}
      </Link>
    ) : undefined;
  return (
    <Page title={words.title} intro={words.intro} actions={actions} {...(search.edit === undefined ? { search } : {})}>
      {(site, range) => (search.edit === undefined ? <SegmentsList site={site} range={range} search={search} /> : <SegmentEditor key={search.edit} site={site} search={search} />)}
    </Page>
  );
}

interface Row extends Segment {
  /** Undefined while it is counted. */
  readonly active: SegmentUsers | undefined;
}

function SegmentsList({ site, range, search }: { site: Site; range: TimeRange | undefined; search: SegmentsSearch }) {
  const segments = useQuery(segmentsQuery(site.id));
  const client = useQueryClient();
  const [leaving, removeOne] = useRemoval(() => client.invalidateQueries({ queryKey: ['segments', site.id] }));
  const remove = ({ id, title }: Segment) => {
    removeOne({ id, told: words.removed(title), failed: words.notRemoved(title), forget: () => forgetSegment(id), forgetLeaving: () => { forgetSegmentLeaving(id); } });
  };
  const shown = useMemo(() => segments.data?.filter(({ id }) => !leaving.has(id)), [segments.data, leaving]);
  const known = segments.data?.map(({ id, refreshed, size }) => `${id}:${refreshed}:${size}`).join() ?? '';
  const report = useQuery(segmentsReportQuery(site.id, range, known));
  if (segments.error !== null) {
    return (
      <div className="card">
        <Failure error={segments.error} onRetry={() => void segments.refetch()} />
      </div>
    );
  }
  if (shown?.length === 0) return <NoSegments site={site.id} />;
  return (
    <div className="stack segments-list">
      <Card title={words.table} note={shown === undefined ? m.state.loading : words.tableNote(shown.length)} flush>
        {shown === undefined ? <TableSkeleton /> : <SegmentsTable segments={shown} report={report.data} search={search} onRemove={remove} />}
      </Card>
      {report.error !== null ? (
        <div className="card">
          <Failure error={report.error} onRetry={() => void report.refetch()} />
        </div>
      ) : shown === undefined || range === undefined ? null : (
        <OverlapsCard segments={shown} report={report.data} />
      )}
    </div>
  );
}

function NoSegments({ site }: { site: string }) {
  const mayChange = useMay('analyst');
  return (
    <div className="card">
      <Empty title={words.emptyTitle}>
        {words.emptyAdvice}
        {mayChange ? (
          <span className="empty-actions">
            <Link to="/segments" search={{ site, edit: 'new' }} className="button primary">
              {words.newRule}
            </Link>
            <Link to="/segments" search={{ site, edit: 'new', kind: 'list' }} className="button">
              {words.newList}
            </Link>
            <Link to="/segments" search={{ site, edit: 'new', kind: 'live' }} className="button">
              {liveMessages.new}
            </Link>
            <Link to="/funnel" search={{ site }} className="button">
              {words.emptyFunnel}
            </Link>
          </span>
        ) : null}
      </Empty>
    </div>
  );
}

interface SegmentsTableProps {
  segments: readonly Segment[];
  report: SegmentsReport | undefined;
  search: SegmentsSearch;
  onRemove: (segment: Segment) => void;
}

function SegmentsTable({ segments, report, search, onRemove }: SegmentsTableProps) {
  const [sort, setSort] = useSort(search, { column: 'title', descending: false });
  const rows = useMemo(() => segments.map((segment): Row => ({ ...segment, active: report?.segments.find(({ id }) => id === segment.id) })), [segments, report]);
  const names = words.columns;
  const columns: readonly Column<Row>[] = [
    {
      id: 'title',
      header: names.title,
      cell: (row) => (
        <Link to="/segments" search={{ ...search, edit: row.id }} className="cell-link" title={row.title}>
          {row.title}
        </Link>
      ),
      compare: (a, b) => format.collator.compare(a.title, b.title),
    },
    {
      id: 'kind',
      header: names.kind,
      cell: (row) => <span className="chip">{words.kinds[row.definition.kind]}</span>,
      compare: (a, b) => format.collator.compare(a.definition.kind, b.definition.kind),
    },
    { id: 'size', header: names.size, numeric: true, cell: (row) => (row.definition.kind === 'live' ? '–' : format.count(row.size)), compare: (a, b) => a.size - b.size },
    {
      id: 'active',
      header: names.active,
      numeric: true,
      cell: (row) => <Active active={row.active} />,
      compare: (a, b) => (a.active?.users ?? 0) - (b.active?.users ?? 0),
    },
    {
      id: 'found',
      header: names.found,
      numeric: true,
      cell: (row) => row.definition.kind === 'live' ? words.atEachDecision : <time dateTime={new Date(row.refreshed).toISOString()} title={format.dayTime(row.refreshed)}>{format.ago(Math.max(0, Date.now() - row.refreshed))}</time>,
      compare: (a, b) => a.refreshed - b.refreshed,
    },
    { id: 'actions', header: names.actions, numeric: true, cell: (row) => <RowActions row={row} search={search} onRemove={onRemove} /> },
  ];
  return <Table caption={words.table} columns={columns} rows={rows} rowKey={(row) => row.id} sort={sort} onSort={setSort} />;
}

/** How many of its users were there in this time, and how much of the site's users that is. */
function Active({ active }: { active: SegmentUsers | undefined }) {
  return (
    <>
      <span className="meter" aria-hidden="true">
        <i style={{ width: `${(active?.share ?? 0) * 100}%` }} />
      </span>
      {active === undefined ? '–' : format.count(active.users)}
      <span className="cell-faint share">{active === undefined ? '' : format.percent(active.share)}</span>
    </>
  );
}

function RowActions({ row, search, onRemove }: { row: Row; search: SegmentsSearch; onRemove: (segment: Segment) => void }) {
  const client = useQueryClient();
  const [isBusy, setBusy] = useState(false);
  const mayChange = useMay('analyst');
  async function refresh() {
    setBusy(true);
    try {
      const now = await refreshSegment(row.id);
      await client.invalidateQueries({ queryKey: ['segments', row.site] });
      tell({ text: words.refreshed(now.title, now.size) });
    } catch (error) {
      tellFailure(words.notRefreshed(row.title), error);
    }
    setBusy(false);
  }
  const { from, to, last } = search;
  const times = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }), ...(last === undefined ? {} : { last }) };
  const isLive = row.definition.kind === 'live';
  return (
    <span className="row-actions">
      {isLive ? <span className="nothing" /> : (
        <Link to="/ctr" search={{ site: row.site, segment: row.id, ...times }} className="button quiet" aria-label={words.seeCtr(row.title)}>
          {words.seeCtrShort}
        </Link>
      )}
      {!mayChange ? null : isLive || row.definition.kind === 'list' ? <span className="nothing" /> : (
        <Button look="quiet" icon disabled={isBusy} aria-label={words.refresh(row.title)} title={words.refresh(row.title)} onPress={() => void refresh()}>
          <RefreshIcon />
        </Button>
      )}
      {mayChange ? (
        <>
          <Link to="/segments" search={{ ...search, edit: row.id }} className="button quiet icon" aria-label={words.edit(row.title)}>
            <EditIcon />
          </Link>
          <Button look="quiet" icon aria-label={words.remove(row.title)} title={words.remove(row.title)} onPress={() => { onRemove(row); }}>
            <CloseIcon />
          </Button>
        </>
      ) : null}
    </span>
  );
}
