import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useMemo, useSyncExternalStore } from 'react';
import { Page } from '../app/Page';
import { reportModelQuery } from '../api/explore';
import type { Site } from '../api/model';
import { downloadReport, saveReport } from '../api/reportFile';
import { waysQuery, type PathsParameters } from '../api/ways';
import { Chart } from '../charts/Chart';
import { usePalette } from '../charts/palette';
import { sankeyOption } from '../charts/sankeyOption';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import { pathsMessages as words } from '../i18n/pathsMessages';
import { readFilters, writeFilter } from '../state/filters';
import type { TimeRange } from '../state/range';
import type { PathsSearch } from '../state/search';
import { mainWay, placesOf, waysOf, type Way, type WayNode, type Ways } from '../state/ways';
import { AnswerFrame } from '../ui/AnswerFrame';
import { Card, Figure } from '../ui/Card';
import { Choice } from '../ui/Choice';
import { ReportActions } from '../ui/ReportActions';
import { SegmentChoice } from '../ui/SegmentChoice';
import { Skeleton, TableSkeleton } from '../ui/states';
import { Table, type Column } from '../ui/Table';
import { knownTypes, TypesField } from '../ui/TypesField';
import { useSort } from '../ui/useSort';
import { WhereField } from '../ui/WhereField';
import '../styles/answer.css';
import '../styles/editing.css';
import '../styles/explore.css';
import '../styles/retention.css';

const route = getRouteApi('/paths');
const CHART_HEIGHT = 440;
const DAY = 86_400_000;
const HOUR = 3_600_000;
const ANYWHERE = '';
const STEPS = 4;
const PLACES = 6;
const STEP_CHOICES = [2, 3, 4, 5, 6, 8, 10];
const PLACE_CHOICES = [3, 5, 6, 8, 10, 15, 20];
const ROWS_SHOWN = 30;
/** Dimensions that are no place. */
const TIMES = new Set(['day', 'hour', 'hour_of_day', 'minute']);

export function PathsView() {
  const search = route.useSearch();
  return (
    <Page title={words.title} intro={words.intro} search={search} byDefault={words.newest}>
      {(site, range) => <PathsPage site={site} range={range} search={search} />}
    </Page>
  );
}

interface PageProps {
  site: Site;
  range: TimeRange | undefined;
  search: PathsSearch;
}

function rangeOf({ site, range, search }: PageProps): TimeRange | undefined {
  if (site.last === undefined || search.last !== undefined || search.from !== undefined) return site.last === undefined ? undefined : range;
  const to = Math.floor(site.last / HOUR) * HOUR + HOUR;
  return { from: to - 7 * DAY, to };
}

function parametersOf(props: PageProps): PathsParameters | undefined {
  const { site, search } = props;
  const range = rangeOf(props);
  if (range === undefined) return undefined;
  const filter = readFilters(search.where).map(writeFilter);
  if (search.segment !== undefined) filter.push(`segment=${search.segment}`);
  return {
    site: site.id,
    from: new Date(range.from).toISOString(),
    to: new Date(range.to).toISOString(),
    by: search.by ?? 'page_id',
    // `any` in the address: of any type, where nothing in it means page views.
    events: search.events === undefined ? 'page_view' : knownTypes(search.events).join(','),
    ...(search.start === undefined ? {} : { start: search.start }),
    steps: search.steps ?? STEPS,
    places: search.places ?? PLACES,
    ...(filter.length === 0 ? {} : { filter }),
  };
}

function PathsPage(props: PageProps) {
  const parameters = parametersOf(props);
  const query = useQuery(waysQuery(parameters));
  const isEmpty = parameters === undefined || query.data?.sessions === 0;
  return (
    <>
      <Choices {...props} ways={query.data} />
      <AnswerFrame
        isOld={query.isPlaceholderData}
        isBusy={query.isFetching}
        error={query.error ?? undefined}
        onRetry={() => void query.refetch()}
        empty={isEmpty ? { title: words.emptyTitle, advice: words.emptyAdvice } : undefined}
      >
        {parameters === undefined ? null : <Content ways={query.data} parameters={parameters} search={props.search} />}
      </AnswerFrame>
    </>
  );
}

function Choices({ site, search, ways }: PageProps & { ways: Ways | undefined }) {
  const navigate = route.useNavigate();
  const model = useQuery(reportModelQuery()).data;
  const change = (fields: { [K in keyof PathsSearch]?: PathsSearch[K] | undefined }) =>
    void navigate({ replace: true, resetScroll: false, search: ({ sort: _sort, dir: _dir, ...previous }) => ({ ...previous, ...fields }) as PathsSearch });
  const by = search.by ?? 'page_id';
  const dimensions = [...new Set([by, ...(model?.dimensions.map(({ name }) => name).filter((name) => !TIMES.has(name)) ?? [])])];
  const starts = [...new Set([...(search.start === undefined ? [] : [search.start]), ...(ways === undefined ? [] : placesOf(ways))])];
  const counts = (known: readonly number[], value: number) => [...new Set([...known, value])].toSorted((a, b) => a - b).map((one) => ({ value: String(one), label: format.count(one) }));
  return (
    <div className="explore-choices">
      <div className="filters">
        <Choice label={words.by} value={by} options={dimensions.map((name) => ({ value: name, label: m.dimension(name) }))} onChange={(next) => { change({ by: next === 'page_id' ? undefined : next, start: undefined }); }} />
        <TypesField
          label={words.events}
          types={search.events === undefined ? ['page_view'] : knownTypes(search.events)}
          onChange={(types) => { change({ events: types.length === 0 ? ['any'] : types.join() === 'page_view' ? undefined : types }); }}
        />
        <Choice
          label={words.start}
          value={search.start ?? ANYWHERE}
          options={[{ value: ANYWHERE, label: words.anywhere }, ...starts.map((place) => ({ value: place, label: place }))]}
          onChange={(next) => { change({ start: next === ANYWHERE ? undefined : next }); }}
        />
        <Choice label={words.steps} value={String(search.steps ?? STEPS)} options={counts(STEP_CHOICES, search.steps ?? STEPS)} onChange={(next) => { change({ steps: Number(next) === STEPS ? undefined : Number(next) }); }} />
        <Choice label={words.places} value={String(search.places ?? PLACES)} options={counts(PLACE_CHOICES, search.places ?? PLACES)} onChange={(next) => { change({ places: Number(next) === PLACES ? undefined : Number(next) }); }} />
        <SegmentChoice site={site.id} segment={search.segment} />
      </div>
      <WhereField key={site.id} where={search.where} onChange={(where) => { change({ where }); }} />
    </div>
  );
}

interface ContentProps {
  ways: Ways | undefined;
  parameters: PathsParameters;
  search: PathsSearch;
}

function Content({ ways, parameters, search }: ContentProps) {
  const way = useMemo(() => (ways === undefined ? undefined : mainWay(ways)), [ways]);
  const rows = useMemo(() => (ways === undefined ? undefined : waysOf(ways)), [ways]);
  return (
    <>
      <AnswerCard ways={ways} way={way} parameters={parameters} />
      <Card title={words.picture} note={words.pictureNote}>
        {ways === undefined || way === undefined ? <Skeleton height={CHART_HEIGHT} /> : <Picture ways={ways} way={way} steps={parameters.steps} />}
      </Card>
      <Card
        title={words.table}
        note={rows === undefined ? m.state.loading : words.tableNote(rows.length)}
        actions={
          <ReportActions
            question={parameters}
            name={words.exportName}
            hasPicture={false}
            download={(name, form) => downloadReport('paths', parameters, name, form)}
            save={(name) => saveReport('paths', parameters, name)}
          />
        }
        flush
      >
        {rows === undefined ? <TableSkeleton rows={10} /> : <WaysTable rows={rows} search={search} />}
      </Card>
    </>
  );
}

function textOf(way: readonly WayNode[]): string {
  return words.main(way.map(({ place }) => words.place(place)));
}

function AnswerCard({ ways, way, parameters }: { ways: Ways | undefined; way: readonly WayNode[] | undefined; parameters: PathsParameters }) {
  const first = ways?.nodes.filter(({ step }) => step === 1);
  const last = ways?.nodes.filter(({ step }) => step === parameters.steps);
  const sum = (nodes: readonly WayNode[] | undefined, value: (node: WayNode) => number) => nodes?.reduce((all, node) => all + value(node), 0) ?? 0;
  const part = (count: number) => (ways === undefined ? undefined : format.percent(count / Math.max(1, ways.sessions)));
  const ended = sum(first, (node) => node.ended);
  const onward = sum(last, (node) => node.sessions);
  return (
    <section className="card" aria-label={words.answer}>
      <div className="answer ways-answer">
        <div className="answer-text" data-testid="paths-answer">
          {ways === undefined || way === undefined ? (
            <>
              <Skeleton width="min(420px, 100%)" height={28} />
              <Skeleton width="min(360px, 100%)" height={20} />
            </>
          ) : (
            <>
              <h2>{textOf(way)}</h2>
              <p>
                {words.mainTitle}. {words.detail(format.count(ways.sessions), parameters.start !== undefined)}
              </p>
            </>
          )}
        </div>
      </div>
      <dl className="headline answer-figures retention-figures" aria-label={words.answer}>
        <Figure testId="paths-sessions" label={words.sessions} value={ways && format.count(ways.sessions)} />
        <Figure label={words.distinct} value={ways && format.count(placesOf(ways).length)} />
        <Figure testId="paths-ended" label={words.ended} value={part(ended)} note={ways && format.count(ended)} />
        <Figure testId="paths-onward" label={words.onward} value={part(onward)} note={ways && format.count(onward)} />
      </dl>
    </section>
  );
}

const narrow = window.matchMedia('(max-width: 760px)');
function subscribe(listener: () => void): () => void {
  narrow.addEventListener('change', listener);
  return () => { narrow.removeEventListener('change', listener); };
}

function Picture({ ways, way, steps }: { ways: Ways; way: readonly WayNode[]; steps: number }) {
  const palette = usePalette();
  const isNarrow = useSyncExternalStore(subscribe, () => narrow.matches);
  const option = useMemo(() => sankeyOption({ ways, palette, steps, isNarrow }), [ways, palette, steps, isNarrow]);
  return <Chart kind="sankey" testId="paths-chart" option={option} height={CHART_HEIGHT} description={words.description(format.count(ways.sessions), steps, textOf(way))} />;
}

function WaysTable({ rows, search }: { rows: readonly Way[]; search: PathsSearch }) {
  const [sort, setSort] = useSort(search, { column: 'step', descending: false });
  const names = words.columns;
  const place = (node: WayNode) =>
    node.place === undefined || node.place === '' ? (
      words.place(node.place)
    ) : (
      <Link to="/paths" search={{ ...search, start: node.place }} className="cell-link" title={words.startAt(node.place)}>
        {node.place}
      </Link>
    );
  const columns: readonly Column<Way>[] = [
    { id: 'from', header: names.from, cell: (way) => place(way.from), compare: (a, b) => format.collator.compare(words.place(a.from.place), words.place(b.from.place)) },
    {
      id: 'to',
      header: names.to,
      cell: (way) => (way.to === undefined ? <span className="cell-faint">{words.ends}</span> : place(way.to)),
      compare: (a, b) => format.collator.compare(a.to === undefined ? '' : words.place(a.to.place), b.to === undefined ? '' : words.place(b.to.place)),
    },
    { id: 'step', header: names.step, numeric: true, cell: ({ step }) => format.count(step), compare: (a, b) => a.step - b.step || b.sessions - a.sessions },
    { id: 'sessions', header: names.sessions, numeric: true, cell: ({ sessions }) => format.count(sessions), compare: (a, b) => a.sessions - b.sessions },
    {
      id: 'share',
      header: names.share,
      numeric: true,
      cell: ({ share }) => (
        <>
          <span className="meter" aria-hidden="true">
            <i style={{ width: `${share * 100}%` }} />
          </span>
          {format.percent(share)}
        </>
      ),
      compare: (a, b) => a.share - b.share,
    },
  ];
  return (
    <Table
      caption={words.table}
      columns={columns}
      rows={rows}
      rowKey={({ step, from, to }) => `${step} ${from.place ?? '*'} ${to === undefined ? '.' : `> ${to.place ?? '*'}`}`}
      sort={sort}
      onSort={setSort}
      limit={ROWS_SHOWN}
    />
  );
}
