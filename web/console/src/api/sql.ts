// What the store is asked in SQL, what it answers, and the queries that are kept; the API's spelling ends here.
import { queryOptions } from '@tanstack/react-query';
import type { SqlPlace, SqlResult, SqlSchema } from '../state/sqlModel';
import { answered, api, failure } from './client';
import { ApiError } from './errors';
import type { components } from './schema';

type Schemas = components['schemas'];

/** The store's refusal of a statement. */
export class SqlError extends ApiError {
  constructor(
    message: string,
    /** ClickHouse's own number of the error. */
    readonly code: number | undefined,
    readonly place: SqlPlace | undefined,
  ) {
    super('rejected', message, 422);
  }
}

function refusal(body: unknown, response: Response): Error {
  if (response.status !== 422) return failure(body, response);
  const { message, code, position } = (body as Schemas['SqlError']).error;
  return new SqlError(message, code, position);
}

export async function askSql(sql: string, signal: AbortSignal): Promise<SqlResult> {
  const { data, error, response } = await api.POST('/v1/sql', { body: { sql }, signal });
  if (data === undefined) throw refusal(error, response);
  const { columns, rows, cut, seconds, rows_read: rowsRead, bytes_read: bytesRead } = data;
  return { columns: columns, rows: rows, cut: cut ?? undefined, seconds, rowsRead, bytesRead };
}

/** The whole answer as a file. An <a> sends no body, so the browser is given what was fetched. */
export async function downloadSql(sql: string, name: string, form: 'csv' | 'parquet'): Promise<void> {
  const { data, error, response } = await api.POST('/v1/sql', { body: { sql }, params: { query: { format: form } }, parseAs: 'blob' });
  if (data === undefined) throw refusal(error, response);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(data);
  link.download = `${name}.${form}`;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** What completion knows. */
export function sqlSchemaQuery() {
  return queryOptions({
    queryKey: ['sql-schema'],
    staleTime: 300_000,
    queryFn: async ({ signal }): Promise<SqlSchema> => await answered(api.GET('/v1/sql/schema', { signal })),
  });
}

export interface SavedSql {
  readonly id: string;
  readonly name: string;
  readonly site: string;
  readonly sql: string;
  /** As the address has it. */
  readonly chart: string | undefined;
  readonly owner: string;
  /** For If-Match: somebody else may change it, too. */
  readonly version: string;
}

export interface SqlDraft {
  readonly name: string;
  readonly site: string;
  readonly sql: string;
  readonly chart: string | undefined;
}

export function savedSqlQuery(id: string) {
  return queryOptions({
    queryKey: ['saved-sql', id],
    queryFn: async ({ signal }): Promise<SavedSql> => {
      const { data, error, response } = await api.GET('/v1/saved-reports/{id}', { params: { path: { id } }, signal });
      if (data === undefined) throw failure(error, response);
      const { sql, chart } = data.parameters as { sql?: string; chart?: string };
      return { id, name: data.name, site: data.site, owner: data.owner, sql: sql ?? '', chart: chart === '' ? undefined : chart, version: response.headers.get('ETag') ?? '' };
    },
  });
}

/** Kept anew, or in the place of what `before` was. */
export async function saveSql({ name, site, sql, chart }: SqlDraft, before: SavedSql | undefined): Promise<string> {
  // The document leaves open what a report's parameters are, which its generated type takes for nothing.
  const parameters = { site, sql, ...(chart === undefined ? {} : { chart }) } as unknown as Schemas['NewSavedReport']['parameters'];
  // Without an owner it is who is signed in, which the generated type does not know.
  const body = { name, kind: 'sql', parameters } as unknown as Schemas['NewSavedReport'];
  if (before === undefined) return (await answered(api.POST('/v1/saved-reports', { body }))).id;
  const header = before.version === '' ? {} : { 'If-Match': before.version };
  await answered(api.PUT('/v1/saved-reports/{id}', { params: { path: { id: before.id }, header }, body: { ...body, owner: before.owner } }));
  return before.id;
}

