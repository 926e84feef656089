import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Site } from '../api/model';
import { deliveriesQuery, deliveryNoticesQuery, forgetDelivery, forgetLeaving, putDelivery, sendDelivery, type Delivery } from '../api/notifications';
import { savedListQuery } from '../api/saved';
import { alertMessages as words, scheduleInWords } from '../i18n/alertMessages';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import type { AlertsSearch } from '../state/search';
import { tell, tellFailure } from '../state/toasts';
import { useRemoval } from '../state/useRemoval';
import { Card } from '../ui/Card';
import { Empty, Failure, TableSkeleton } from '../ui/states';
import { Table, type Column } from '../ui/Table';
import { useSort } from '../ui/useSort';
import { NoticesCard } from './NoticesCard';
import { nextText, NotificationActions } from './NotificationActions';

const route = getRouteApi('/alerts');

interface Row extends Delivery {
  readonly name: string;
}

export function DeliveriesCard({ site, search }: { site: Site; search: AlertsSearch }) {
  const client = useQueryClient();
  const deliveries = useQuery(deliveriesQuery());
  const reports = useQuery(savedListQuery(site.id));
  const [leaving, removeOne] = useRemoval(() => client.invalidateQueries({ queryKey: ['deliveries'] }));
  const rows =
    deliveries.data === undefined || reports.data === undefined
      ? undefined
      : deliveries.data.flatMap((delivery): readonly Row[] => {
          const report = reports.data.find(({ id }) => id === delivery.report);
          return report === undefined || leaving.has(delivery.id) ? [] : [{ ...delivery, name: report.name }];
        });
  const error = deliveries.error ?? reports.error;
  if (rows === undefined && error !== null) {
    return (
      <div className="card">
        <Failure error={error} onRetry={() => { void deliveries.refetch(); void reports.refetch(); }} />
      </div>
    );
  }
  if (rows?.length === 0) return <NoDeliveries site={site.id} hasReports={(reports.data?.length ?? 0) > 0} />;
  const opened = rows?.find(({ id }) => id === search.open);
  const remove = ({ id, name }: Row) => {
    removeOne({ id, told: words.removed(name), failed: words.notRemoved(name), forget: () => forgetDelivery(id), forgetLeaving: () => { forgetLeaving('deliveries', id); } });
  };
  return (
    <>
      <Card title={words.deliveries} note={rows === undefined ? m.state.loading : words.deliveriesNote(rows.length)} flush>
        {rows === undefined ? <TableSkeleton rows={4} /> : <Rows rows={rows} search={search} onRemove={remove} />}
      </Card>
      {opened === undefined ? null : <DeliveryNotices row={opened} />}
    </>
  );
}

function NoDeliveries({ site, hasReports }: { site: string; hasReports: boolean }) {
  return (
    <div className="card">
      <Empty title={words.emptyDeliveries}>
        {words.emptyDeliveriesAdvice}
        <span className="empty-actions">
          {hasReports ? (
            <Link to="/alerts" search={{ site, tab: 'deliveries', edit: 'new' }} className="button primary">
              {words.newDelivery}
            </Link>
          ) : (
            <Link to="/explore" search={{ site }} className="button primary">
              {words.explore}
            </Link>
          )}
        </span>
      </Empty>
    </div>
  );
}

function DeliveryNotices({ row }: { row: Row }) {
  return <NoticesCard name={row.name} query={useQuery(deliveryNoticesQuery(row.id))} />;
}

function Rows({ rows, search, onRemove }: { rows: readonly Row[]; search: AlertsSearch; onRemove: (row: Row) => void }) {
  const [now] = useState(() => Date.now());
  const [sort, setSort] = useSort(route.useSearch(), { column: 'report', descending: false });
  const names = words.deliveryColumns;
  const columns: readonly Column<Row>[] = [
    {
      id: 'report',
      header: names.report,
      cell: ({ report, name, url }) => (
        <div className="name-cell">
          <Link to="/r/$id" params={{ id: report }} search={{}} className="cell-link" title={name}>
            {name}
          </Link>
          <span className="cell-faint" title={url}>{url}</span>
        </div>
      ),
      compare: (a, b) => format.collator.compare(a.name, b.name),
    },
    { id: 'schedule', header: names.schedule, cell: ({ schedule }) => scheduleInWords(schedule) },
    { id: 'format', header: names.format, cell: (row) => <span className="chip">{words.formats[row.format]}</span>, compare: (a, b) => format.collator.compare(a.format, b.format) },
    { id: 'state', header: names.state, cell: (row) => <State row={row} /> },
    { id: 'next', header: names.next, numeric: true, cell: ({ nextDue, isPaused }) => (isPaused ? '–' : nextText(nextDue, now)), compare: (a, b) => (a.nextDue ?? 0) - (b.nextDue ?? 0) },
    { id: 'actions', header: names.actions, numeric: true, cell: (row) => <Actions row={row} search={search} onRemove={onRemove} /> },
  ];
  return <Table caption={words.deliveries} columns={columns} rows={rows} rowKey={({ id }) => id} sort={sort} onSort={setSort} />;
}

function State({ row: { isPaused, pauseReason, failures } }: { row: Row }) {
  return (
    <div className="status-cell">
      {isPaused ? <span className={pauseReason === '' ? 'chip' : 'chip tone bad'}>{words.paused}</span> : <span className={failures > 0 ? 'chip tone warn' : 'chip tone good'}>{failures > 0 ? words.failing(failures) : words.running}</span>}
      {pauseReason === '' ? null : <span className="cell-faint" title={pauseReason}>{pauseReason}</span>}
    </div>
  );
}

function Actions({ row, search, onRemove }: { row: Row; search: AlertsSearch; onRemove: (row: Row) => void }) {
  const client = useQueryClient();
  const { id, name, isPaused } = row;
  const set = (paused: boolean) => putDelivery(id, { ...row, isPaused: paused }).then(() => client.invalidateQueries({ queryKey: ['deliveries'] }));
  const pause = () => {
    set(!isPaused)
      .then(() => {
        tell({ text: isPaused ? words.isResumed(name) : words.isPaused(name), undo: () => { set(isPaused).catch((error: unknown) => { tellFailure(words.notUndone, error); }); } });
      })
      .catch((error: unknown) => { tellFailure(words.notDone(name), error); });
  };
  const send = () => {
    sendDelivery(id)
      .then(async () => {
        tell({ text: words.sentNow(name) });
        await client.invalidateQueries({ queryKey: ['delivery-notices', id] });
      })
      .catch((error: unknown) => { tellFailure(words.notSent(name), error); });
  };
  return <NotificationActions id={id} name={name} isPaused={isPaused} search={search} sendLabel={words.send(name)} onSend={send} onPause={pause} onRemove={() => { onRemove(row); }} />;
}
