import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Site } from '../api/model';
import { endKey, endKeyLeaving, keysQuery, makeKey, type WriteKey } from '../api/siteSettings';
import { format } from '../i18n/format';
import { siteSettingsMessages as words } from '../i18n/siteSettingsMessages';
import { useRemoval } from '../state/useRemoval';
import { Button } from '../ui/Button';
import { Card } from '../ui/Card';
import { TextField } from '../ui/Field';
import { CloseIcon } from '../ui/icons';
import { Command, Failure, TableSkeleton } from '../ui/states';
import { Table, type Column } from '../ui/Table';
import { SettingsForm, useSending } from './SettingsForms';

export function KeysCard({ site }: { site: Site }) {
  const client = useQueryClient();
  const keys = useQuery(keysQuery(site.id));
  const renew = () => Promise.all([client.invalidateQueries({ queryKey: ['write-keys', site.id] }), client.invalidateQueries({ queryKey: ['audit'] })]);
  const [leaving, remove] = useRemoval(renew);
  const [made, setMade] = useState<{ readonly key: string; readonly label: string }>();
  const shown = keys.data?.filter(({ id }) => !leaving.has(id));
  return (
    <Card title={words.keys(site.name)} note={words.keysNote} flush>
      {keys.error !== null ? (
        <Failure error={keys.error} onRetry={() => void keys.refetch()} />
      ) : shown === undefined ? (
        <TableSkeleton rows={2} />
      ) : (
        <KeysTable
          site={site}
          keys={shown}
          onEnd={({ id, label }) => {
            const name = label === '' ? id : label;
            remove({ id, told: words.keyEnded(name), failed: words.keyNotEnded(name), forget: () => endKey(site.id, id), forgetLeaving: () => { endKeyLeaving(site.id, id); } });
          }}
        />
      )}
      {made === undefined ? null : (
        <section className="settings-part" aria-label={words.keyMade(made.label)} data-testid="new-key">
          <h3>{words.keyMade(made.label)}</h3>
          <p>{words.keyMadeText}</p>
          <Command text={made.key} />
          <div className="settings-foot">
            <Button look="primary" onPress={() => { setMade(undefined); }}>{words.keyDone}</Button>
          </div>
        </section>
      )}
      <section className="settings-part" aria-label={words.makeKey}>
        <h3>{words.makeKey}</h3>
        <KeyForm
          site={site.id}
          onMade={(key, label) => {
            setMade({ key, label });
            void renew();
          }}
        />
      </section>
    </Card>
  );
}

const BY_TIME = { column: 'made', descending: true } as const;

function KeysTable({ site, keys, onEnd }: { site: Site; keys: readonly WriteKey[]; onEnd: (key: WriteKey) => void }) {
  const [sort, setSort] = useState<{ readonly column: string; readonly descending: boolean }>(BY_TIME);
  const names = words.keyColumns;
  const labelOf = ({ label, isTrusted }: WriteKey) => (isTrusted ? words.ownKey : label);
  const columns: readonly Column<WriteKey>[] = [
    {
      id: 'label',
      header: names.label,
      cell: (key) => (labelOf(key) === '' ? <span className="cell-faint">{words.noLabel}</span> : labelOf(key)),
      compare: (a, b) => format.collator.compare(labelOf(a), labelOf(b)),
    },
    { id: 'id', header: names.id, cell: ({ id }) => <code>{id}</code> },
    { id: 'by', header: names.by, cell: ({ madeBy }) => (madeBy === '' ? <span className="cell-faint">{words.unknown}</span> : madeBy) },
    {
      id: 'made',
      header: names.made,
      numeric: true,
      cell: ({ made }) => (made === undefined ? <span className="cell-faint">{words.unknown}</span> : format.dayTime(made)),
      compare: (a, b) => (a.made ?? 0) - (b.made ?? 0),
    },
    {
      id: 'actions',
      header: names.actions,
      numeric: true,
      cell: (key) => {
        const name = key.label === '' ? key.id : key.label;
        return key.isTrusted ? <span className="nothing" /> : (
          <Button look="quiet" icon aria-label={words.endKey(name)} title={words.endKey(name)} onPress={() => { onEnd(key); }}>
            <CloseIcon />
          </Button>
        );
      },
    },
  ];
  return <Table caption={words.keysTable(site.name)} columns={columns} rows={keys} rowKey={({ id }) => id} sort={sort} onSort={setSort} limit={1000} />;
}

function KeyForm({ site, onMade }: { site: string; onMade: (key: string, label: string) => void }) {
  const [label, setLabel] = useState('');
  const form = useSending(async () => {
    const wanted = label.trim();
    const key = await makeKey(site, wanted);
    setLabel('');
    onMade(key, wanted);
  });
  return (
    <SettingsForm label={words.makeKey} form={form} isReady={label.trim() !== ''} action={words.makeKey}>
      <TextField label={words.keyLabel} value={label} maxLength={200} hint={words.keyLabelHint} onChange={setLabel} />
    </SettingsForm>
  );
}
