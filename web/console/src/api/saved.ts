// Saved reports: what one asks, and what it says now as one table.
import { queryOptions } from '@tanstack/react-query';
import { session } from '../state/session';
import { answered, api, done, tables } from './client';
import { keepFile } from './reportFile';
import type { components } from './schema';

type Schemas = components['schemas'];

export type Cell = string | number | boolean | null;
export type ColumnType = Schemas['ReportTable']['columns'][number]['type'];
export interface ReportColumn {
  readonly name: string;
  readonly type: ColumnType;
}
export interface ReportChart {
  readonly kind: 'lines' | 'bars' | 'cells' | 'figures';
  /** Columns, by their place in the table. */
  readonly labels: readonly number[];
  readonly x: number;
  readonly value: number;
  readonly isGrid: boolean;
  /** The first rows, of which it is drawn. */
  readonly rows: number;
}
export interface ReportTable {
  readonly site: string;
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly columns: readonly ReportColumn[];
  readonly rows: readonly (readonly Cell[])[];
  readonly chart: ReportChart | undefined;
}
export interface SavedReport {
  readonly id: string;
  readonly name: string;
  readonly kind: Schemas['SavedReportKind'];
  readonly site: string;
  readonly owner: string;
}
export type FileFormat = 'csv' | 'parquet' | 'png' | 'json';

function tableOf({ site, from, to, columns, rows, chart }: Schemas['ReportTable']): ReportTable {
  const at = (name: string | null) => columns.findIndex((column) => column.name === name);
  return {
    site,
    from: from === null ? undefined : Date.parse(from),
    to: to === null ? undefined : Date.parse(to),
    columns,
    rows,
    chart:
      chart === null
        ? undefined
        : { kind: chart.kind, labels: chart.labels.map(at), x: at(chart.x), value: at(chart.value), isGrid: chart.is_grid, rows: chart.rows },
  };
}

export interface ListedReport extends SavedReport {
  readonly changed: number;
}

/** Of a site, or of all. */
export function savedListQuery(site: string | undefined) {
  return queryOptions({
    queryKey: ['saved-list', site],
    queryFn: async ({ signal }): Promise<readonly ListedReport[]> => {
      const query = site === undefined ? {} : { site };
      const { saved_reports } = await answered(api.GET('/v1/saved-reports', { params: { query }, signal }));
      return saved_reports.map(({ id, name, kind, site: of, owner, changed }) => ({ id, name, kind, site: of, owner, changed: Date.parse(changed) }));
    },
  });
}

export async function forgetSaved(id: string): Promise<void> {
  await done(api.DELETE('/v1/saved-reports/{id}', { params: { path: { id } } }));
}

/** The same while the page goes away. */
export function forgetSavedLeaving(id: string): void {
  void fetch(`/v1/saved-reports/${encodeURIComponent(id)}`, { method: 'DELETE', keepalive: true, headers: session.headers() }).catch(() => undefined);
}

export function savedReportQuery(id: string) {
  return queryOptions({
    queryKey: ['saved', id],
    queryFn: async ({ signal }): Promise<SavedReport> => {
      const { name, kind, site, owner } = await answered(api.GET('/v1/saved-reports/{id}', { params: { path: { id } }, signal }));
      return { id, name, kind, site, owner };
    },
  });
}

export function savedAnswerQuery(id: string) {
  return queryOptions({
    queryKey: ['saved', id, 'answer'],
    queryFn: async ({ signal }): Promise<ReportTable> =>
      tableOf(await answered(tables.GET('/v1/saved-reports/{id}/answer', { params: { path: { id }, query: { format: 'table' } }, signal }))),
  });
}

/** The answer as a file. */
export async function downloadSaved({ id, name }: SavedReport, format: FileFormat): Promise<void> {
  const file = await answered(api.GET('/v1/saved-reports/{id}/answer', { params: { path: { id }, query: { format } }, parseAs: 'blob' }));
  keepFile(file, `${name}.${format}`);
}
