import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { accountsQuery, endSessions, removeAccount, removeAccountLeaving, setPassword, setRole, type Account } from '../api/accounts';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import { settingsMessages as words } from '../i18n/settingsMessages';
import type { SettingsSearch } from '../state/search';
import { ROLES, session, type Role } from '../state/session';
import { tell, tellFailure } from '../state/toasts';
import { useRemoval } from '../state/useRemoval';
import { KeyIcon } from '../ui/actionIcons';
import { Button } from '../ui/Button';
import { Card } from '../ui/Card';
import { Choice } from '../ui/Choice';
import { TextField } from '../ui/Field';
import { CloseIcon, SignOutIcon } from '../ui/icons';
import { Failure, TableSkeleton } from '../ui/states';
import { Table, type Column } from '../ui/Table';
import { useSort } from '../ui/useSort';
import { AddAccount, LEAST_PASSWORD, SettingsForm, useSending } from './SettingsForms';

export function AccountsCard({ search, self }: { search: SettingsSearch; self: string }) {
  const client = useQueryClient();
  const accounts = useQuery(accountsQuery());
  const renew = async () => {
    await Promise.all([client.invalidateQueries({ queryKey: ['accounts'] }), client.invalidateQueries({ queryKey: ['audit'] })]);
  };
  const [leaving, remove] = useRemoval(renew);
  const [resetting, setResetting] = useState<string>();
  const shown = accounts.data?.filter(({ name }) => !leaving.has(name));
  if (accounts.error !== null) {
    return (
      <div className="card">
        <Failure error={accounts.error} onRetry={() => void accounts.refetch()} />
      </div>
    );
  }
  return (
    <Card title={words.accounts} note={shown === undefined ? m.state.loading : words.accountsNote(shown.length)} flush>
      {shown === undefined ? (
        <TableSkeleton rows={3} />
      ) : (
        <AccountsTable
          accounts={shown}
          search={search}
          self={self}
          renew={renew}
          onReset={setResetting}
          onRemove={(name) => {
            remove({ id: name, told: words.removed(name), failed: words.notRemoved(name), forget: () => removeAccount(name), forgetLeaving: () => { removeAccountLeaving(name); } });
          }}
        />
      )}
      {resetting === undefined ? null : <ResetForm key={resetting} name={resetting} onClose={() => { setResetting(undefined); }} onDone={renew} />}
      <section className="settings-part" aria-label={words.add}>
        <h3>{words.add}</h3>
        <AddAccount action={words.add} onDone={() => void renew()} />
      </section>
    </Card>
  );
}

interface TableProps {
  accounts: readonly Account[];
  search: SettingsSearch;
  self: string;
  renew: () => Promise<void>;
  onReset: (name: string) => void;
  onRemove: (name: string) => void;
}

function AccountsTable({ accounts, search, self, renew, onReset, onRemove }: TableProps) {
  const [sort, setSort] = useSort(search, { column: 'name', descending: false });
  const change = async (account: Account, role: Role) => {
    const put = async (wanted: Role) => {
      await setRole(account.name, wanted);
      await renew();
      if (account.name === self) await session.renew();
    };
    try {
      await put(role);
      tell({ text: words.roleChanged(account.name, role), undo: () => { put(account.role).catch((error: unknown) => { tellFailure(words.notUndone, error); }); } });
    } catch (error) {
      tellFailure(words.roleNotChanged(account.name), error);
    }
  };
  const end = async ({ name }: Account) => {
    try {
      const count = await endSessions(name);
      tell({ text: words.ended(name, count) });
      await renew();
    } catch (error) {
      tellFailure(words.notEnded(name), error);
    }
  };
  const names = words.columns;
  const columns: readonly Column<Account>[] = [
    { id: 'name', header: names.name, cell: ({ name }) => name, compare: (a, b) => format.collator.compare(a.name, b.name) },
    {
      id: 'role',
      header: names.role,
      cell: (account) => (
        <Choice
          label={words.roleOf(account.name)}
          hideLabel
          value={account.role}
          options={ROLES.map((role) => ({ value: role, label: words.roles[role] }))}
          onChange={(role) => void change(account, role)}
        />
      ),
      compare: (a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role),
    },
    { id: 'by', header: names.by, cell: ({ by }) => words.by[by] },
    {
      id: 'last',
      header: names.last,
      numeric: true,
      cell: ({ lastSignIn }) => (lastSignIn === undefined ? <span className="cell-faint">{words.never}</span> : format.dayTime(lastSignIn)),
      compare: (a, b) => (a.lastSignIn ?? 0) - (b.lastSignIn ?? 0),
    },
    { id: 'sessions', header: names.sessions, numeric: true, cell: ({ sessions }) => format.count(sessions), compare: (a, b) => a.sessions - b.sessions },
    {
      id: 'actions',
      header: names.actions,
      numeric: true,
      cell: (account) => (
        <span className="row-actions">
          {account.by === 'oidc' ? <span className="nothing" /> : (
            <Button look="quiet" icon aria-label={words.reset(account.name)} title={words.reset(account.name)} onPress={() => { onReset(account.name); }}>
              <KeyIcon />
            </Button>
          )}
          <Button look="quiet" icon aria-label={words.end(account.name)} title={words.end(account.name)} onPress={() => void end(account)}>
            <SignOutIcon />
          </Button>
          {account.name === self ? <span className="nothing" /> : (
            <Button look="quiet" icon aria-label={words.remove(account.name)} title={words.remove(account.name)} onPress={() => { onRemove(account.name); }}>
              <CloseIcon />
            </Button>
          )}
        </span>
      ),
    },
  ];
  return <Table caption={words.accountsTable} columns={columns} rows={accounts} rowKey={({ name }) => name} sort={sort} onSort={setSort} limit={1000} />;
}

function ResetForm({ name, onClose, onDone }: { name: string; onClose: () => void; onDone: () => Promise<void> }) {
  const [password, setTyped] = useState('');
  const form = useSending(async () => {
    await setPassword(name, password);
    tell({ text: words.resetDone(name) });
    onClose();
    await onDone();
  });
  return (
    <section className="settings-part" aria-label={words.resetTitle(name)}>
      <h3>{words.resetTitle(name)}</h3>
      <SettingsForm label={words.resetTitle(name)} form={form} isReady={password.length >= LEAST_PASSWORD} action={m.action.save} further={<Button onPress={onClose}>{m.action.cancel}</Button>}>
        <TextField label={words.next} type="password" autoComplete="new-password" value={password} onChange={setTyped} hint={words.passwordHint} />
      </SettingsForm>
    </section>
  );
}
