import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Page } from '../app/Page';
import type { FunnelReport, FunnelStep, Site } from '../api/model';
import { EVENT_TYPES, funnelQuery } from '../api/reports';
import { forgetSegment, keepDropOff } from '../api/segments';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import type { TimeRange } from '../state/range';
import { FUNNEL_WINDOW_SECONDS, MOST_FUNNEL_STEPS, type FunnelOrder, type FunnelSearch, type FunnelWindow } from '../state/search';
import { useMay } from '../state/session';
import { tell, tellFailure } from '../state/toasts';
import { Button } from '../ui/Button';
import { Card, Figure, Headline } from '../ui/Card';
import { Choice, Segments } from '../ui/Choice';
import { SegmentChoice } from '../ui/SegmentChoice';
import { ArrowDown, ArrowUp, CloseIcon, PlusIcon } from '../ui/icons';
import { Empty, Failure, Skeleton } from '../ui/states';

const route = getRouteApi('/funnel');
const windows = Object.keys(FUNNEL_WINDOW_SECONDS) as FunnelWindow[];
const orders: readonly FunnelOrder[] = ['ordered', 'strict', 'any'];

/** The steps that show something true on a site before the reader chose any. */
function defaultSteps(site: Site): readonly string[] {
  if (site.id === 'moodle') return ['page_view', 'course_view', 'course_click'];
  if (site.id === 'open-bandit') return ['impression', 'click'];
  return ['page_view', 'impression', 'click', 'conversion'];
}

export function FunnelView() {
  const search = route.useSearch();
  return (
    <Page title={m.funnel.title} intro={m.funnel.intro} search={search}>
      {(site, range) => <FunnelReportView site={site} range={range} search={search} />}
    </Page>
  );
}

function FunnelReportView({ site, range, search }: { site: Site; range: TimeRange | undefined; search: FunnelSearch }) {
  const navigate = route.useNavigate();
  const steps = search.steps ?? defaultSteps(site);
  const within = search.within ?? '24h';
  const order = search.order ?? 'ordered';
  const query = useQuery(funnelQuery({ site: site.id, range, segment: search.segment, steps, windowSeconds: FUNNEL_WINDOW_SECONDS[within], order }));
  const keep = useKeepDropOff({ site: site.id, search, steps, windowSeconds: FUNNEL_WINDOW_SECONDS[within], order });
  const first = steps[0] ?? '';
  const empty = range === undefined || query.data?.steps[0]?.users === 0;
  return (
    <>
      <div className="filters">
        <Choice
          label={m.funnel.window}
          value={within}
          options={windows.map((value) => ({ value, label: m.funnel.windows[value] }))}
          onChange={(next) => void navigate({ search: (previous) => ({ ...previous, within: next }) })}
        />
        <Segments
          label={m.funnel.order}
          value={order}
          options={orders.map((value) => ({ value, label: m.funnel.orders[value] }))}
          onChange={(next) => void navigate({ search: (previous) => ({ ...previous, order: next }) })}
        />
        <SegmentChoice site={site.id} segment={search.segment} />
      </div>
      <div className="funnel-columns">
        <Card title={m.funnel.steps}>
          <StepsEditor
            steps={steps}
            onChange={(next) => void navigate({ replace: true, resetScroll: false, search: (previous) => ({ ...previous, steps: next }) })}
          />
        </Card>
        <div className={query.isPlaceholderData ? 'stack refreshing' : 'stack'} aria-busy={query.isFetching}>
          {query.error !== null ? (
            <div className="card">
              <Failure error={query.error} onRetry={() => void query.refetch()} />
            </div>
          ) : empty ? (
            <div className="card">
              <Empty title={m.funnel.emptyTitle} command={m.commands.simulate}>
                {m.funnel.emptyAdvice(m.eventType(first))}
              </Empty>
            </div>
          ) : (
            <FunnelContent report={query.data} steps={steps} onKeep={keep} />
          )}
        </div>
      </div>
    </>
  );
}

interface Asked {
  readonly site: string;
  readonly search: FunnelSearch;
  readonly steps: readonly string[];
  readonly windowSeconds: number;
  readonly order: FunnelOrder;
}

/** Makes a segment of who leaves after a step: at once, with a way back. */
function useKeepDropOff(asked: Asked): (after: number) => void {
  const client = useQueryClient();
  const renew = () => client.invalidateQueries({ queryKey: ['segments'] });
  return (after) => {
    const title = m.funnel.keptTitle(asked.steps.map(m.eventType), after);
    keepDropOff({ ...asked, title, after })
      .then(async ({ id, size }) => {
        await renew();
        tell({
          text: m.funnel.keptAs(title, size),
          undo: () => {
            forgetSegment(id).then(renew).catch((error: unknown) => { tellFailure(m.funnel.notKept, error); });
          },
        });
      })
      .catch((error: unknown) => { tellFailure(m.funnel.notKept, error); });
  };
}

function moved(steps: readonly string[], from: number, to: number): string[] {
  const next = [...steps];
  const [step] = next.splice(from, 1);
  if (step !== undefined) next.splice(to, 0, step);
  return next;
}

function StepsEditor({ steps, onChange }: { steps: readonly string[]; onChange: (steps: readonly string[]) => void }) {
  const options = EVENT_TYPES.map((type) => ({ value: type, label: m.eventType(type) }));
  const unused = EVENT_TYPES.find((type) => !steps.includes(type)) ?? 'click';
  return (
    <>
      <ol className="steps">
        {steps.map((step, index) => (
          // Steps have no identity but their place: one event type may stand twice.
          <li key={index} className="step">
            <span className="step-number number" aria-hidden="true">
              {format.count(index + 1)}
            </span>
            <Choice
              label={m.funnel.step(index + 1)}
              hideLabel
              value={step}
              options={options}
              onChange={(next) => {
                onChange(steps.map((old, place) => (place === index ? next : old)));
              }}
            />
            <span className="step-actions">
              <Button
                look="quiet"
                icon
                aria-label={m.funnel.moveUp(m.eventType(step))}
                disabled={index === 0}
                onPress={() => { onChange(moved(steps, index, index - 1)); }}
              >
                <ArrowUp />
              </Button>
              <Button
                look="quiet"
                icon
                aria-label={m.funnel.moveDown(m.eventType(step))}
                disabled={index === steps.length - 1}
                onPress={() => { onChange(moved(steps, index, index + 1)); }}
              >
                <ArrowDown />
              </Button>
              <Button
                look="quiet"
                icon
                aria-label={m.funnel.removeStep(m.eventType(step))}
                disabled={steps.length <= 2}
                onPress={() => { onChange(steps.filter((_, place) => place !== index)); }}
              >
                <CloseIcon />
              </Button>
            </span>
          </li>
        ))}
      </ol>
      <Button disabled={steps.length >= MOST_FUNNEL_STEPS} onPress={() => { onChange([...steps, unused]); }}>
        <PlusIcon />
        {m.funnel.addStep}
      </Button>
    </>
  );
}

interface ContentProps {
  report: FunnelReport | undefined;
  steps: readonly string[];
  /** Makes a segment of who reached the step of this number, and not the next. */
  onKeep: (after: number) => void;
}

function FunnelContent({ report, steps, onKeep }: ContentProps) {
  const first = report?.steps[0];
  const last = report?.steps.at(-1);
  return (
    <>
      <Headline label={m.funnel.conversion}>
        <Figure
          lead
          testId="funnel-conversion"
          label={m.funnel.conversion}
          value={last === undefined ? undefined : format.rate(last.fromFirst)}
          note={steps.map(m.eventType).join(' → ')}
        />
        <Figure label={m.funnel.entered} value={first === undefined ? undefined : format.count(first.users)} />
        <Figure label={m.funnel.completed} value={last === undefined ? undefined : format.count(last.users)} />
        <Figure
          label={m.funnel.medianTotal}
          value={report === undefined ? undefined : report.medianTotal === undefined ? '–' : format.duration(report.medianTotal)}
          note={report?.p90Total === undefined ? undefined : m.funnel.p90(format.duration(report.p90Total))}
        />
      </Headline>
      <Card title={m.funnel.chart}>
        {report === undefined ? <Skeleton height={steps.length * 96} /> : <FunnelBars steps={report.steps} onKeep={onKeep} />}
      </Card>
    </>
  );
}

function FunnelBars({ steps, onKeep }: { steps: readonly FunnelStep[]; onKeep: (after: number) => void }) {
  return (
    <ol className="funnel" data-testid="funnel-bars">
      {steps.map((step, index) => {
        const next = steps[index + 1];
        return (
          <li key={index}>
            <div className="funnel-step">
              <span className="funnel-name">
                <b>{m.eventType(step.name)}</b>
                <span className="cell-faint number">
                  {m.funnel.users(step.users)} · {m.funnel.ofFirst(format.percent(step.fromFirst))}
                </span>
              </span>
              <span className="funnel-track" aria-hidden="true">
                <i style={{ width: `${step.fromFirst * 100}%` }} />
              </span>
            </div>
            {next === undefined ? null : <FunnelDrop from={step} to={next} onKeep={() => { onKeep(index + 1); }} />}
          </li>
        );
      })}
    </ol>
  );
}

function FunnelDrop({ from, to, onKeep }: { from: FunnelStep; to: FunnelStep; onKeep: () => void }) {
  const mayKeep = useMay('analyst');
  const kept = to.fromPrevious ?? 0;
  const time = to.medianFromPrevious === undefined ? undefined : format.duration(to.medianFromPrevious);
  return (
    <div className="funnel-drop number">
      <span>{m.funnel.continued(format.percent(kept), time)}</span>
      <span className="cell-faint">{m.funnel.dropped(from.users - to.users, format.percent(1 - kept))}</span>
      {from.users > to.users && mayKeep ? (
        <Button look="quiet" aria-label={m.funnel.keepAfter(m.eventType(from.name))} onPress={onKeep}>
          {m.funnel.keep}
        </Button>
      ) : null}
    </div>
  );
}
