// The time range of a view, as its address says it: nothing (all the site's data), `last` (ending now) or `from` and `to`
// (days in UTC, both included).
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';

export const LAST_SPANS = { '15m': 15 * 60, '1h': 3600, '24h': 86_400, '7d': 7 * 86_400, '30d': 30 * 86_400 } as const;
export type LastSpan = keyof typeof LAST_SPANS;

export interface RangeSearch {
  readonly from?: string;
  readonly to?: string;
  readonly last?: LastSpan;
}

/** Milliseconds since the epoch; `to` is excluded. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

const DAY = 86_400_000;
const HOUR = 3_600_000;
const MINUTE = 60_000;

export function parseDay(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const time = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(time) || formatDay(time) !== text ? undefined : time;
}

export function formatDay(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

export function isLastSpan(text: string): text is LastSpan {
  return Object.hasOwn(LAST_SPANS, text);
}

/** The whole of a site's data, its ends rounded outwards so that the answer can be kept while more arrives. */
export function dataRange(first: number, last: number): TimeRange {
  const step = last - first > 2 * DAY ? DAY : last - first > 2 * HOUR ? HOUR : MINUTE;
  const from = Math.floor(first / step) * step;
  return { from, to: Math.floor(last / step) * step + step };
}

/** Resolves the search to times. `undefined`: all data asked for, and the site has none. */
export function resolveRange(search: RangeSearch, data: TimeRange | undefined, now: number): TimeRange | undefined {
  if (search.last !== undefined) {
    // Rounded up, so that the same question is not asked anew each millisecond.
    const to = Math.ceil(now / MINUTE) * MINUTE;
    return { from: to - LAST_SPANS[search.last] * 1000, to };
  }
  const from = parseDay(search.from);
  const to = parseDay(search.to);
  if (from !== undefined && to !== undefined && from <= to) return { from, to: to + DAY };
  return data;
}

export function rangeLabel(search: RangeSearch, data: TimeRange | undefined): string {
  if (search.last !== undefined) return m.range.last[search.last];
  const from = parseDay(search.from);
  const to = parseDay(search.to);
  if (from !== undefined && to !== undefined) return format.dayRange(from, to);
  return data === undefined ? m.range.empty : format.dayRange(data.from, data.to - 1);
}
