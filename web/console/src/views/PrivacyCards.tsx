import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Site } from '../api/model';
import { erasuresQuery, eraseUser, lookUp, retentionQuery, type Erasure, type Known } from '../api/privacy';
import { keepFile } from '../api/reportFile';
import { format } from '../i18n/format';
import { siteSettingsMessages as words } from '../i18n/siteSettingsMessages';
import { tell } from '../state/toasts';
import { Button } from '../ui/Button';
import { Card } from '../ui/Card';
import { TextField } from '../ui/Field';
import { Failure, TableSkeleton } from '../ui/states';
import { Table, type Column } from '../ui/Table';
import { SettingsForm, useSending } from './SettingsForms';

export function RetentionCard() {
  const { data, error, refetch } = useQuery(retentionQuery());
  return (
    <Card title={words.retention} note={words.retentionNote}>
      {error !== null ? (
        <Failure error={error} onRetry={() => void refetch()} />
      ) : data === undefined ? (
        <TableSkeleton rows={3} />
      ) : data === null ? (
        <p className="cell-faint">{words.byHand}</p>
      ) : (
        <dl className="terms">
          {[
            [words.retentionOf.events, data.events] as const,
            ...Object.entries(data.kinds).map(([type, days]) => [words.kind(type), days] as const),
            [words.retentionOf.decisions, data.decisions] as const,
            [words.retentionOf.deadLetters, data.deadLetters] as const,
          ].map(([name, days]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{words.days(days)}</dd>
            </div>
          ))}
        </dl>
      )}
    </Card>
  );
}

export function PersonCard({ site }: { site: Site }) {
  const client = useQueryClient();
  const [user, setUser] = useState('');
  const [known, setKnown] = useState<Known>();
  const looking = useSending(async () => {
    setKnown(await lookUp(site.id, user));
  });
  const erasing = useSending(async () => {
    await eraseUser(site.id, user);
    setUser('');
    setKnown(undefined);
    tell({ text: words.eraseAsked });
    await client.invalidateQueries({ queryKey: ['erasures'] });
  });
  return (
    <Card title={words.person} note={words.personNote}>
      <SettingsForm label={words.person} form={looking} isReady={user !== ''} action={words.lookUp}>
        <TextField
          label={words.user}
          value={user}
          hint={words.userHint(site.name)}
          autoCapitalize="none"
          spellCheck={false}
          onChange={(next) => {
            setUser(next);
            setKnown(undefined);
          }}
        />
      </SettingsForm>
      {known === undefined ? null : (
        <div className="settings-known" role="status" data-testid="known">
          <p>{words.known(known)}</p>
          <div className="settings-foot">
            <Button onPress={() => { keepFile(known.file, `${site.id}-person.json`); }}>{words.download}</Button>
            <Button disabled={erasing.isBusy} onPress={erasing.send}>{words.erase}</Button>
            <span className="cell-faint">{words.eraseHint}</span>
            <p className="problem" role="alert">{erasing.problem}</p>
          </div>
        </div>
      )}
    </Card>
  );
}

export function ErasuresCard() {
  const erasures = useQuery(erasuresQuery());
  const [sort, setSort] = useState<{ readonly column: string; readonly descending: boolean }>({ column: 'asked', descending: true });
  const names = words.erasureColumns;
  const columns: readonly Column<Erasure>[] = [
    { id: 'asked', header: names.asked, cell: ({ asked }) => format.dayTime(asked), compare: (a, b) => a.asked - b.asked },
    { id: 'site', header: names.site, cell: ({ site }) => site, compare: (a, b) => format.collator.compare(a.site, b.site) },
    { id: 'state', header: names.state, cell: (erasure) => <State erasure={erasure} /> },
    { id: 'receipt', header: names.receipt, cell: ({ state, receipt }) => <span className="wraps">{state === 'done' ? words.receipt(receipt) : ''}</span> },
  ];
  return (
    <Card title={words.erasures} note={words.erasuresNote} flush>
      {erasures.error !== null ? (
        <Failure error={erasures.error} onRetry={() => void erasures.refetch()} />
      ) : erasures.data === undefined ? (
        <TableSkeleton rows={2} />
      ) : erasures.data.length === 0 ? (
        <p className="quiet-line">{words.noErasures}</p>
      ) : (
        <Table caption={words.erasuresTable} columns={columns} rows={erasures.data} rowKey={({ id }) => id} sort={sort} onSort={setSort} />
      )}
    </Card>
  );
}

function State({ erasure: { state, done, step, error, partsDone, partsTotal } }: { erasure: Erasure }) {
  if (state === 'done') {
    return (
      <div className="status-cell">
        <span className="chip tone good">{words.states.done}</span>
        <span className="cell-faint">{done === undefined ? '' : format.dayTime(done)}</span>
      </div>
    );
  }
  return (
    <div className="status-cell">
      <span className={`chip tone ${error === '' ? '' : 'warn'}`}>{words.states[state]}</span>
      {error === '' ? (
        <span className="cell-faint">
          {words.steps[step] ?? step} {partsTotal === 0 ? '' : `(${words.progress(partsDone, partsTotal)})`}
        </span>
      ) : (
        <span className="problem state-error" title={error}>{error}</span>
      )}
    </div>
  );
}
