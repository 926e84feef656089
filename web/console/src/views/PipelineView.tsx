import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { PageHead } from '../app/Page';
import type { Pipeline, PipelinePartition } from '../api/model';
import { pipelineQuery } from '../api/pipeline';
import { Chart } from '../charts/Chart';
import { seriesColor, usePalette } from '../charts/palette';
import { pipelineOption, type PipelineLine } from '../charts/pipelineOption';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import { pipelineMessages as words } from '../i18n/pipelineMessages';
import { findings, severity, toneOf, toneOfState, type Finding } from '../state/pipelineVerdict';
import { useMay } from '../state/session';
import { Card, Figure } from '../ui/Card';
import { Command, Failure, Skeleton, TableSkeleton } from '../ui/states';
import { Table, type Column } from '../ui/Table';
import { ToneMark } from '../ui/ToneMark';
import { useSort } from '../ui/useSort';
import { DeadLettersCard } from './DeadLettersCard';
import '../styles/answer.css';
import '../styles/pipeline.css';

const route = getRouteApi('/pipeline');
const CHART_HEIGHT = 180;

export function PipelineView() {
  const search = route.useSearch();
  // They hold what users sent.
  const maySeeLetters = useMay('admin');
  const query = useQuery(pipelineQuery());
  const pipeline = query.data;
  return (
    <>
      <PageHead title={words.title} intro={words.intro} />
      {pipeline === undefined && query.error !== null ? (
        <div className="card">
          <Failure error={query.error} onRetry={() => void query.refetch()} />
        </div>
      ) : (
        <div className="stack">
          <AnswerCard pipeline={pipeline} reached={query.error === null} />
          <div className="halves">
            <WaitingChart pipeline={pipeline} />
            <RatesChart pipeline={pipeline} />
          </div>
          <PartitionsCard pipeline={pipeline} />
          {/* Not before the table above has its size. */}
          {pipeline === undefined || !maySeeLetters ? null : (
            <DeadLettersCard reason={search.reason} known={pipeline.partitions.reduce((sum, one) => sum + one.deadLetters, 0)} />
          )}
        </div>
      )}
    </>
  );
}

/** In events per second, with a digit more where there are few. */
function rate(perSecond: number): string {
  return perSecond > 0 && perSecond < 10 ? format.decimal(perSecond, 1) : format.count(perSecond);
}

function doneIn(doneIn: number | undefined, waiting: number, wanting: boolean): string {
  if (waiting === 0) return '–';
  if (doneIn === undefined) return wanting ? words.never : words.keepsUp;
  return format.duration(doneIn);
}

function AnswerCard({ pipeline, reached }: { pipeline: Pipeline | undefined; reached: boolean }) {
  const found = pipeline === undefined ? [] : findings(pipeline);
  return (
    <section className="card" aria-label={words.answer}>
      <div className="answer">
        {pipeline === undefined ? <AnswerSkeleton /> : <Answer pipeline={pipeline} found={found} reached={reached} />}
      </div>
      <dl className="headline answer-figures" aria-label={words.figures}>
        <Figure testId="pipeline-waiting" label={words.waiting} value={pipeline && format.count(pipeline.waiting)} note={words.waitingNote} />
        <Figure label={words.oldest} value={pipeline && (pipeline.waiting === 0 ? '–' : format.duration(pipeline.oldest))} />
        <Figure label={words.landing} value={pipeline && rate(pipeline.landingPerSecond)} note={words.over15s} />
        <Figure label={words.arriving} value={pipeline && rate(pipeline.arrivingPerSecond)} note={words.over15s} />
        <Figure
          testId="pipeline-done"
          label={words.doneIn}
          value={pipeline && doneIn(pipeline.doneIn, pipeline.waiting, found.length > 0)}
          note={words.doneAtThisPace}
        />
      </dl>
    </section>
  );
}

function AnswerSkeleton() {
  return (
    <div className="answer-text" role="status" aria-label={m.state.loading}>
      <Skeleton width={260} height={28} />
      <Skeleton width="min(420px, 100%)" height={20} />
    </div>
  );
}

function Answer({ pipeline, found, reached }: { pipeline: Pipeline; found: readonly Finding[]; reached: boolean }) {
  const [worst, ...others] = found;
  const tone = reached ? toneOf(found) : 'bad';
  return (
    <>
      <ToneMark tone={tone} />
      <div className="answer-text" data-testid="pipeline-answer" data-tone={tone}>
        {!reached ? (
          <>
            <h2>{words.unreachable}</h2>
            <p>{words.unreachableDetail(format.clock(pipeline.time))}</p>
          </>
        ) : worst === undefined ? (
          <GoodAnswer pipeline={pipeline} />
        ) : (
          <FindingText finding={worst} pipeline={pipeline} />
        )}
        {reached && others.length > 0 ? (
          <ul className="also" aria-label={words.also}>
            {others.map((finding) => (
              <li key={finding.kind}>
                <FindingText finding={finding} pipeline={pipeline} minor />
              </li>
            ))}
          </ul>
        ) : null}
      </div>
    </>
  );
}

function GoodAnswer({ pipeline }: { pipeline: Pipeline }) {
  const { waiting } = pipeline;
  const detail =
    waiting === 0 ? words.allLanded : pipeline.doneIn === undefined ? words.landsAsItComes : words.landsIn(format.duration(pipeline.doneIn));
  return (
    <>
      <h2>{waiting === 0 ? words.noneWait : words.someWait(waiting)}</h2>
      <p>{detail}</p>
    </>
  );
}

function FindingText({ finding, pipeline, minor = false }: { finding: Finding; pipeline: Pipeline; minor?: boolean }) {
  const { title, detail } = sentences(finding, pipeline);
  return (
    <>
      {minor ? <h3>{title}</h3> : <h2>{title}</h2>}
      {detail}
    </>
  );
}

function sentences(finding: Finding, pipeline: Pipeline): { title: string; detail: ReactNode } {
    if (finding.kind === 'log') return { title: words.logAway[pipeline.logKind], detail: <p>{words.logAwayDetail}</p> };
  if (finding.kind === 'store') return { title: words.storeAway, detail: <p>{words.storeAwayDetail(pipeline.waiting)}</p> };
  const count = finding.partitions.length;
  const who = words.partitions(finding.partitions.map((one) => one.partition), pipeline.partitions.length);
  switch (finding.kind) {
    case 'orphaned':
      return {
        title: words.orphaned(who, count),
        detail: (
          <>
            <p>{words.orphanedDetail[pipeline.logKind](count)}</p>
            {pipeline.logKind === 'kafka' ? <Command text={m.commands.load} /> : null}
          </>
        ),
      };
    case 'silent':
      return {
        title: words.silent(who, count),
        detail: <p>{words.silentDetail(format.list([...new Set(finding.partitions.map((one) => one.loader))]))}</p>,
      };
    case 'failing':
      return { title: words.failing(who, count), detail: <LastErrors partitions={finding.partitions} /> };
    case 'stalled':
      return { title: words.stalled(who, count), detail: <p>{words.stalledDetail}</p> };
    case 'behind':
      return { title: words.behind(who, count), detail: <p>{words.behindDetail}</p> };
  }
}

/** Each error once: loaders of one store mostly fail alike. */
function LastErrors({ partitions }: { partitions: readonly PipelinePartition[] }) {
  const errors = [...new Set(partitions.map((one) => one.lastError))];
  return (
    <>
      <p>{words.failingDetail}</p>
      {errors.map((error) => (
        <code key={error} className="error-text">{error}</code>
      ))}
    </>
  );
}

function WaitingChart({ pipeline }: { pipeline: Pipeline | undefined }) {
  const palette = usePalette();
  const lines = useMemo(
    (): readonly PipelineLine[] => [{ name: words.waiting, color: palette.accent, filled: true, value: (moment) => moment.waiting }],
    [palette],
  );
  return (
    <HistoryCard
      pipeline={pipeline}
      title={words.waitingChart}
      lines={lines}
      testId="waiting-chart"
      description={(now) => words.waitingDescription(format.count(now.waiting))}
    />
  );
}

function RatesChart({ pipeline }: { pipeline: Pipeline | undefined }) {
  const palette = usePalette();
  const lines = useMemo(
    (): readonly PipelineLine[] => [
      { name: words.arrivingLine, color: seriesColor(palette, 1), value: (moment) => moment.arrivingPerSecond },
      { name: words.landingLine, color: seriesColor(palette, 2), value: (moment) => moment.landingPerSecond },
    ],
    [palette],
  );
  return (
    <HistoryCard
      pipeline={pipeline}
      title={words.ratesChart}
      lines={lines}
      testId="rates-chart"
      description={(now) => words.ratesDescription(rate(now.landingPerSecond), rate(now.arrivingPerSecond))}
    />
  );
}

interface HistoryCardProps {
  pipeline: Pipeline | undefined;
  title: string;
  lines: readonly PipelineLine[];
  testId: string;
  description: (now: Pipeline) => string;
}

function HistoryCard({ pipeline, title, lines, testId, description }: HistoryCardProps) {
  const palette = usePalette();
  const option = useMemo(
    () => (pipeline === undefined ? undefined : pipelineOption(pipeline.history, pipeline.time, lines, palette)),
    [pipeline, lines, palette],
  );
  const legend =
    lines.length > 1 ? (
      <ul className="legend">
        {lines.map(({ name, color }) => (
          <li key={name}>
            <i className="swatch" style={{ background: color }} />
            {name}
          </li>
        ))}
      </ul>
    ) : null;
  return (
    <Card title={title} note={words.chartNote} actions={legend}>
      {pipeline === undefined || option === undefined ? (
        <Skeleton height={CHART_HEIGHT} />
      ) : (
        <Chart kind="line" testId={testId} option={option} height={CHART_HEIGHT} description={description(pipeline)} />
      )}
    </Card>
  );
}

function PartitionsCard({ pipeline }: { pipeline: Pipeline | undefined }) {
  return (
    <Card
      title={words.table}
      note={pipeline === undefined ? m.state.loading : words.tableNote(pipeline.logKind, pipeline.partitions.length)}
      flush
    >
      {pipeline === undefined ? (
        <TableSkeleton rows={4} />
      ) : pipeline.partitions.length === 0 ? (
        <p className="quiet-line">{words.noPartitions}</p>
      ) : (
        <PartitionsTable pipeline={pipeline} />
      )}
    </Card>
  );
}

function loaderName(one: PipelinePartition, storeAnswers: boolean): ReactNode {
  if (one.hasLoader === false) return <span className="cell-faint">{words.noLoader}</span>;
  if (one.loader !== '') return one.loader;
  return <span className="cell-faint">{storeAnswers && one.hasLoader !== true ? words.noLoader : words.unknown}</span>;
}

function numeric(id: string, header: string, value: (one: PipelinePartition) => number, cell: (one: PipelinePartition) => ReactNode): Column<PipelinePartition> {
  return { id, header, numeric: true, cell, compare: (a, b) => value(a) - value(b) };
}

function PartitionsTable({ pipeline }: { pipeline: Pipeline }) {
  const [sort, setSort] = useSort(route.useSearch(), { column: 'partition', descending: false });
  const { storeAnswers, time } = pipeline;
  const names = words.columns;
  const columns = useMemo((): readonly Column<PipelinePartition>[] => {
        return [
      { id: 'partition', header: names.partition, cell: (one) => one.partition, compare: (a, b) => a.partition - b.partition },
      {
        id: 'state',
        header: names.state,
        cell: (one) => <span className={`chip tone ${toneOfState(one.state)}`}>{words.states[one.state]}</span>,
        compare: (a, b) => severity(a.state) - severity(b.state),
      },
      numeric('waiting', names.waiting, (one) => one.waiting, (one) => format.count(one.waiting)),
      numeric('oldest', names.oldest, (one) => one.oldest, (one) => (one.waiting === 0 ? '–' : format.duration(one.oldest))),
      numeric('landing', names.landing, (one) => one.landingPerSecond, (one) => rate(one.landingPerSecond)),
      numeric('arriving', names.arriving, (one) => one.arrivingPerSecond, (one) => rate(one.arrivingPerSecond)),
      numeric('done', names.doneIn, (one) => one.doneIn ?? Infinity, (one) => doneIn(one.doneIn, one.waiting, one.state !== 'landing')),
      numeric('batch', names.batch, (one) => one.batchRows, (one) => format.count(one.batchRows)),
      numeric('letters', names.letters, (one) => one.deadLetters, (one) => format.count(one.deadLetters)),
      { id: 'loader', header: names.loader, cell: (one) => loaderName(one, storeAnswers), compare: (a, b) => format.collator.compare(a.loader, b.loader) },
      {
        id: 'told',
        header: names.told,
        numeric: true,
        cell: (one) => (one.told === undefined ? words.notTold : format.ago(Math.max(0, time - one.told))),
        compare: (a, b) => (a.told ?? 0) - (b.told ?? 0),
      },
      {
        id: 'error',
        header: names.lastError,
        cell: (one) =>
          one.lastError === '' ? (
            <span className="cell-faint">{words.noError}</span>
          ) : (
            <span className="error-cell" title={one.lastError}>{one.lastError}</span>
          ),
      },
    ];
  }, [storeAnswers, time, names]);
  return (
    <div className="partitions">
      <Table caption={words.table} columns={columns} rows={pipeline.partitions} rowKey={(one) => String(one.partition)} sort={sort} onSort={setSort} limit={1024} />
    </div>
  );
}
