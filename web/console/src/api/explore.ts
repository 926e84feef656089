// Any metrics by any dimensions: asked in steps, an estimate first where the exact answer takes long. The API's spelling ends here.
import { queryOptions } from '@tanstack/react-query';
import { session } from '../state/session';
import { answered, api } from './client';
import { ApiError, kindOfStatus, serverMessage } from './errors';
import { EventStreamParser } from './eventStream';
import type { Cell, ColumnType, ReportTable } from './saved';
import type { components } from './schema';

type Schemas = components['schemas'];
type MetricsReport = Schemas['MetricsReport'];
type Unit = Schemas['ReportModel']['metrics'][number]['unit'];

export interface ReportModel {
  readonly metrics: readonly { readonly name: string; readonly unit: Unit; readonly description: string }[];
  readonly dimensions: readonly { readonly name: string; readonly description: string }[];
}

/** Where the exact value is, with 95%; of proportions, and of every estimate. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

export interface Exploration {
  readonly table: ReportTable;
  /** By row and column of the table; dimensions have none. */
  readonly bounds: readonly (readonly (Bounds | undefined)[])[];
  readonly total: readonly { readonly value: number | undefined; readonly bounds: Bounds | undefined }[];
  /** Share of the users that were counted; undefined: the answer is exact. */
  readonly sample: number | undefined;
  readonly isCut: boolean;
}

export interface Question {
  readonly site: string;
  readonly metrics: readonly string[];
  readonly by: readonly string[];
  readonly filter: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly last?: string;
}

export const ROWS = 1000;
/** Of a file. */
export const MOST_ROWS = 10_000;
const CHART_ROWS = 1000;

export function reportModelQuery() {
  return queryOptions({
    queryKey: ['report-model'],
    staleTime: Infinity,
    queryFn: async ({ signal }): Promise<ReportModel> => answered(api.GET('/v1/reports/model', { signal })),
  });
}

const TYPES: Readonly<Record<string, ColumnType>> = { day: 'day', hour: 'time', minute: 'time' };
const UNITS: Readonly<Record<Unit, ColumnType>> = { count: 'count', proportion: 'share', money: 'real', ms: 'real', ratio: 'real' };

function boundsOf({ low, high }: { low?: number; high?: number }): Bounds | undefined {
  return low === undefined || high === undefined ? undefined : { low, high };
}

/** The report as a table, with the picture that it makes. */
export function explorationOf(report: MetricsReport, model: ReportModel): Exploration {
  const unit = (name: string): Unit => model.metrics.find((metric) => metric.name === name)?.unit ?? 'ratio';
  const columns = [
    ...report.by.map((name) => ({ name, type: TYPES[name] ?? ('text' as const) })),
    ...report.metrics.map((name) => ({ name, type: UNITS[unit(name)] })),
  ];
  const time = report.by.findIndex((name) => name in TYPES);
  const places = report.by.map((_, index) => index);
  const rows = report.rows.map((row): readonly Cell[] => [...row.keys, ...row.values.map(({ value }) => value)]);
  return {
    table: {
      site: report.site,
      from: report.from === null ? undefined : Date.parse(report.from),
      to: report.to === null ? undefined : Date.parse(report.to),
      columns,
      rows,
      chart: {
        kind: report.by.length === 0 ? 'figures' : time < 0 ? 'bars' : 'lines',
        labels: places.filter((place) => place !== time),
        x: time,
        value: report.by.length,
        isGrid: false,
        rows: Math.min(rows.length, CHART_ROWS),
      },
    },
    bounds: report.rows.map((row) => [...row.keys.map(() => undefined), ...row.values.map(boundsOf)]),
    total: report.total.values.map((value) => ({ value: value.value ?? undefined, bounds: boundsOf(value) })),
    sample: report.sample ?? undefined,
    isCut: report.is_cut,
  };
}

/** As the API takes them; also a saved report's. */
export function parametersOf({ metrics, by, filter, ...times }: Question) {
  return {
    ...times,
    metrics: metrics.join(','),
    ...(by.length === 0 ? {} : { by: by.join(',') }),
    ...(filter.length === 0 ? {} : { filter: [...filter] }),
  };
}

function addressOf(question: Question): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...parametersOf(question), limit: ROWS })) {
    for (const one of Array.isArray(value) ? value : [value]) parameters.append(name, String(one));
  }
  return parameters.toString();
}

/** Tells of each step; ends with the exact answer, or throws. Who aborts ends the query. */
export async function explore(question: Question, signal: AbortSignal, onStep: (report: MetricsReport) => void): Promise<void> {
  let response: Response;
  try {
    response = await fetch(`/v1/reports/metrics/stream?${addressOf(question)}`, {
      headers: { Accept: 'text/event-stream', ...session.headers() },
      signal,
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiError('unreachable', error instanceof Error ? error.message : String(error));
  }
  if (!response.ok || response.body === null) throw new ApiError(kindOfStatus(response.status), serverMessage(await response.text(), response.status), response.status);
  const parser = new EventStreamParser();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done: isOver, value } = await reader.read();
    if (isOver) return;
    for (const { event, data } of parser.push(value)) {
      if (event === 'error') throw new ApiError('rejected', serverMessage(JSON.parse(data), 400));
      if (event === 'sample' || event === 'exact') onStep(JSON.parse(data) as MetricsReport);
    }
  }
}
