import { useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi, Navigate } from '@tanstack/react-router';
import { useEffect, useMemo } from 'react';
import { PageHead } from '../app/Page';
import { downloadSaved, savedAnswerQuery, savedReportQuery, type Cell, type FileFormat, type ReportTable, type SavedReport } from '../api/saved';
import { Chart } from '../charts/Chart';
import { usePalette } from '../charts/palette';
import { savedPicture } from '../charts/savedOption';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import { cellText, savedMessages as s } from '../i18n/savedMessages';
import { Button } from '../ui/Button';
import { Card, Figure, Headline } from '../ui/Card';
import { Empty, Failure, Skeleton, TableSkeleton } from '../ui/states';
import { Table, type Column } from '../ui/Table';
import { useSort } from '../ui/useSort';

const route = getRouteApi('/r/$id');
const FORMATS: readonly FileFormat[] = ['csv', 'parquet', 'png', 'json'];
type Row = readonly Cell[];

/** A saved report under its own address: what it says now, to be read, exported and passed on. */
export function SavedView() {
  const { id } = route.useParams();
  const report = useQuery(savedReportQuery(id));
  const answer = useQuery({ ...savedAnswerQuery(id), enabled: report.data !== undefined && report.data.kind !== 'sql' });
  useEffect(() => {
    if (report.data !== undefined) document.title = m.title(report.data.name);
  }, [report.data]);
  const error = report.error ?? answer.error;
  // A query is asked where it is written.
  if (report.data?.kind === 'sql') return <Navigate to="/sql" search={{ site: report.data.site, saved: id }} replace />;
  return (
    <>
      <PageHead title={report.data?.name ?? s.report} intro={report.data === undefined ? '' : introOf(report.data, answer.data)}>
        {report.data === undefined ? null : <ExportButtons report={report.data} hasPicture={answer.data?.chart !== undefined} />}
      </PageHead>
      <div className="stack" aria-busy={answer.isFetching}>
        {error !== null ? (
          <div className="card">
            <Failure error={error} onRetry={() => void (report.error === null ? answer : report).refetch()} />
          </div>
        ) : answer.data?.rows.length === 0 ? (
          <div className="card">
            <Empty title={s.emptyTitle}>{s.emptyAdvice}</Empty>
          </div>
        ) : (
          <SavedContent report={report.data} table={answer.data} />
        )}
      </div>
    </>
  );
}

function introOf({ kind, site, owner }: SavedReport, table: ReportTable | undefined): string {
  const range = table?.from === undefined || table.to === undefined ? undefined : format.dayRange(table.from, table.to - 1);
  return s.intro(s.kinds[kind], site, owner, range);
}

function ExportButtons({ report, hasPicture }: { report: SavedReport; hasPicture: boolean }) {
  const file = useMutation({ mutationFn: (form: FileFormat) => downloadSaved(report, form) });
  const copy = useMutation({ mutationFn: () => navigator.clipboard.writeText(`${location.origin}/r/${report.id}`) });
  return (
    <div className="exports" role="group" aria-label={s.export}>
      {FORMATS.map((form) => (
        <Button key={form} disabled={file.isPending || (form === 'png' && !hasPicture)} onPress={() => { file.mutate(form); }}>
          {s.formats[form]}
        </Button>
      ))}
      <Button look="quiet" onPress={() => { copy.mutate(); }}>
        {copy.isSuccess ? m.action.copied : s.copyAddress}
      </Button>
      {file.error === null ? null : (
        <p role="alert">
          {s.exportFailed}: {file.error.message}
        </p>
      )}
    </div>
  );
}

function SavedContent({ report, table }: { report: SavedReport | undefined; table: ReportTable | undefined }) {
  const palette = usePalette();
  const picture = useMemo(() => (table === undefined ? undefined : savedPicture(table, palette)), [table, palette]);
  if (report === undefined || table === undefined) {
    return (
      <>
        <Card title={s.report}>
          <Skeleton height={360} />
        </Card>
        <Card title={s.table} flush>
          <TableSkeleton />
        </Card>
      </>
    );
  }
  if (table.chart?.kind === 'figures') {
    return (
      <Headline label={report.name}>
        {table.columns.map((column, index) => (
          <Figure key={column.name} lead={index === 0} label={s.column(column.name)} value={cellText(table.rows[0]?.[index] ?? null, column.type)} />
        ))}
      </Headline>
    );
  }
  return (
    <>
      {picture === undefined ? null : (
        <Card title={s.column(table.columns[table.chart?.value ?? 0]?.name ?? '')}>
          <Chart kind={picture.kind} testId="saved-chart" option={picture.option} height={picture.height} description={s.description(report.name, table.chart?.rows ?? 0)} />
        </Card>
      )}
      <Card title={s.table} note={s.rows(table.rows.length)} flush>
        <SavedTable table={table} />
      </Card>
    </>
  );
}

function compareCells(a: Cell, b: Cell): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return format.collator.compare(String(a ?? ''), String(b ?? ''));
}

function SavedTable({ table }: { table: ReportTable }) {
  // The report's own order until a reader chooses another.
  const [sort, setSort] = useSort(route.useSearch(), { column: '', descending: false });
  const columns = useMemo(
    () =>
      table.columns.map(
        ({ name, type }, index): Column<Row> => ({
          id: name,
          header: s.column(name),
          numeric: type === 'count' || type === 'real' || type === 'share',
          cell: (row) => cellText(row[index] ?? null, type),
          compare: (a, b) => compareCells(a[index] ?? null, b[index] ?? null),
        }),
      ),
    [table],
  );
  const places = useMemo(() => new Map(table.rows.map((row, index) => [row, String(index)])), [table]);
  return <Table caption={s.table} columns={columns} rows={table.rows} rowKey={(row) => places.get(row) ?? ''} sort={sort} onSort={setSort} />;
}
