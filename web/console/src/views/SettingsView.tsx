import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { PageHead } from '../app/Page';
import { changeOwnPassword } from '../api/accounts';
import { settingsMessages as words } from '../i18n/settingsMessages';
import { session, useMay, useSession, type Who } from '../state/session';
import { SETTINGS_TABS, type SettingsTab } from '../state/search';
import { tell } from '../state/toasts';
import { useSite } from '../state/useSite';
import { Card } from '../ui/Card';
import { Segments } from '../ui/Choice';
import { TextField } from '../ui/Field';
import { AccountsCard } from './AccountsCard';
import { AuditCard } from './AuditCard';
import { KeysCard } from './KeysCard';
import { ErasuresCard, PersonCard, RetentionCard } from './PrivacyCards';
import { SitesCard } from './SitesCard';
import { AddAccount, LEAST_PASSWORD, SettingsForm, useSending } from './SettingsForms';
import '../styles/answer.css';
import '../styles/editing.css';
import '../styles/manage.css';
import '../styles/settings.css';

const route = getRouteApi('/settings');

export function SettingsView() {
  const search = route.useSearch();
  const { who, hasAccounts } = useSession();
  const isAdmin = useMay('admin');
  const { sites, site } = useSite();
  if (who == null) return null;
  const tab = search.tab ?? 'people';
  return (
    <>
      <PageHead title={words.title} intro={words.intro} />
      <div className="stack settings">
        {isAdmin ? <Tabs tab={tab} /> : null}
        {tab === 'people' || !isAdmin ? (
          <>
            {hasAccounts ? <YouCard who={who} /> : <FirstCard />}
            {isAdmin && hasAccounts ? <AccountsCard search={search} self={who.name} /> : null}
          </>
        ) : tab === 'audit' ? (
          <AuditCard actor={search.actor ?? ''} />
        ) : tab === 'sites' ? (
          <>
            <SitesCard sites={sites} search={search} />
            {site === undefined ? null : <KeysCard key={site.id} site={site} />}
          </>
        ) : (
          <>
            <RetentionCard />
            {site === undefined ? null : <PersonCard key={site.id} site={site} />}
            <ErasuresCard />
          </>
        )}
      </div>
    </>
  );
}

function Tabs({ tab }: { tab: SettingsTab }) {
  const navigate = route.useNavigate();
  return (
    <div>
      <Segments
        label={words.tab}
        hideLabel
        value={tab}
        options={SETTINGS_TABS.map((value) => ({ value, label: words.tabs[value] }))}
        onChange={(next) => void navigate({ search: ({ site }) => ({ ...(site === undefined ? {} : { site }), ...(next === 'people' ? {} : { tab: next }) }) })}
      />
    </div>
  );
}

function YouCard({ who }: { who: Who }) {
  return (
    <Card title={words.you} note={`${words.signedInAs(who.name, who.role)} ${words.may[who.role]}`}>
      {who.hasPassword ? <OwnPassword /> : <p className="cell-faint">{who.isToken ? words.byToken : words.byProvider}</p>}
    </Card>
  );
}

function OwnPassword() {
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const form = useSending(async () => {
    await changeOwnPassword(current, next);
    setCurrent('');
    setNext('');
    tell({ text: words.changed });
  });
  const isShort = next.length < LEAST_PASSWORD;
  return (
    <SettingsForm label={words.ownPassword} form={form} isReady={current !== '' && !isShort} action={words.change}>
      {/* By it, the browser knows whose password it keeps. */}
      <TextField label={words.current} type="password" autoComplete="current-password" value={current} onChange={setCurrent} />
      <TextField label={words.next} type="password" autoComplete="new-password" value={next} onChange={setNext} hint={words.passwordHint} />
    </SettingsForm>
  );
}

/** What it means that nobody has an account, and the way out of it. */
function FirstCard() {
  return (
    <Card title={words.firstTitle} note={words.firstAdvice}>
      <AddAccount action={words.makeFirst} isFirst onDone={() => void session.renew()} />
    </Card>
  );
}
