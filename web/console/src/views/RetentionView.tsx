import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo, type CSSProperties } from 'react';
import { Page } from '../app/Page';
import type { Site } from '../api/model';
import { downloadReport, saveReport } from '../api/reportFile';
import { retentionQuery, type Retention, type RetentionParameters } from '../api/ways';
import { Chart } from '../charts/Chart';
import { usePalette } from '../charts/palette';
import { retentionOption } from '../charts/retentionOption';
import { format } from '../i18n/format';
import { retentionMessages as words } from '../i18n/retentionMessages';
import { readFilters, writeFilter } from '../state/filters';
import type { TimeRange } from '../state/range';
import { backOfAll, isOpen, MOST_COHORTS, NEWEST, newestIntervals, newestOf, shareOf, wholeIntervals, type Back, type Cohort, type RetentionInterval } from '../state/retention';
import type { RetentionSearch } from '../state/search';
import { AnswerFrame } from '../ui/AnswerFrame';
import { Card, Figure } from '../ui/Card';
import { Segments } from '../ui/Choice';
import { ReportActions } from '../ui/ReportActions';
import { SegmentChoice } from '../ui/SegmentChoice';
import { Skeleton, TableSkeleton } from '../ui/states';
import { knownTypes, TypesField } from '../ui/TypesField';
import { WhereField } from '../ui/WhereField';
import '../styles/answer.css';
import '../styles/explore.css';
import '../styles/retention.css';

const route = getRouteApi('/retention');
const CHART_HEIGHT = 200;

export function RetentionView() {
  const search = route.useSearch();
  const interval = search.interval ?? 'day';
  return (
    <Page title={words.title} intro={words.intro} search={search} byDefault={words.newest(NEWEST[interval], interval)}>
      {(site, range) => <RetentionPage site={site} range={range} search={search} interval={interval} />}
    </Page>
  );
}

interface PageProps {
  site: Site;
  range: TimeRange | undefined;
  search: RetentionSearch;
  interval: RetentionInterval;
}

/** Whole intervals, and whether there are more in the range. */
function askedOf({ site, range, search, interval }: PageProps): { readonly range: TimeRange; readonly isCut: boolean } | undefined {
  if (site.last === undefined || range === undefined) return undefined;
  if (search.last === undefined && search.from === undefined) return { range: newestIntervals(site.last, interval), isCut: false };
  const whole = wholeIntervals(range, interval);
  const newest = newestOf(whole, interval);
  return { range: newest, isCut: newest.from > whole.from };
}

function parametersOf({ site, search, interval }: PageProps, range: TimeRange): RetentionParameters {
  const filter = readFilters(search.where).map(writeFilter);
  if (search.segment !== undefined) filter.push(`segment=${search.segment}`);
  const [start, back] = [knownTypes(search.start), knownTypes(search.back)];
  return {
    site: site.id,
    from: new Date(range.from).toISOString(),
    to: new Date(range.to).toISOString(),
    interval,
    ...(start.length === 0 ? {} : { start: start.join(',') }),
    ...(back.length === 0 ? {} : { back: back.join(',') }),
    ...(filter.length === 0 ? {} : { filter }),
  };
}

function RetentionPage(props: PageProps) {
  const asked = askedOf(props);
  const parameters = asked === undefined ? undefined : parametersOf(props, asked.range);
  const query = useQuery(retentionQuery(parameters));
  const isEmpty = parameters === undefined || query.data?.cohorts.length === 0;
  return (
    <>
      <Choices {...props} />
      <AnswerFrame
        isOld={query.isPlaceholderData}
        isBusy={query.isFetching}
        error={query.error ?? undefined}
        onRetry={() => void query.refetch()}
        empty={isEmpty ? { title: words.emptyTitle, advice: words.emptyAdvice } : undefined}
      >
        {parameters === undefined ? null : <Content {...props} retention={query.data} parameters={parameters} isCut={asked?.isCut === true} />}
      </AnswerFrame>
    </>
  );
}

function Choices({ site, search, interval }: PageProps) {
  const navigate = route.useNavigate();
  const change = (fields: { [K in keyof RetentionSearch]?: RetentionSearch[K] | undefined }) =>
    void navigate({ replace: true, resetScroll: false, search: (previous) => ({ ...previous, ...fields }) as RetentionSearch });
  return (
    <div className="explore-choices">
      <div className="filters">
        <TypesField label={words.start} types={knownTypes(search.start)} onChange={(start) => { change({ start: start.length === 0 ? undefined : start }); }} />
        <TypesField label={words.back} types={knownTypes(search.back)} onChange={(back) => { change({ back: back.length === 0 ? undefined : back }); }} />
        <Segments
          label={words.interval}
          value={interval}
          options={(['day', 'week'] as const).map((value) => ({ value, label: words.intervals[value] }))}
          onChange={(next) => { change({ interval: next === 'day' ? undefined : next }); }}
        />
        <Segments
          label={words.show}
          value={search.show ?? 'share'}
          options={(['share', 'users'] as const).map((value) => ({ value, label: words.shows[value] }))}
          onChange={(next) => { change({ show: next === 'share' ? undefined : next }); }}
        />
        <SegmentChoice site={site.id} segment={search.segment} />
      </div>
      <WhereField key={site.id} where={search.where} onChange={(where) => { change({ where }); }} />
    </div>
  );
}

interface ContentProps extends PageProps {
  retention: Retention | undefined;
  parameters: RetentionParameters;
  isCut: boolean;
}

function Content({ retention, parameters, isCut, search, site }: ContentProps) {
  // What is not over by the site's last event may go on.
  const now = site.last ?? 0;
  const backs = useMemo(() => (retention === undefined ? undefined : backOfAll(retention.cohorts, retention.interval, now)), [retention, now]);
  const interval = parameters.interval;
  return (
    <>
      <AnswerCard retention={retention} backs={backs} search={search} interval={interval} />
      <Card title={words.curve} note={words.curveNote}>
        {backs === undefined ? <Skeleton height={CHART_HEIGHT} /> : <Curve backs={backs} interval={interval} />}
      </Card>
      <Card
        title={words.table}
        note={words.tableNote(isCut, MOST_COHORTS)}
        actions={
          <ReportActions
            question={parameters}
            name={words.exportName}
            hasPicture
            download={(name, form) => downloadReport('retention', parameters, name, form)}
            save={(name) => saveReport('retention', parameters, name)}
          />
        }
        flush
      >
        {retention === undefined || backs === undefined ? <TableSkeleton rows={10} /> : <Grid retention={retention} backs={backs} now={now} show={search.show ?? 'share'} />}
      </Card>
    </>
  );
}

interface AnswerProps {
  retention: Retention | undefined;
  backs: readonly Back[] | undefined;
  search: RetentionSearch;
  interval: RetentionInterval;
}

const MARKS: Readonly<Record<RetentionInterval, readonly number[]>> = { day: [1, 3, 7], week: [1, 2, 4] };

function AnswerCard({ retention, backs, search, interval }: AnswerProps) {
  const users = retention?.cohorts.reduce((sum, cohort) => sum + cohort.users, 0) ?? 0;
  const next = backs?.[1] === undefined ? undefined : shareOf(backs[1]);
  return (
    <section className="card" aria-label={words.answer}>
      <div className="answer ways-answer">
        <div className="answer-text" data-testid="retention-answer">
          {retention === undefined ? (
            <>
              <Skeleton width={260} height={28} />
              <Skeleton width="min(420px, 100%)" height={20} />
            </>
          ) : (
            <>
              <h2>{next === undefined ? words.tooEarly : words.cameBack(format.percent(next), interval)}</h2>
              <p>{next === undefined ? words.tooEarlyDetail(interval) : words.detail(retention.cohorts.length, format.count(users), interval, knownTypes(search.start), knownTypes(search.back))}</p>
            </>
          )}
        </div>
      </div>
      <dl className="headline answer-figures retention-figures" aria-label={words.answer}>
        <Figure testId="retention-users" label={words.users} value={retention && format.count(users)} note={retention && words.usersNote(retention.cohorts.length)} />
        {MARKS[interval].map((k) => {
          const at = backs?.[k] ?? { users: 0, back: 0 };
          const share = shareOf(at);
          return (
            <Figure
              key={k}
              testId={`retention-${k}`}
              label={words.at(k, interval)}
              value={backs && (share === undefined ? '–' : format.percent(share))}
              note={backs && (share === undefined ? '' : words.atNote(format.count(at.back), format.count(at.users)))}
            />
          );
        })}
      </dl>
    </section>
  );
}

function Curve({ backs, interval }: { backs: readonly Back[]; interval: RetentionInterval }) {
  const palette = usePalette();
  const option = useMemo(() => retentionOption({ backs, palette, at: (k) => words.at(k, interval) }), [backs, palette, interval]);
  const shown = backs.flatMap((back, k) => (k === 0 || back.users === 0 ? [] : [{ k, share: back.back / back.users }]));
  const last = shown.at(-1);
  return (
    <Chart
      kind="line"
      testId="retention-chart"
      option={option}
      height={CHART_HEIGHT}
      description={last === undefined ? words.tooEarly : words.description(format.percent(shown[0]?.share ?? 0), format.percent(last.share), words.at(last.k, interval))}
    />
  );
}

/** React's type of a style has no room for a property of one's own. */
function shade(share: number): CSSProperties {
  return { '--shade': `${Math.round(share * 100)}%` } as CSSProperties;
}

interface GridProps {
  retention: Retention;
  backs: readonly Back[];
  now: number;
  show: 'share' | 'users';
}

function Grid({ retention: { cohorts, interval }, backs, now, show }: GridProps) {
  const text = (back: number, users: number) => (show === 'users' ? format.count(back) : users === 0 ? '–' : format.percent(back / users));
  return (
    // A region that scrolls must be reachable by keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="table-scroll" role="region" aria-label={words.table} tabIndex={0}>
      <table className="table retention" data-testid="retention">
        <caption className="visually-hidden">{words.table}</caption>
        <thead>
          <tr>
            <th scope="col"><span>{words.cohort}</span></th>
            <th scope="col" className="end"><span>{words.users}</span></th>
            {backs.map((_, k) => (
              <th key={k} scope="col" className="end"><span>{words.at(k, interval)}</span></th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr className="retention-all">
            <th scope="row">{words.all}</th>
            <td className="end">{format.count(cohorts.reduce((sum, { users }) => sum + users, 0))}</td>
            {backs.map(({ users, back }, k) => (
              <td key={k} className="end shade" style={shade(users === 0 ? 0 : back / users)} title={words.cell(format.count(back), format.count(users), words.at(k, interval), false)}>
                {text(back, users)}
              </td>
            ))}
          </tr>
          {cohorts.map((cohort) => (
            <tr key={cohort.time}>
              <th scope="row">{nameOf(cohort, interval)}</th>
              <td className="end">{format.count(cohort.users)}</td>
              {backs.map((_, k) => {
                const back = cohort.back[k];
                if (back === undefined) return <td key={k} />;
                const goesOn = isOpen(cohort, k, interval, now);
                return (
                  <td
                    key={k}
                    className={goesOn ? 'end shade goes-on' : 'end shade'}
                    style={shade(back / Math.max(1, cohort.users))}
                    title={words.cell(format.count(back), format.count(cohort.users), words.at(k, interval), goesOn)}
                  >
                    {text(back, cohort.users)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function nameOf({ time }: Cohort, interval: RetentionInterval): string {
  const day = format.bucket(time, 86_400);
  return interval === 'week' ? words.weekOf(day) : day;
}
