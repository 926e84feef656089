import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { Page } from '../app/Page';
import { MOST_ROWS, parametersOf, reportModelQuery, type Exploration, type Question, type ReportModel } from '../api/explore';
import type { Site } from '../api/model';
import { downloadReport, saveReport } from '../api/reportFile';
import { Chart } from '../charts/Chart';
import { usePalette } from '../charts/palette';
import { savedPicture } from '../charts/savedOption';
import { exploreMessages as words } from '../i18n/exploreMessages';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import { cellText } from '../i18n/savedMessages';
import { readFilters, writeFilter } from '../state/filters';
import type { TimeRange } from '../state/range';
import type { ExploreSearch } from '../state/search';
import { useExploration } from '../state/useExploration';
import { AnswerFrame } from '../ui/AnswerFrame';
import { Card, Figure, Headline } from '../ui/Card';
import { Choice } from '../ui/Choice';
import { ReportActions } from '../ui/ReportActions';
import { SegmentChoice } from '../ui/SegmentChoice';
import { Skeleton, TableSkeleton } from '../ui/states';
import { ExploreTable } from './ExploreTable';
import { WhereField } from '../ui/WhereField';
import '../styles/explore.css';

const route = getRouteApi('/explore');
const CHART_HEIGHT = 360;
const METRICS = ['impressions', 'clicks', 'ctr'];
const BY = ['day'];
const NOTHING = '-';

export function ExploreView() {
  const search = route.useSearch();
  return (
    <Page title={words.title} intro={words.intro} search={search}>
      {(site, range) => <Explore site={site} range={range} search={search} />}
    </Page>
  );
}

function questionOf(site: Site, range: TimeRange, search: ExploreSearch): Question {
  const filter = readFilters(search.where).map(writeFilter);
  if (search.segment !== undefined) filter.push(`segment=${search.segment}`);
  // `none` in the address: no dimension, where nothing in it means the usual one.
  const by = (search.by ?? BY).filter((name) => name !== 'none');
  return { site: site.id, metrics: search.metrics ?? METRICS, by, filter, from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() };
}

function Explore({ site, range, search }: { site: Site; range: TimeRange | undefined; search: ExploreSearch }) {
  const model = useQuery(reportModelQuery());
  const [attempt, setAttempt] = useState(0);
  const question = useMemo(() => (range === undefined ? undefined : questionOf(site, range, search)), [site, range, search]);
  const { exploration, isRunning, isOld, error } = useExploration(question, model.data, attempt);
  const failed: Error | undefined = model.error ?? error;
  const isEmpty = range === undefined || (!isRunning && exploration?.table.rows.length === 0);
  return (
    <>
      <Choices search={search} model={model.data} site={site.id} />
      <AnswerFrame
        isOld={isOld && exploration !== undefined}
        isBusy={isRunning}
        error={failed}
        onRetry={() => {
          if (model.error !== null) void model.refetch();
          setAttempt((count) => count + 1);
        }}
        empty={isEmpty ? { title: words.emptyTitle, advice: words.emptyAdvice } : undefined}
      >
        <Answer exploration={exploration} question={question} isRunning={isRunning} />
      </AnswerFrame>
    </>
  );
}

function Choices({ search, model, site }: { search: ExploreSearch; model: ReportModel | undefined; site: string }) {
  const navigate = route.useNavigate();
  const metrics = search.metrics ?? METRICS;
  const by = (search.by ?? BY).filter((name) => name !== 'none');
  const change = (fields: Partial<ExploreSearch>) => void navigate({ replace: true, resetScroll: false, search: ({ sort: _sort, dir: _dir, ...previous }) => ({ ...previous, ...fields }) });
  const setBy = (place: number, name: string) => {
    const next = [...by.slice(0, place), ...(name === NOTHING ? [] : [name]), ...by.slice(place + 1)].filter((one, index, all) => all.indexOf(one) === index);
    change({ by: next.length === 0 ? ['none'] : next });
  };
  const dimensions = model?.dimensions.map(({ name }) => ({ value: name, label: m.dimension(name) })) ?? by.map((name) => ({ value: name, label: m.dimension(name) }));
  return (
    <div className="explore-choices">
      <fieldset className="field metrics">
        <legend className="label">{words.metrics}</legend>
        {(model?.metrics ?? words.knownMetrics).map(({ name, description }) => (
          <label key={name} className="pick" title={description}>
            <input
              type="checkbox"
              checked={metrics.includes(name)}
              disabled={metrics.includes(name) ? metrics.length === 1 : metrics.length >= 10}
              onChange={() => { change({ metrics: metrics.includes(name) ? metrics.filter((one) => one !== name) : [...metrics, name] }); }}
            />
            <span>{words.metric(name)}</span>
          </label>
        ))}
      </fieldset>
      <div className="filters">
        {words.by.map((label, place) => (
          <Choice
            key={label}
            label={label}
            value={by[place] ?? NOTHING}
            options={[{ value: NOTHING, label: words.none }, ...dimensions.filter(({ value }) => value === by[place] || !by.includes(value))]}
            onChange={(name) => { setBy(place, name); }}
          />
        ))}
        <SegmentChoice site={site} segment={search.segment} />
      </div>
      <WhereField key={site} where={search.where} onChange={(where) => { change({ where } as Partial<ExploreSearch>); }} />
    </div>
  );
}

interface AnswerProps {
  exploration: Exploration | undefined;
  question: Question | undefined;
  isRunning: boolean;
}

function Answer({ exploration, question, isRunning }: AnswerProps) {
  const palette = usePalette();
  const picture = useMemo(() => (exploration === undefined ? undefined : savedPicture(named(exploration), palette)), [exploration, palette]);
  const metrics = exploration?.table.columns.slice(exploration.table.chart?.value ?? 0) ?? [];
  const by = exploration?.table.columns.slice(0, exploration.table.chart?.value ?? 0).map(({ name }) => m.dimension(name)) ?? [];
  const first = words.metric(metrics[0]?.name ?? '');
  const state = exploration === undefined || (isRunning && exploration.sample === undefined) ? words.running : exploration.sample === undefined ? words.exact : words.estimate(format.percent(exploration.sample));
  return (
    <>
      <Headline label={words.total}>
        {(exploration === undefined ? (question?.metrics ?? []).map((name) => ({ name, type: 'count' as const })) : metrics).slice(0, 6).map(({ name, type }, index) => {
          const total = exploration?.total[index];
          return (
            <Figure
              key={name}
              lead={index === 0}
              testId={`total-${name}`}
              label={words.metric(name)}
              value={total === undefined ? undefined : cellText(total.value ?? null, type)}
              note={total?.bounds === undefined ? undefined : words.interval(cellText(total.bounds.low, type), cellText(total.bounds.high, type))}
            />
          );
        })}
      </Headline>
      <p className="explore-state" role="status" data-testid="explore-state" data-exact={!isRunning && exploration?.sample === undefined}>
        <span className={isRunning ? 'dot waiting' : 'dot open'} />
        {state}
      </p>
      {exploration !== undefined && picture === undefined ? null : (
        <Card
          title={exploration === undefined ? words.running : words.chart(first, format.list(by))}
          actions={
            picture?.legend === undefined ? undefined : (
              <ul className="legend">
                {picture.legend.map(({ name, color }) => (
                  <li key={name}>
                    <i className="swatch" style={{ background: color }} />
                    {name}
                  </li>
                ))}
              </ul>
            )
          }
        >
          {picture === undefined ? (
            <Skeleton height={CHART_HEIGHT} />
          ) : (
            <Chart kind={picture.kind} testId="explore-chart" option={picture.option} height={picture.height} description={words.description(first, format.list(by), exploration?.table.rows.length ?? 0)} />
          )}
        </Card>
      )}
      <Card
        title={words.table}
        note={exploration === undefined ? m.state.loading : words.rows(exploration.table.rows.length, exploration.isCut)}
        actions={question === undefined ? undefined : (
          <ReportActions
            question={question}
            name={words.defaultName(first, by)}
            hasPicture={picture !== undefined}
            download={(name, form) => downloadReport('metrics', { ...parametersOf(question), limit: MOST_ROWS }, name, form)}
            save={(name) => saveReport('metrics', parametersOf(question), name)}
          />
        )}
        flush
      >
        {exploration === undefined ? <TableSkeleton /> : <ExploreTable exploration={exploration} />}
      </Card>
    </>
  );
}

/** With the names that a reader knows, for the picture's tooltips. */
function named({ table }: Exploration) {
  const columns = table.columns.map(({ name, type }, index) => ({ type, name: index >= (table.chart?.value ?? 0) ? words.metric(name) : name }));
  return { ...table, columns };
}
