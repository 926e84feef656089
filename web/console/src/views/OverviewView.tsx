import { useQueries } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo, useState, type ReactNode } from 'react';
import { Page } from '../app/Page';
import type { Site } from '../api/model';
import { momentsQuery } from '../api/overview';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import { overviewMessages as words } from '../i18n/overviewMessages';
import type { TimeRange } from '../state/range';
import type { OverviewSearch } from '../state/search';
import { bandOf, median, newestDay, stepOf, usualness, weeksBefore, type Moments, type Numbers, type Usualness } from '../state/usual';
import { BandLine } from '../ui/BandLine';
import { SegmentChoice } from '../ui/SegmentChoice';
import { Empty, Failure, Skeleton } from '../ui/states';
import { ToneMark, type Tone } from '../ui/ToneMark';
import { WhyCard } from './WhyCard';
import '../styles/answer.css';
import '../styles/overview.css';

const route = getRouteApi('/overview');

export function OverviewView() {
  const search = route.useSearch();
  return (
    <Page title={words.title} intro={words.intro} search={search} byDefault={words.byDefault}>
      {(site, range) => <Overview site={site} range={range} search={search} />}
    </Page>
  );
}

function Overview({ site, range: chosen, search }: { site: Site; range: TimeRange | undefined; search: OverviewSearch }) {
  // Counted once, when the page is opened: a report is nothing to poll.
  const [now] = useState(() => Date.now());
  const isChosen = search.last !== undefined || search.from !== undefined;
  const newest = useMemo(() => newestDay(site.first, site.last, now), [site, now]);
  const range = isChosen ? chosen : newest?.range;
  if (range === undefined || site.last === undefined) {
    return (
      <div className="card">
        <Empty title={words.emptyTitle} command={m.commands.simulate}>
          {words.emptyAdvice}
        </Empty>
      </div>
    );
  }
  return (
    <div className="stack">
      <NowCard site={site} range={range} search={search} isOld={!isChosen && newest?.isNow === false} />
      <WhyCard site={site} range={range} search={search} />
    </div>
  );
}

const TONES: Readonly<Record<Usualness, Tone>> = { alone: 'quiet', silent: 'bad', lower: 'warn', higher: 'good', usual: 'good' };

interface NowProps {
  site: Site;
  range: TimeRange;
  search: OverviewSearch;
  isOld: boolean;
}

function NowCard({ site, range, search, isOld }: NowProps) {
  const step = stepOf(range);
  const ranges = [range, ...weeksBefore(range, site.first)];
  const queries = useQueries({ queries: ranges.map((one) => momentsQuery({ site: site.id, segment: search.segment, range: one, step })) });
  const failed = queries.find(({ error }) => error !== null);
  const answers = queries.map(({ data }) => data).filter((data) => data !== undefined);
  const [now, ...before] = answers.length === ranges.length ? answers : [];
  // A week without anything is no usual one.
  const weeks = before.filter(({ total }) => total.impressions > 0);
  if (failed?.error != null) {
    return (
      <div className="card">
        <Failure error={failed.error} onRetry={() => { for (const query of queries) void query.refetch(); }} />
      </div>
    );
  }
  const isFetching = queries.some((query) => query.isPlaceholderData);
  return (
    <section className={isFetching ? 'card refreshing' : 'card'} aria-label={words.answer} aria-busy={now === undefined || isFetching}>
      <div className="answer overview-answer">
        {now === undefined ? <AnswerSkeleton /> : <Answer now={now} weeks={weeks} range={range} isOld={isOld} last={site.last} />}
        <SegmentChoice site={site.id} segment={search.segment} />
      </div>
      <dl className="headline answer-figures overview-figures" aria-label={words.figures}>
        {FIGURES.map(({ id, value, text }) => (
          <NowFigure key={id} id={id} now={now} weeks={weeks} step={step} value={value} text={text} />
        ))}
      </dl>
      <p className="overview-legend" aria-hidden="true">
        <i className="line-now" /> {words.lineNow}
        {weeks.length === 0 ? null : (
          <>
            <i className="line-usual" /> {words.lineUsual(weeks.length)}
          </>
        )}
      </p>
    </section>
  );
}

function AnswerSkeleton() {
  return (
    <div className="answer-text" role="status" aria-label={m.state.loading}>
      <Skeleton width={260} height={30} />
      <Skeleton width="min(420px, 100%)" height={20} />
      <Skeleton width="min(300px, 100%)" height={18} />
    </div>
  );
}

function Answer({ now, weeks, range, isOld, last }: { now: Moments; weeks: readonly Moments[]; range: TimeRange; isOld: boolean; last: number | undefined }) {
  const verdict = usualness(now.rate, weeks.map(({ rate }) => rate));
  const usual = median(weeks.map(({ total }) => total.impressions)) ?? 0;
  const rate = `${format.rate(now.rate.ctr)} (${format.rateInterval(now.rate.low, now.rate.high)})`;
  return (
    <>
      <ToneMark tone={TONES[verdict]} />
      <div className="answer-text" data-testid="overview-answer" data-verdict={verdict}>
        <h2>{words.titles[verdict]}</h2>
        <p>{words.detail[verdict](rate, format.count(usual), weeks.length)}</p>
        <p className="cell-faint">
          {words.span(range.from, range.to)}. {isOld && last !== undefined ? words.isOld(format.day(last)) : null}
        </p>
      </div>
    </>
  );
}

type FigureId = keyof typeof words.columns;

interface FigureKind {
  readonly id: FigureId;
  readonly value: (numbers: Numbers) => number | undefined;
  readonly text: (value: number) => string;
}

/** A rate of fewer impressions is noise, which would hide the rest of the line. */
const FEWEST_TO_DRAW = 50;
const count = (value: number) => format.count(value);
const FIGURES: readonly FigureKind[] = [
  { id: 'ctr', value: ({ impressions, clicks }) => (impressions === 0 ? undefined : clicks / impressions), text: (value) => format.rate(value) },
  { id: 'impressions', value: ({ impressions }) => impressions, text: count },
  { id: 'clicks', value: ({ clicks }) => clicks, text: count },
  { id: 'conversions', value: ({ conversions }) => conversions, text: count },
  { id: 'spend', value: ({ spend }) => spend, text: (value) => format.decimal(value, 2) },
];

interface NowFigureProps extends FigureKind {
  now: Moments | undefined;
  weeks: readonly Moments[];
  step: ReturnType<typeof stepOf>;
}

function NowFigure({ id, now, weeks, step, value, text }: NowFigureProps) {
  const band = useMemo(
    () => (now === undefined ? undefined : bandOf(now, weeks, step, id === 'ctr' ? (numbers) => (numbers.impressions < FEWEST_TO_DRAW ? undefined : value(numbers)) : value)),
    [now, weeks, step, id, value],
  );
  const own = now === undefined ? undefined : value(now.total);
  const usual = median(weeks.map(({ total }) => value(total)).filter((one) => one !== undefined));
  return (
    <Shown label={words.columns[id]} testId={`now-${id}`} value={now === undefined ? undefined : own === undefined ? '–' : text(own)} note={now === undefined ? '' : noteOf(own, usual, text)}>
      {band === undefined ? <Skeleton height={44} /> : <BandLine {...band} />}
    </Shown>
  );
}

function noteOf(own: number | undefined, usual: number | undefined, text: (value: number) => string): string {
  if (usual === undefined) return words.noUsual;
  return words.usually(text(usual), own === undefined || usual === 0 ? undefined : own / usual - 1);
}

function Shown({ label, testId, value, note, children }: { label: string; testId: string; value: string | undefined; note: string; children: ReactNode }) {
  return (
    <div className="figure" data-testid={testId}>
      <dt>{label}</dt>
      <dd>{value ?? <span className="skeleton inline" aria-hidden="true" />}</dd>
      <dd className="note">{note}</dd>
      <dd className="band" aria-hidden="true">
        {children}
      </dd>
    </div>
  );
}
