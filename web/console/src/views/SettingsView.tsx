import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { PageHead } from '../app/Page';
import { changeOwnPassword } from '../api/accounts';
import { settingsMessages as words } from '../i18n/settingsMessages';
import { session, useMay, useSession, type Who } from '../state/session';
import { tell } from '../state/toasts';
import { Card } from '../ui/Card';
import { TextField } from '../ui/Field';
import { AccountsCard } from './AccountsCard';
import { AuditCard } from './AuditCard';
import { AddAccount, LEAST_PASSWORD, SettingsForm, useSending } from './SettingsForms';
import '../styles/editing.css';
import '../styles/settings.css';

const route = getRouteApi('/settings');

export function SettingsView() {
  const search = route.useSearch();
  const { who, hasAccounts } = useSession();
  const isAdmin = useMay('admin');
  if (who == null) return null;
  return (
    <>
      <PageHead title={words.title} intro={words.intro} />
      <div className="stack settings">
        {hasAccounts ? <YouCard who={who} /> : <FirstCard />}
        {isAdmin && hasAccounts ? <AccountsCard search={search} self={who.name} /> : null}
        {isAdmin ? <AuditCard actor={search.actor ?? ''} /> : null}
      </div>
    </>
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
