import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { reportModelQuery, type ReportModel } from '../api/explore';
import { alertNoticesQuery, forgetAlert, forgetLeaving, putAlert, testAlert, type Alert, type Reading } from '../api/notifications';
import { alertMessages as words, ruleInWords } from '../i18n/alertMessages';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import type { AlertsSearch } from '../state/search';
import { tell, tellFailure } from '../state/toasts';
import { useRemoval } from '../state/useRemoval';
import { Card } from '../ui/Card';
import { TableSkeleton } from '../ui/states';
import { Table, type Column } from '../ui/Table';
import { useSort } from '../ui/useSort';
import { NoticesCard } from './NoticesCard';
import { nextText, NotificationActions } from './NotificationActions';

const route = getRouteApi('/alerts');

export function AlertsTable({ alerts, search }: { alerts: readonly Alert[] | undefined; search: AlertsSearch }) {
  const client = useQueryClient();
  const [leaving, removeOne] = useRemoval(() => client.invalidateQueries({ queryKey: ['alerts'] }));
  const shown = alerts?.filter(({ id }) => !leaving.has(id));
  const opened = shown?.find(({ id }) => id === search.open);
  const remove = ({ id, name }: Alert) => {
    removeOne({ id, told: words.removed(name), failed: words.notRemoved(name), forget: () => forgetAlert(id), forgetLeaving: () => { forgetLeaving('alerts', id); } });
  };
  return (
    <>
      <Card title={words.table} note={shown === undefined ? m.state.loading : words.tableNote(shown.length, shown.filter(({ isPaused }) => isPaused).length)} flush>
        {shown === undefined ? <TableSkeleton rows={4} /> : <Rows alerts={shown} search={search} onRemove={remove} />}
      </Card>
      {opened === undefined ? null : <AlertNotices alert={opened} />}
    </>
  );
}

function AlertNotices({ alert }: { alert: Alert }) {
  return <NoticesCard name={alert.name} query={useQuery(alertNoticesQuery(alert.id))} />;
}

function valueText(reading: Reading | undefined, metric: string, model: ReportModel | undefined): string {
  const value = reading?.value;
  if (value === undefined || value === null) return '–';
  const unit = model?.metrics.find(({ name }) => name === metric)?.unit;
  if (unit === 'proportion') return format.rate(value);
  return Number.isInteger(value) ? format.count(value) : format.decimal(value, 2);
}

function Rows({ alerts, search, onRemove }: { alerts: readonly Alert[]; search: AlertsSearch; onRemove: (alert: Alert) => void }) {
  const model = useQuery(reportModelQuery()).data;
  const [now] = useState(() => Date.now());
  const [sort, setSort] = useSort(route.useSearch(), { column: 'name', descending: false });
  const names = words.columns;
  const columns: readonly Column<Alert>[] = [
    {
      id: 'name',
      header: names.name,
      cell: (alert) => (
        <div className="name-cell alert-name">
          <Link to="/alerts" search={{ ...search, edit: alert.id }} className="cell-link" title={alert.name}>
            {alert.name}
          </Link>
          <span className="cell-faint" title={ruleInWords(alert.rule)}>{ruleInWords(alert.rule)}</span>
        </div>
      ),
      compare: (a, b) => format.collator.compare(a.name, b.name),
    },
    { id: 'state', header: names.state, cell: (alert) => <State alert={alert} now={now} />, compare: (a, b) => rank(a) - rank(b) },
    {
      id: 'now',
      header: names.now,
      numeric: true,
      cell: ({ now: reading, before, rule, verdict }) => (
        <>
          {valueText(reading, rule.metric, model)}
          <span className="within-line">{words.verdicts[verdict] !== '' ? words.verdicts[verdict] : before === undefined ? '' : words.before(valueText(before, rule.metric, model))}</span>
        </>
      ),
    },
    { id: 'next', header: names.next, numeric: true, cell: ({ nextCheck, isPaused }) => (isPaused ? '–' : nextText(nextCheck, now)), compare: (a, b) => (a.nextCheck ?? 0) - (b.nextCheck ?? 0) },
    { id: 'actions', header: names.actions, numeric: true, cell: (alert) => <Actions alert={alert} search={search} onRemove={onRemove} /> },
  ];
  return <Table caption={words.table} columns={columns} rows={alerts} rowKey={({ id }) => id} sort={sort} onSort={setSort} />;
}

function rank({ isPaused, status, error }: Alert): number {
  if (isPaused) return 4;
  if (status === 'firing') return 0;
  return error !== '' ? 1 : status === 'pending' ? 2 : 3;
}

function State({ alert: { isPaused, status, since, error }, now }: { alert: Alert; now: number }) {
  if (isPaused) return <span className="chip">{words.paused}</span>;
  const tone = status === 'firing' ? 'bad' : status === 'pending' ? 'warn' : 'good';
  return (
    <div className="status-cell">
      <span className={`chip tone ${tone}`}>{words.states[status]}</span>
      {error !== '' ? (
        <span className="problem state-error" title={error}>{error}</span>
      ) : since === undefined || status === 'ok' ? null : (
        <span className="cell-faint">{format.ago(Math.max(0, now - since))}</span>
      )}
    </div>
  );
}

function Actions({ alert, search, onRemove }: { alert: Alert; search: AlertsSearch; onRemove: (alert: Alert) => void }) {
  const client = useQueryClient();
  const { id, name, isPaused } = alert;
  const set = (paused: boolean) => putAlert(id, { ...alert, isPaused: paused }).then(() => client.invalidateQueries({ queryKey: ['alerts'] }));
  const pause = () => {
    set(!isPaused)
      .then(() => {
        tell({ text: isPaused ? words.isResumed(name) : words.isPaused(name), undo: () => { set(isPaused).catch((error: unknown) => { tellFailure(words.notUndone, error); }); } });
      })
      .catch((error: unknown) => { tellFailure(words.notDone(name), error); });
  };
  const test = () => {
    testAlert(id)
      .then(async () => {
        tell({ text: words.tested(name) });
        await client.invalidateQueries({ queryKey: ['alert-notices', id] });
      })
      .catch((error: unknown) => { tellFailure(words.notSent(name), error); });
  };
  return <NotificationActions id={id} name={name} isPaused={isPaused} search={search} sendLabel={words.test(name)} onSend={test} onPause={pause} onRemove={() => { onRemove(alert); }} />;
}
