import { useQueries } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Site } from '../api/model';
import { ctrQuery } from '../api/reports';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import { overviewMessages as words, points } from '../i18n/overviewMessages';
import { clearOnes, explain, isClear, type Effect, type Explained } from '../state/explain';
import { formatDay, type TimeRange } from '../state/range';
import type { ExploreSearch, OverviewSearch } from '../state/search';
import { writeFilters } from '../state/filters';
import { rangeAgainst, weeksBack, weeksBefore, type Against } from '../state/usual';
import { Card } from '../ui/Card';
import { Choice, Segments } from '../ui/Choice';
import { Failure, Skeleton, TableSkeleton } from '../ui/states';
import { Table, type Column } from '../ui/Table';
import { useSort } from '../ui/useSort';
import '../styles/editing.css';

const route = getRouteApi('/overview');
const DIMENSIONS = ['college_id', 'city', 'device', 'slot_id', 'campaign_id', 'ad_id'];
const ALL = '-';
const EXPLAINING = 10;

interface WhyProps {
  site: Site;
  range: TimeRange;
  search: OverviewSearch;
}

/** A cohort of one dimension, and whether what it adds is clear. */
interface Line extends Effect {
  readonly id: string;
  readonly dimension: string;
  readonly isClear: boolean;
}

function againstOf({ site, range, search }: WhyProps): Against | undefined {
  if (search.against !== undefined) return search.against;
  if (weeksBefore(range, site.first).length > 0) return 'week';
  return site.first !== undefined && site.first < range.from ? 'before' : undefined;
}

function linesOf(explained: readonly (readonly [string, Explained])[]): readonly Line[] {
  const lines = explained.flatMap(([dimension, { effects }]) => effects.map((effect) => ({ ...effect, dimension, id: `${dimension}=${effect.key ?? '*'}` })));
  const clear = clearOnes(lines.map(({ p }) => p));
  return lines.map((line, index) => ({ ...line, isClear: clear[index] === true }));
}

function useExplained({ site, range, search }: WhyProps, against: Against | undefined) {
  const names = search.by === undefined ? DIMENSIONS : [search.by];
  const of = (one: TimeRange | undefined) => names.map((name) => ctrQuery({ site: site.id, range: one, segment: search.segment, by: [name] }));
  const queries = useQueries({ queries: [...of(against === undefined ? undefined : range), ...of(against === undefined ? undefined : rangeAgainst(range, against))] });
  const reports = queries.map(({ data }) => data);
  const isReady = reports.every((data) => data !== undefined);
  const error = queries.find((query) => query.error !== null)?.error ?? null;
  const explained = isReady
    ? names.flatMap((name, index) => {
        const [now, before] = [reports[index], reports[index + names.length]];
        return now === undefined || before === undefined ? [] : [[name, explain(now, before)] as const];
      })
    : undefined;
  const retry = () => { for (const query of queries) void query.refetch(); };
  return { explained, error, retry, isOld: queries.some((query) => query.isPlaceholderData) };
}

export function WhyCard(props: WhyProps) {
  const { range, search } = props;
  const navigate = route.useNavigate();
  const against = againstOf(props);
  const { explained, error, retry, isOld } = useExplained(props, against);
  const weeks = weeksBack(range);
  const dimensions = search.by === undefined || DIMENSIONS.includes(search.by) ? DIMENSIONS : [...DIMENSIONS, search.by];
  const change = (fields: Partial<OverviewSearch>) => void navigate({ resetScroll: false, search: ({ sort: _sort, dir: _dir, ...previous }) => ({ ...previous, ...fields }) });
  return (
    <Card
      title={words.why}
      note={against === undefined ? undefined : words.againstNote(against, weeks)}
      actions={
        <div className="why-choices">
          <Segments
            label={words.against}
            hideLabel
            value={against ?? 'week'}
            options={(['week', 'before'] as const).map((value) => ({ value, label: words.againsts(value, weeks) }))}
            onChange={(next) => { change({ against: next }); }}
          />
          <Choice
            label={words.by}
            hideLabel
            value={search.by ?? ALL}
            options={[{ value: ALL, label: words.all }, ...dimensions.map((name) => ({ value: name, label: m.dimension(name) }))]}
            onChange={(next) => { change({ by: next === ALL ? undefined : next } as Partial<OverviewSearch>); }}
          />
        </div>
      }
      flush
    >
      {error !== null ? (
        <Failure error={error} onRetry={retry} />
      ) : against === undefined ? (
        <p className="quiet-line">{words.nothingBefore}</p>
      ) : (
        <div className={isOld ? 'refreshing' : undefined} aria-busy={explained === undefined || isOld}>
          <Why {...props} explained={explained} />
        </div>
      )}
    </Card>
  );
}

function Why({ explained, ...props }: WhyProps & { explained: readonly (readonly [string, Explained])[] | undefined }) {
  const lines = useMemo(() => (explained === undefined ? undefined : linesOf(explained)), [explained]);
  const whole = explained?.[0]?.[1];
  if (lines === undefined || whole === undefined) {
    return (
      <>
        <div className="why-answer" role="status" aria-label={m.state.loading}>
          <Skeleton width="min(420px, 100%)" height={22} />
          <Skeleton width="min(560px, 100%)" height={20} />
        </div>
        <TableSkeleton rows={10} />
      </>
    );
  }
  if (whole.before.impressions === 0) return <p className="quiet-line">{words.nothingBefore}</p>;
  return (
    <>
      <WhyAnswer {...props} whole={whole} lines={lines} />
      <WhyTable {...props} lines={lines} />
    </>
  );
}

/** The cohort that explains most of the change, of those that went with it and are clear. */
function mainOf(whole: Explained, lines: readonly Line[]): Line | undefined {
  return lines
    .filter(({ isClear: clear, both, beyondEven, key }) => clear && key !== undefined && both * whole.difference > 0 && beyondEven * whole.difference > 0)
    .toSorted((a, b) => Math.abs(b.beyondEven) - Math.abs(a.beyondEven))[0];
}

function WhyAnswer({ whole, lines, ...props }: WhyProps & { whole: Explained; lines: readonly Line[] }) {
  const main = mainOf(whole, lines);
  const clear = isClear(whole.interval);
  return (
    <div className="why-answer" data-testid="why-answer" data-clear={clear}>
      <p className="strong">
        {whole.difference === 0 ? words.same(format.rate(whole.now.ctr)) : words.change(format.rate(whole.before.ctr), format.rate(whole.now.ctr), points(whole.difference))}
        <span className="cell-faint">
          {' '}
          ({words.interval(points(whole.interval.low), points(whole.interval.high))}
          {clear ? '' : `, ${words.chance}`})
        </span>
      </p>
      {main === undefined ? (
        <p>{words.nothingStandsOut}</p>
      ) : (
        <p>
          {words.mostly} {mainText(main)}{' '}
          <Link to="/explore" search={exploreOf(props, main)}>
            {words.look}
          </Link>
        </p>
      )}
    </div>
  );
}

function mainText(line: Line): string {
  const cohort = words.cohort(line.dimension, words.key(line.key));
  const part = points(line.both);
  return Math.abs(line.byRate) >= Math.abs(line.byShare)
    ? words.mostlyRate(cohort, rateText(line.before?.ctr), rateText(line.now?.ctr), part)
    : words.mostlyShare(cohort, format.percent(line.shareBefore), format.percent(line.shareNow), part);
}

function rateText(ctr: number | undefined): string {
  return ctr === undefined ? '–' : format.rate(ctr);
}

/** The cohort over time, in Explore; its ranges are of spans and days. */
function exploreOf({ site, range, search }: WhyProps, { dimension, key }: Line): ExploreSearch {
  const where = writeFilters([{ dimension, isNot: false, values: (key ?? '').replaceAll(',', '\\,') }]);
  const isDays = search.last === undefined;
  return {
    site: site.id,
    metrics: ['ctr', 'impressions', 'clicks'],
    by: [range.to - range.from > 8 * 86_400_000 ? 'day' : 'hour'],
    ...(where === undefined ? {} : { where }),
    ...(search.segment === undefined ? {} : { segment: search.segment }),
    ...(search.last === undefined ? {} : { last: search.last }),
    ...(isDays ? { from: formatDay(range.from), to: formatDay(range.to - 1) } : {}),
  };
}

const PARTS = [
  { id: 'byRate', value: ({ byRate }: Line) => byRate },
  { id: 'byShare', value: ({ byShare }: Line) => byShare },
] as const;

function WhyTable({ lines, ...props }: WhyProps & { lines: readonly Line[] }) {
  const { search } = props;
  const isAll = search.by === undefined;
  const [sort, setSort] = useSort(search, { column: 'explains', descending: true });
  const rows = useMemo(
    () => (isAll ? lines.filter(({ key }) => key !== undefined).toSorted((a, b) => Math.abs(b.beyondEven) - Math.abs(a.beyondEven)).slice(0, EXPLAINING) : lines),
    [lines, isAll],
  );
  const most = Math.max(...rows.map(({ both }) => Math.abs(both)), 1e-12);
  const names = words.heads;
  const sum = (value: (line: Line) => number) => (isAll ? undefined : points(rows.reduce((all, line) => all + value(line), 0)));
  const columns: readonly Column<Line>[] = [
    {
      id: 'cohort',
      header: names.cohort,
      cell: (line) => <Cohort line={line} isAll={isAll} search={exploreOf(props, line)} />,
      compare: (a, b) => format.collator.compare(a.id, b.id),
    },
    {
      id: 'explains',
      header: names.both,
      numeric: true,
      cell: (line) => (
        <>
          <Diverging value={line.both / most} />
          {points(line.both)}
        </>
      ),
      compare: (a, b) => (isAll ? Math.abs(a.beyondEven) - Math.abs(b.beyondEven) : Math.abs(a.both) - Math.abs(b.both)),
      footer: sum(({ both }) => both),
    },
    { id: 'rate', header: names.rate, numeric: true, cell: (line) => words.arrow(rateText(line.before?.ctr), rateText(line.now?.ctr)), compare: (a, b) => (a.now?.ctr ?? 0) - (b.now?.ctr ?? 0) },
    {
      id: 'share',
      header: names.share,
      numeric: true,
      cell: (line) => words.arrow(format.percent(line.shareBefore), format.percent(line.shareNow)),
      compare: (a, b) => a.shareNow - b.shareNow,
    },
    ...(isAll ? [] : PARTS.map(({ id, value }): Column<Line> => ({ id, header: names[id], numeric: true, cell: (line) => points(value(line)), compare: (a, b) => value(a) - value(b), footer: sum(value) }))),
    {
      id: 'certainty',
      header: names.certainty,
      cell: (line) => (line.isClear ? <span className="chip clear">{words.clear}</span> : <span className="cell-faint">{words.maybe}</span>),
      compare: (a, b) => b.p - a.p,
    },
  ];
  return (
    <>
      <Table caption={words.table} columns={columns} rows={rows} rowKey={({ id }) => id} sort={sort} onSort={setSort} limit={50} />
      <p className="table-note">
        {isAll ? words.tableNote.all : words.tableNote.one} {words.clearNote}
      </p>
    </>
  );
}

function Cohort({ line, isAll, search }: { line: Line; isAll: boolean; search: ExploreSearch }) {
  const key = words.key(line.key);
  return (
    <div className="cohort">
      {isAll ? <span className="cohort-of">{m.dimension(line.dimension)}</span> : null}
      {line.key === undefined ? (
        key
      ) : (
        <Link to="/explore" search={search} className="cell-link" title={key}>
          {key}
        </Link>
      )}
    </div>
  );
}

/** A bar to the left or to the right of nothing; from -1 to 1. */
function Diverging({ value }: { value: number }) {
  const width = `${Math.abs(value) * 50}%`;
  return (
    <span className="diverging" aria-hidden="true">
      <i className={value < 0 ? 'less' : 'more'} style={value < 0 ? { right: '50%', width } : { left: '50%', width }} />
    </span>
  );
}
