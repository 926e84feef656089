import { useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { Site } from '../api/model';
import { addSite, changeSite, type SiteRules } from '../api/siteSettings';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import { siteSettingsMessages as words } from '../i18n/siteSettingsMessages';
import type { SettingsSearch } from '../state/search';
import { tell, tellFailure } from '../state/toasts';
import { settingsMessages } from '../i18n/settingsMessages';
import { Button } from '../ui/Button';
import { Card } from '../ui/Card';
import { TextField, Toggle } from '../ui/Field';
import { Table, type Column } from '../ui/Table';
import { useSort } from '../ui/useSort';
import { SettingsForm, useSending } from './SettingsForms';

/** All sites; the one whose keys are shown is the one that the rest of the console shows. */
export function SitesCard({ sites, search }: { sites: readonly Site[]; search: SettingsSearch }) {
  const [sort, setSort] = useSort(search, { column: 'name', descending: false });
  const names = words.siteColumns;
  const edited = sites.find(({ id }) => id === search.edit);
  const columns: readonly Column<Site>[] = [
    {
      id: 'name',
      header: names.name,
      cell: ({ id, name }) => (
        <Link from="/settings" to="/settings" search={(others) => ({ ...others, site: id })} resetScroll={false} className="cell-link">
          {name}
        </Link>
      ),
      compare: (a, b) => format.collator.compare(a.name, b.name),
    },
    { id: 'id', header: names.id, cell: ({ id }) => <code>{id}</code>, compare: (a, b) => format.collator.compare(a.id, b.id) },
    { id: 'origins', header: names.origins, cell: ({ allowedOrigin }) => <span className="wraps">{allowedOrigin === '*' ? words.anyOrigin : allowedOrigin}</span> },
    { id: 'consent', header: names.consent, cell: ({ consentRequired }) => words.consent[`${consentRequired}`] },
    { id: 'events', header: names.events, numeric: true, cell: ({ events }) => (events === undefined ? '–' : format.count(events)), compare: (a, b) => (a.events ?? 0) - (b.events ?? 0) },
    {
      id: 'actions',
      header: names.actions,
      numeric: true,
      cell: ({ id, name }) => (
        <Link from="/settings" to="/settings" search={(others) => ({ ...others, site: id, edit: id })} resetScroll={false} className="button" aria-label={words.editSite(name)}>
          {words.change}
        </Link>
      ),
    },
  ];
  return (
    <Card title={words.sites} note={words.sitesNote(sites.length)} flush>
      <Table caption={words.sitesTable} columns={columns} rows={sites} rowKey={({ id }) => id} sort={sort} onSort={setSort} limit={1000} />
      <section className="settings-part" aria-label={edited === undefined ? words.addSite : words.editSite(edited.name)}>
        <h3>{edited === undefined ? words.addSite : words.editSite(edited.name)}</h3>
        <SiteForm key={edited?.id ?? ''} before={edited} />
      </section>
    </Card>
  );
}

function SiteForm({ before }: { before: Site | undefined }) {
  const client = useQueryClient();
  const navigate = useNavigate({ from: '/settings' });
  const [id, setId] = useState('');
  const [rules, setRules] = useState<SiteRules>(before ?? { name: '', allowedOrigin: '*', consentRequired: false });
  const renew = () => Promise.all([client.invalidateQueries({ queryKey: ['sites'] }), client.invalidateQueries({ queryKey: ['audit'] })]);
  const leave = () => navigate({ search: ({ edit: _edit, ...others }) => others, resetScroll: false });
  const form = useSending(async () => {
    const wanted = { name: rules.name.trim(), allowedOrigin: rules.allowedOrigin.trim(), consentRequired: rules.consentRequired };
    if (before === undefined) {
      await addSite(id, wanted);
      tell({ text: words.siteAdded(wanted.name) });
      setId('');
      setRules({ name: '', allowedOrigin: '*', consentRequired: false });
    } else {
      await changeSite(before.id, wanted);
      const undo = () => { changeSite(before.id, before).then(renew).catch((error: unknown) => { tellFailure(settingsMessages.notUndone, error); }); };
      tell({ text: words.siteChanged(wanted.name), undo });
    }
    await renew();
    if (before !== undefined) await leave();
  });
  const isReady = rules.name.trim() !== '' && rules.allowedOrigin.trim() !== '' && (before !== undefined || id !== '');
  return (
    <SettingsForm
      label={before === undefined ? words.addSite : words.editSite(before.name)}
      form={form}
      isReady={isReady}
      action={before === undefined ? words.addSite : m.action.save}
      further={before === undefined ? undefined : <Button onPress={() => void leave()}>{m.action.cancel}</Button>}
    >
      {before === undefined ? <TextField label={words.siteId} value={id} onChange={setId} hint={words.siteIdHint} maxLength={63} autoCapitalize="none" spellCheck={false} /> : null}
      <TextField label={words.siteName} value={rules.name} maxLength={200} onChange={(name) => { setRules({ ...rules, name }); }} />
      <TextField
        label={words.origins}
        value={rules.allowedOrigin}
        maxLength={4000}
        hint={words.originsHint}
        spellCheck={false}
        onChange={(allowedOrigin) => { setRules({ ...rules, allowedOrigin }); }}
      />
      <Toggle label={words.consentRequired} checked={rules.consentRequired} onChange={(consentRequired) => { setRules({ ...rules, consentRequired }); }} />
    </SettingsForm>
  );
}
