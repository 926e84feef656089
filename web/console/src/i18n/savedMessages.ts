// The sentences of a saved report; they travel with its view.
import type { Cell, ColumnType } from '../api/saved';
import { format } from './format';
import { messages as m, plural } from './messages';

const columns: Readonly<Record<string, string>> = {
  ctr: 'CTR',
  viewable_ctr: 'Viewable CTR',
  ecpm: 'eCPM',
  low: 'From',
  high: 'To',
  p_value: 'p value',
  median_ms_from_previous: 'Median (ms)',
  p90_ms_from_previous: '90th percentile (ms)',
};

export const savedMessages = {
  kinds: {
    ctr: 'Click-through rate', metrics: 'Metrics', heatmap: 'Heatmap', funnel: 'Funnel', searches: 'Searches', paths: 'Paths', retention: 'Retention', campaigns: 'Campaigns',
    segments: 'Segments', sql: 'SQL',
  },
  intro: (kind: string, site: string, owner: string, range: string | undefined) =>
    [kind, site, range, `saved by ${owner}`].filter((part) => part !== undefined).join(' · '),
  listTitle: 'Saved reports',
  listIntro: 'Reports that are kept under addresses of their own; each says what is true when it is opened.',
  list: 'All saved reports',
  listNote: (count: number) => plural(count, { one: '# report', other: '# reports' }),
  listColumns: { name: 'Name', kind: 'Report', owner: 'Saved by', changed: 'Changed', actions: 'Actions' },
  send: (name: string) => `Send ${name} on a schedule`,
  remove: (name: string) => `Remove ${name}`,
  removed: (name: string) => `${name} is removed`,
  notRemoved: (name: string) => `${name} could not be removed`,
  noneTitle: 'No report is saved yet',
  noneAdvice: 'Ask something in Explore and press “Save as report”: it gets an address to be shared, and can be sent to a webhook on a schedule.',
  explore: 'Open Explore',
  report: 'Saved report',
  export: 'Export',
  formats: { csv: 'CSV', parquet: 'Parquet', png: 'PNG', json: 'JSON' },
  copyAddress: 'Copy address',
  exportFailed: 'The file could not be made',
  description: (name: string, rows: number) => `${name}, as a picture of ${plural(rows, { one: '# row', other: '# rows' })}. The table below holds all numbers.`,
  table: 'All rows',
  rows: (count: number) => plural(count, { one: '# row', other: '# rows' }),
  emptyTitle: 'Nothing here in this time',
  emptyAdvice: 'The report runs, but no event fits it now.',
  column: (name: string) => columns[name] ?? m.dimension(name),
};

/** A cell as a reader sees it. */
export function cellText(cell: Cell, type: ColumnType): string {
  if (cell === null) return '–';
  if (typeof cell === 'boolean') return cell ? 'yes' : 'no';
  if (typeof cell === 'number') {
    if (type === 'share') return format.rate(cell);
    return Number.isInteger(cell) ? format.count(cell) : format.decimal(cell, 3);
  }
  if (type === 'day') return format.day(Date.parse(cell));
  if (type === 'time') return format.dayTime(Date.parse(cell));
  return cell === '' ? m.noValue : cell;
}
