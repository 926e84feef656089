import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Page } from '../app/Page';
import type { Made } from '../api/notifications';
import type { Site } from '../api/model';
import { alertsQuery } from '../api/notifications';
import { alertMessages as words } from '../i18n/alertMessages';
import { messages as m } from '../i18n/messages';
import { alertsVerdict } from '../state/notificationDraft';
import type { AlertsSearch } from '../state/search';
import { Button } from '../ui/Button';
import { Segments } from '../ui/Choice';
import { PlusIcon } from '../ui/icons';
import { Command, Empty, Failure, Skeleton } from '../ui/states';
import { ToneMark } from '../ui/ToneMark';
import { AlertEditor } from './AlertEditor';
import { AlertsTable } from './AlertsTable';
import { DeliveriesCard } from './DeliveriesCard';
import { DeliveryEditor } from './DeliveryEditor';
import '../styles/answer.css';
import '../styles/editing.css';
import '../styles/manage.css';
import '../styles/alerts.css';

const route = getRouteApi('/alerts');

export type Kind = 'alerts' | 'deliveries';

export function AlertsView() {
  const search = route.useSearch();
  const kind: Kind = search.tab ?? 'alerts';
  const [made, setMade] = useState<Made & { readonly name: string }>();
  return (
    <Page title={words.title} intro={words.intro} actions={search.edit === undefined ? <NewLink kind={kind} search={search} /> : undefined}>
      {(site) => (
        <div className="stack">
          {made === undefined ? null : <SecretCard made={made} onDone={() => { setMade(undefined); }} />}
          {search.edit === undefined ? (
            <>
              <Tabs kind={kind} />
              {kind === 'alerts' ? <AlertsList site={site} search={search} /> : <DeliveriesCard site={site} search={search} />}
            </>
          ) : kind === 'alerts' ? (
            <AlertEditor key={search.edit} site={site} id={search.edit} onMade={setMade} />
          ) : (
            <DeliveryEditor key={search.edit} site={site} id={search.edit} report={search.report} onMade={setMade} />
          )}
        </div>
      )}
    </Page>
  );
}

function NewLink({ kind, search: { site, tab } }: { kind: Kind; search: AlertsSearch }) {
  return (
    <Link to="/alerts" search={{ ...(site === undefined ? {} : { site }), ...(tab === undefined ? {} : { tab }), edit: 'new' }} className="button primary">
      <PlusIcon />
      {kind === 'alerts' ? words.newAlert : words.newDelivery}
    </Link>
  );
}

function Tabs({ kind }: { kind: Kind }) {
  const navigate = route.useNavigate();
  return (
    <div>
      <Segments
        label={words.tab}
        hideLabel
        value={kind}
        options={(['alerts', 'deliveries'] as const).map((value) => ({ value, label: words.tabs[value] }))}
        onChange={(next) => void navigate({ search: ({ site }) => ({ ...(site === undefined ? {} : { site }), ...(next === 'alerts' ? {} : { tab: next }) }) })}
      />
    </div>
  );
}

/** The secret of what was made is told once. */
function SecretCard({ made, onDone }: { made: Made & { readonly name: string }; onDone: () => void }) {
  return (
    <section className="card answer" aria-label={words.secretTitle(made.name)} data-testid="secret">
      <ToneMark tone="good" />
      <div className="answer-text">
        <h2>{words.secretTitle(made.name)}</h2>
        <p>{words.secretText}</p>
        <Command text={made.secret} />
        <div className="secret-done">
          <Button look="primary" onPress={onDone}>
            {words.secretDone}
          </Button>
        </div>
      </div>
    </section>
  );
}

const TONES = { firing: 'bad', failing: 'warn', pending: 'warn', calm: 'good' } as const;

function AlertsList({ site, search }: { site: Site; search: AlertsSearch }) {
  const alerts = useQuery(alertsQuery(site.id));
  if (alerts.data === undefined && alerts.error !== null) {
    return (
      <div className="card">
        <Failure error={alerts.error} onRetry={() => void alerts.refetch()} />
      </div>
    );
  }
  if (alerts.data?.length === 0) {
    return (
      <div className="card">
        <Empty title={words.emptyTitle}>
          {words.emptyAdvice}
          <span className="empty-actions">
            <Link to="/alerts" search={{ site: site.id, edit: 'new' }} className="button primary">
              {words.newAlert}
            </Link>
          </span>
        </Empty>
      </div>
    );
  }
  const verdict = alerts.data === undefined ? undefined : alertsVerdict(alerts.data);
  const watched = alerts.data?.filter(({ isPaused }) => !isPaused) ?? [];
  const count = watched.filter(({ status, error }) => (verdict === 'failing' ? error !== '' : status === verdict)).length;
  const unsure = watched.filter((alert) => alert.verdict === 'no_data').length;
  return (
    <>
      <section className="card" aria-label={words.answer}>
        <div className="answer">
          {verdict === undefined ? (
            <div className="answer-text" role="status" aria-label={m.state.loading}>
              <Skeleton width={260} height={28} />
              <Skeleton width="min(420px, 100%)" height={20} />
            </div>
          ) : (
            <>
              <ToneMark tone={TONES[verdict]} />
              <div className="answer-text" data-testid="alerts-answer" data-verdict={verdict}>
                <h2>{words.verdict[verdict].title(count)}</h2>
                <p>{words.verdict[verdict].detail(unsure)}</p>
              </div>
            </>
          )}
        </div>
      </section>
      <AlertsTable alerts={alerts.data} search={search} />
    </>
  );
}
