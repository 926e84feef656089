import { getRouteApi } from '@tanstack/react-router';
import { useMemo } from 'react';
import { Page } from '../app/Page';
import type { LiveStatus, Site } from '../api/model';
import { Chart } from '../charts/Chart';
import { liveOption } from '../charts/liveOption';
import { usePalette } from '../charts/palette';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import { eventsInWindow, perSecond, typesInWindow, type LiveWindow } from '../state/liveWindow';
import { useLive } from '../state/useLive';
import { Card, Figure, Headline } from '../ui/Card';
import { Empty, Failure } from '../ui/states';
import { LiveCampaignsCard } from './LiveCampaignsCard';

const route = getRouteApi('/live');
const CHART_HEIGHT = 200;

export function LiveView() {
  // Read for its type; the site itself comes from Page.
  route.useSearch();
  return (
    <Page title={m.live.title} intro={m.live.intro}>
      {(site) => <LiveReport key={site.id} site={site} />}
    </Page>
  );
}

function LiveReport({ site }: { site: Site }) {
  const { status, window, now, rate, delay, retry } = useLive(site.id);
  if (status.kind === 'refused') {
    return (
      <div className="card">
        <Failure error={status.error} onRetry={retry} />
      </div>
    );
  }
  const total = eventsInWindow(window);
  return (
    <div className="stack">
      <Headline label={m.live.rate}>
        <Figure lead testId="live-rate" label={m.live.rate} value={rate < 10 ? format.decimal(rate, 1) : format.count(rate)} note={m.live.rateNote} />
        <Figure testId="live-total" label={m.live.lastMinute} value={format.count(total)} />
        <Figure label={m.live.delay} value={delay === undefined ? '–' : format.duration(delay)} note={m.live.delayNote} />
        <div className="figure live-status">
          <dt className="visually-hidden">{m.live.connection}</dt>
          <dd>
            <StatusLine status={status} />
          </dd>
        </div>
      </Headline>
      <Card title={m.live.chart} note={m.live.chartNote}>
        <LiveChart window={window} now={now} rate={rate} />
      </Card>
      {total === 0 && status.kind === 'open' ? (
        <div className="card">
          <Empty title={m.live.quietTitle} command={m.commands.simulate}>
            {m.live.quietAdvice}
          </Empty>
        </div>
      ) : (
        <TypesCard window={window} />
      )}
      <LiveCampaignsCard site={site.id} now={now} />
    </div>
  );
}

function StatusLine({ status }: { status: LiveStatus }) {
  const text = status.kind === 'waiting' ? m.live.status.waiting(format.duration(status.milliseconds)) : m.live.status[status.kind];
  return (
    <span className="chip" role="status" data-testid="live-status" data-status={status.kind}>
      <i className={`dot ${status.kind}`} aria-hidden="true" />
      {text}
    </span>
  );
}

function LiveChart({ window, now, rate }: { window: LiveWindow; now: number; rate: number }) {
  const palette = usePalette();
  const option = useMemo(() => liveOption(perSecond(window, now), palette), [window, now, palette]);
  return <Chart kind="line" testId="live-chart" option={option} height={CHART_HEIGHT} description={m.live.description(format.decimal(rate, 1))} />;
}

function TypesCard({ window }: { window: LiveWindow }) {
  const types = typesInWindow(window);
  const most = types[0]?.events ?? 0;
  return (
    <Card title={m.live.types} note={m.live.typesNote} flush>
      <table className="table live-table">
        <caption className="visually-hidden">{m.live.types}</caption>
        <thead>
          <tr>
            <th scope="col"><span>{m.live.type}</span></th>
            <th scope="col" className="end"><span>{m.live.count}</span></th>
          </tr>
        </thead>
        <tbody>
          {types.map(({ type, events }) => (
            <tr key={type}>
              <th scope="row">{m.eventType(type)}</th>
              <td className="end">
                <span className="meter" aria-hidden="true">
                  <i style={{ width: `${(events / most) * 100}%` }} />
                </span>
                {format.count(events)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}
