import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { Page } from '../app/Page';
import { clustersQuery, modelsQuery, type Cluster, type Models, type ModelVersion } from '../api/personalization';
import { Chart } from '../charts/Chart';
import { seriesColor, usePalette } from '../charts/palette';
import { versionsOption } from '../charts/versionsOption';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import { personalizationMessages as words } from '../i18n/personalizationMessages';
import { modelVerdict, toneOfVerdict } from '../state/modelVerdict';
import { Card, Figure } from '../ui/Card';
import { Empty, Failure, Skeleton, TableSkeleton } from '../ui/states';
import { Table, type Column } from '../ui/Table';
import { ToneMark } from '../ui/ToneMark';
import { useSort } from '../ui/useSort';
import { PoliciesCard } from './PoliciesCard';
import '../styles/answer.css';
import '../styles/personalization.css';

const route = getRouteApi('/personalization');
const CHART_HEIGHT = 180;
const VERSIONS_SHOWN = 20;

export function PersonalizationView() {
  const search = route.useSearch();
  const models = useQuery(modelsQuery());
  const clusters = useQuery(clustersQuery());
  return (
    <Page title={words.title} intro={words.intro} search={search}>
      {(site, range) => (
        <div className="stack">
          {models.data === undefined && models.error !== null ? (
            <div className="card">
              <Failure error={models.error} onRetry={() => void models.refetch()} />
            </div>
          ) : models.data === null ? (
            <div className="card">
              <Empty title={words.absentTitle} command={words.absentCommand}>
                {words.absentAdvice}
              </Empty>
            </div>
          ) : (
            <>
              <AnswerCard models={models.data} reached={models.error === null} />
              <div className="halves">
                <EntropyChart models={models.data} />
                <CalibrationChart models={models.data} />
              </div>
            </>
          )}
          <PoliciesCard site={site} range={range} />
          <div className="halves">
            <ClustersCard clusters={clusters.data} error={clusters.error} onRetry={() => void clusters.refetch()} />
            {models.data === null ? null : <RollBacksCard models={models.data} />}
          </div>
          {models.data === null ? null : <VersionsCard models={models.data} />}
        </div>
      )}
    </Page>
  );
}

function AnswerCard({ models, reached }: { models: Models | undefined; reached: boolean }) {
  const served = models?.served;
  const previous = models?.previous;
  const newest = models?.versions[0];
  const known = served !== undefined && served.impressions > 0;
  return (
    <section className="card" aria-label={words.answer}>
      <div className="answer">{models === undefined ? <AnswerSkeleton /> : <Answer models={models} reached={reached} />}</div>
      <dl className="headline answer-figures" aria-label={words.figures}>
        <Figure
          testId="model-serves"
          label={words.serves}
          value={served && (served.policy ?? '–')}
          note={newest === undefined ? undefined : words.since(format.ago(Math.max(0, Date.now() - newest.time)))}
        />
        <Figure testId="model-entropy" label={words.entropy} value={served && (known ? format.decimal(served.normalizedEntropy, 3) : '–')} note={words.entropyNote} />
        <Figure testId="model-calibration" label={words.calibration} value={served && (known ? format.decimal(served.calibration, 3) : '–')} note={words.calibrationNote} />
        <Figure label={words.judged} value={served && format.count(served.impressions)} note={served && words.judgedNote(format.count(served.clicks))} />
        <Figure
          label={words.before}
          value={previous && (previous.policy ?? '–')}
          note={previous && (previous.policy === undefined ? words.noneBefore : words.beforeNote(format.decimal(previous.normalizedEntropy, 3)))}
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

function Answer({ models, reached }: { models: Models; reached: boolean }) {
  const verdict = modelVerdict(models);
  const { served } = models;
  const tone = reached ? toneOfVerdict(verdict) : 'bad';
  const detail =
    verdict === 'good' ? words.goodDetail(format.percent(1 - served.normalizedEntropy), format.count(served.impressions)) : words.verdict[verdict].detail;
  return (
    <>
      <ToneMark tone={tone} />
      <div className="answer-text" data-testid="model-answer" data-verdict={verdict}>
        <h2>{reached ? words.verdict[verdict].title : words.unreachable}</h2>
        <p>{reached ? detail : words.unreachableDetail}</p>
      </div>
    </>
  );
}

function EntropyChart({ models }: { models: Models | undefined }) {
  return <VersionsChart models={models} name={words.entropy} testId="entropy-chart" series={0} value={entropyOf} />;
}

function CalibrationChart({ models }: { models: Models | undefined }) {
  return <VersionsChart models={models} name={words.calibration} testId="calibration-chart" series={2} value={calibrationOf} />;
}

const entropyOf = (version: ModelVersion) => version.normalizedEntropy;
const calibrationOf = (version: ModelVersion) => version.calibration;

interface VersionsChartProps {
  models: Models | undefined;
  name: string;
  testId: string;
  series: number;
  value: (version: ModelVersion) => number;
}

function VersionsChart({ models, name, testId, series, value }: VersionsChartProps) {
  const palette = usePalette();
  const option = useMemo(
    () =>
      models === undefined
        ? undefined
        : versionsOption({ versions: judged(models), value, name, palette, color: seriesColor(palette, series), remark }),
    [models, value, name, palette, series],
  );
  const now = models === undefined ? undefined : judged(models)[0];
  return (
    <Card title={name} note={words.overVersions}>
      {models === undefined || option === undefined ? (
        <Skeleton height={CHART_HEIGHT} />
      ) : now === undefined ? (
        <p className="quiet-line centred" style={{ height: CHART_HEIGHT }}>
          {words.noVersions}
        </p>
      ) : (
        <Chart
          kind="line"
          testId={testId}
          option={option}
          height={CHART_HEIGHT}
          description={words.chartDescription(name, format.decimal(value(now), 3), judged(models).length)}
        />
      )}
    </Card>
  );
}

/** A version that has been judged on nothing has no quality to draw. */
function judged(models: Models): readonly ModelVersion[] {
  return models.versions.filter((version) => version.impressions > 0);
}

function remark(version: ModelVersion): readonly [string, string] | undefined {
  const text = noteOf(version);
  return text === '' ? undefined : [text, ''];
}

function noteOf(version: ModelVersion): string {
  if (version.rolledBack !== undefined) return words.wentBack(version.rolledBack.to);
  return version.isBegin ? words.begin : '';
}

interface ClustersCardProps {
  clusters: readonly Cluster[] | undefined;
  error: Error | null;
  onRetry: () => void;
}

function ClustersCard({ clusters, error, onRetry }: ClustersCardProps) {
  const all = clusters?.reduce((sum, cluster) => sum + cluster.users, 0) ?? 0;
  const largest = clusters?.[0]?.users ?? 0;
  return (
    <Card title={words.clusters} note={words.clustersNote} flush>
      {error !== null && clusters === undefined ? (
        <Failure error={error} onRetry={onRetry} />
      ) : clusters === undefined ? (
        <TableSkeleton rows={4} />
      ) : clusters.length === 0 ? (
        <p className="quiet-line">{words.noClusters}</p>
      ) : (
        <ul className="bars" aria-label={words.clusters} data-testid="clusters">
          {clusters.map(({ segment, users }) => (
            <li key={segment}>
              <code>{segment}</code>
              <span className="bar" aria-hidden="true">
                <i style={{ width: `${(users / Math.max(1, largest)) * 100}%` }} />
              </span>
              <span className="number">{m.funnel.users(users)}</span>
              <span className="number cell-faint">{format.percent(users / Math.max(1, all))}</span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function RollBacksCard({ models }: { models: Models | undefined }) {
  return (
    <Card title={words.rollBacks} note={words.rollBacksNote} flush>
      {models === undefined ? (
        <TableSkeleton rows={4} />
      ) : models.rollBacks.length === 0 ? (
        <p className="quiet-line">{words.noRollBacks}</p>
      ) : (
        <ol className="events" data-testid="roll-backs">
          {models.rollBacks.map((version) => (version.rolledBack === undefined ? null : <RollBackItem key={version.version} time={version.time} back={version.rolledBack} />))}
        </ol>
      )}
    </Card>
  );
}

function RollBackItem({ time, back }: { time: number; back: NonNullable<ModelVersion['rolledBack']> }) {
  return (
    <li>
      <b>{words.rollBack(back.from, back.to)}</b>
      <time dateTime={new Date(time).toISOString()}>{format.dayTime(time)}</time>
      <p>{words.rollBackDetail(format.decimal(back.normalizedEntropy, 3), format.decimal(back.normalizedEntropyBefore, 3), format.count(back.impressions))}</p>
    </li>
  );
}

function VersionsCard({ models }: { models: Models | undefined }) {
  return (
    <Card title={words.versions} note={models === undefined ? m.state.loading : words.versionsNote(models.versions.length)} flush>
      {models === undefined ? (
        <TableSkeleton rows={6} />
      ) : models.versions.length === 0 ? (
        <p className="quiet-line">{words.verdict.none.detail}</p>
      ) : (
        <VersionsTable versions={models.versions} />
      )}
    </Card>
  );
}

function numeric(id: string, header: string, value: (version: ModelVersion) => number, text: (value: number) => ReactNode): Column<ModelVersion> {
  return { id, header, numeric: true, cell: (version) => text(value(version)), compare: (a, b) => value(a) - value(b) };
}

const count = (value: number) => format.count(value);
const quality = (value: number) => format.decimal(value, 3);

function VersionsTable({ versions }: { versions: readonly ModelVersion[] }) {
  const [sort, setSort] = useSort(route.useSearch(), { column: 'published', descending: true });
  const names = words.columns;
  const columns = useMemo(
    (): readonly Column<ModelVersion>[] => [
      { id: 'version', header: names.version, cell: (version) => version.policy, compare: (a, b) => a.version - b.version },
      numeric('published', names.published, (version) => version.time, (time) => `${format.bucket(time, 86_400)} ${format.clock(time)}`),
      numeric('examples', names.examples, (version) => version.examples, count),
      numeric('judged', names.judged, (version) => version.impressions, count),
      numeric('entropy', words.entropy, entropyOf, quality),
      numeric('calibration', words.calibration, calibrationOf, quality),
      { id: 'note', header: names.note, cell: (version) => <span className="cell-faint">{noteOf(version)}</span> },
    ],
    [names],
  );
  return <Table caption={words.versions} columns={columns} rows={versions} rowKey={(version) => String(version.version)} sort={sort} onSort={setSort} limit={VERSIONS_SHOWN} />;
}
