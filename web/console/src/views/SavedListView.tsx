import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Page } from '../app/Page';
import type { Site } from '../api/model';
import { forgetSaved, forgetSavedLeaving, savedListQuery, type ListedReport } from '../api/saved';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import { savedMessages as words } from '../i18n/savedMessages';
import type { SortSearch } from '../state/search';
import { useMay } from '../state/session';
import { useRemoval } from '../state/useRemoval';
import { SendIcon } from '../ui/actionIcons';
import { Button } from '../ui/Button';
import { Card } from '../ui/Card';
import { CloseIcon } from '../ui/icons';
import { Empty, Failure, TableSkeleton } from '../ui/states';
import { Table, type Column } from '../ui/Table';
import { useSort } from '../ui/useSort';
import '../styles/editing.css';

const route = getRouteApi('/saved');

export function SavedListView() {
  const search = route.useSearch();
  return (
    <Page title={words.listTitle} intro={words.listIntro}>
      {(site) => <SavedList site={site} search={search} />}
    </Page>
  );
}

function SavedList({ site, search }: { site: Site; search: SortSearch }) {
  const client = useQueryClient();
  const reports = useQuery(savedListQuery(site.id));
  const [leaving, remove] = useRemoval(() => client.invalidateQueries({ queryKey: ['saved-list'] }));
  const mayExplore = useMay('analyst');
  const shown = reports.data?.filter(({ id }) => !leaving.has(id));
  if (reports.error !== null) {
    return (
      <div className="card">
        <Failure error={reports.error} onRetry={() => void reports.refetch()} />
      </div>
    );
  }
  if (shown?.length === 0) {
    return (
      <div className="card">
        <Empty title={words.noneTitle}>
          {words.noneAdvice}
          {mayExplore ? (
            <span className="empty-actions">
              <Link to="/explore" search={{ site: site.id }} className="button primary">
                {words.explore}
              </Link>
            </span>
          ) : null}
        </Empty>
      </div>
    );
  }
  return (
    <Card title={words.list} note={shown === undefined ? m.state.loading : words.listNote(shown.length)} flush>
      {shown === undefined ? (
        <TableSkeleton />
      ) : (
        <ReportsTable
          reports={shown}
          search={search}
          onRemove={({ id, name }) => {
            remove({ id, told: words.removed(name), failed: words.notRemoved(name), forget: () => forgetSaved(id), forgetLeaving: () => { forgetSavedLeaving(id); } });
          }}
        />
      )}
    </Card>
  );
}

interface ReportsTableProps {
  reports: readonly ListedReport[];
  search: SortSearch;
  onRemove: (report: ListedReport) => void;
}

function ReportsTable({ reports, search, onRemove }: ReportsTableProps) {
  const [sort, setSort] = useSort(search, { column: 'name', descending: false });
  const names = words.listColumns;
  const mayChange = useMay('analyst'), maySend = useMay('manager');
  const text = (id: keyof typeof names, value: (report: ListedReport) => string): Column<ListedReport> => ({
    id,
    header: names[id],
    cell: value,
    compare: (a, b) => format.collator.compare(value(a), value(b)),
  });
  const columns: readonly Column<ListedReport>[] = [
    {
      ...text('name', ({ name }) => name),
      cell: ({ id, name }) => (
        <Link to="/r/$id" params={{ id }} search={{}} className="cell-link" title={name}>
          {name}
        </Link>
      ),
    },
    text('kind', ({ kind }) => words.kinds[kind]),
    text('owner', ({ owner }) => owner),
    { id: 'changed', header: names.changed, numeric: true, cell: ({ changed }) => format.dayTime(changed), compare: (a, b) => a.changed - b.changed },
    ...(mayChange ? [{
      id: 'actions',
      header: names.actions,
      numeric: true,
      cell: (report: ListedReport) => (
        <span className="row-actions">
          {maySend && report.kind !== 'sql' ? (
            <Link
              to="/alerts"
              search={{ site: report.site, tab: 'deliveries', edit: 'new', report: report.id }}
              className="button quiet icon"
              aria-label={words.send(report.name)}
              title={words.send(report.name)}
            >
              <SendIcon />
            </Link>
          ) : null}
          <Button look="quiet" icon aria-label={words.remove(report.name)} title={words.remove(report.name)} onPress={() => { onRemove(report); }}>
            <CloseIcon />
          </Button>
        </span>
      ),
    }] : []),
  ];
  return <Table caption={words.list} columns={columns} rows={reports} rowKey={({ id }) => id} sort={sort} onSort={setSort} />;
}
