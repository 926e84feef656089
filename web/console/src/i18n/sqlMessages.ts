// The sentences of the SQL editor, which travel with it.
import { format } from './format';
import { plural } from './messages';

const rows = (count: number) => plural(count, { one: '# row', other: '# rows' });
const byteUnits = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** 1_234_567 -> "1.2 MB". */
export function bytesText(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 1000 && unit < byteUnits.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return value.toLocaleString(format.locale, { style: 'unit', unit: byteUnits[unit] ?? 'byte', unitDisplay: 'short', maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0 });
}

const quoted = (site: string) => `'${site.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

export const sqlMessages = {
  title: 'SQL',
  intro: 'Any question of the events, decisions and rollups, in the words of ClickHouse. Nothing is changed by it.',
  editor: 'Query',
  keys: 'Ctrl+Enter runs it, Shift+Alt+F lays it out, Ctrl+Space completes.',
  hint: 'SELECT event_type, count() FROM events GROUP BY event_type',
  run: 'Run',
  cancel: 'Cancel',
  layOut: 'Format',
  notLaidOut: 'It could not be laid out',
  running: 'Running',
  stopped: 'Cancelled',
  wrong: 'The store refuses it',
  wrongAt: (line: number, column: number) => `Line ${format.count(line)}, column ${format.count(column)}`,
  name: 'Name',
  namePlaceholder: 'Untitled query',
  save: 'Save',
  saveNew: 'Save as new',
  saved: (name: string) => `${name} is saved`,
  notSaved: 'It could not be saved',
  notUndone: 'It could not be undone',
  answer: 'Answer',
  cost: (count: number, seconds: number, rowsRead: number, bytesRead: number) =>
    `${rows(count)} in ${format.duration(seconds * 1000)} · ${rows(rowsRead)} (${bytesText(bytesRead)}) read`,
  cut: {
    rows: (count: number) => `These are the first ${rows(count)}. There are more: export them all, or narrow the query.`,
    bytes: (count: number) => `These are the first ${rows(count)}, as many as a page can hold. There are more: export them all, or narrow the query.`,
  },
  nothing: 'No row fits',
  nothingAdvice: 'The query ran, and its answer is empty.',
  export: 'Export',
  formats: { csv: 'CSV', parquet: 'Parquet' },
  notExported: 'The file could not be made',
  fileName: 'query',
  chart: 'Chart',
  kind: 'As',
  kinds: { none: 'No chart', lines: 'Lines', bars: 'Bars' },
  x: 'By',
  y: 'Value',
  by: 'A line for each',
  noBy: 'One line',
  description: (y: string, x: string, count: number) => `${y} by ${x}, as a picture of ${rows(count)}. The table below holds all numbers.`,
  teachTitle: 'Ask the data itself',
  teach: 'Write a query above, or begin with one of these. Names complete as you type.',
  examples: [
    {
      title: 'Clicks and CTR of each campaign',
      sql: (site: string) =>
        `SELECT\n  campaign_id,\n  countIf(event_type = 'impression') AS impressions,\n  countIf(event_type = 'click') AS clicks,\n  round(clicks / impressions, 5) AS ctr\nFROM events\nWHERE site_id = ${quoted(site)}\nGROUP BY campaign_id\nHAVING impressions > 0\nORDER BY clicks DESC\nLIMIT 20`,
    },
    {
      title: 'Events by day and type',
      sql: (site: string) =>
        `SELECT\n  toDate(event_time) AS day,\n  event_type,\n  count() AS events\nFROM events\nWHERE site_id = ${quoted(site)}\nGROUP BY day, event_type\nORDER BY day, events DESC`,
    },
    {
      title: 'How many sessions have how many events',
      sql: (site: string) =>
        `SELECT\n  least(events, 20) AS events_of_session,\n  count() AS sessions\nFROM (\n  SELECT session_id, count() AS events\n  FROM events\n  WHERE site_id = ${quoted(site)}\n  GROUP BY session_id\n)\nGROUP BY events_of_session\nORDER BY events_of_session`,
    },
  ],
  noReader: 'There is no SQL editor here',
};
