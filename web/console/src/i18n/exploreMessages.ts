// The sentences of the explore view, which travel with it.
import { format } from './format';
import { plural } from './messages';

const metrics: Readonly<Record<string, string>> = {
  impressions: 'Impressions', viewable_impressions: 'Viewable impressions', hovers: 'Hovers', clicks: 'Clicks', conversions: 'Conversions', ctr: 'CTR',
  viewable_ctr: 'Viewable CTR', viewability: 'Viewability', conversion_rate: 'Conversion rate', spend: 'Spend', revenue: 'Revenue', ecpm: 'eCPM',
  dwell: 'Dwell', visible_time: 'Visible time', reach: 'Reach', frequency: 'Frequency',
};

export const exploreMessages = {
  title: 'Explore',
  intro: 'Any metrics, by any dimensions, of whatever you keep.',
  metrics: 'Metrics',
  metric: (name: string) => metrics[name] ?? name,
  /** Those of this Marquee's model, before it is asked: so that nothing moves when it answers. */
  knownMetrics: Object.keys(metrics).map((name) => ({ name, description: '' })),
  by: ['By', 'Then by', 'And by'] as const,
  none: 'Nothing',
  filters: 'Only events where',
  total: 'In all',
  estimate: (share: string) => `Estimate from ${share} of the users; the exact answer is on its way`,
  running: 'Counting',
  exact: 'Exact',
  rows: (count: number, isCut: boolean) => `${plural(count, { one: '# row', other: '# rows' })}${isCut ? ', the first of more' : ''}`,
  table: 'Answer',
  interval: (low: string, high: string) => `${low} – ${high}`,
  chart: (metric: string, by: string) => `${metric} by ${by}`,
  description: (metric: string, by: string, rows: number) => `${metric} by ${by}, as a picture of ${plural(rows, { one: '# row', other: '# rows' })}. The table below holds all numbers.`,
  export: 'Export',
  formats: { csv: 'CSV', parquet: 'Parquet', png: 'PNG' },
  save: 'Save as report',
  saveName: 'Name of the report',
  saved: (name: string) => `${name} is saved, under an address of its own`,
  open: 'Open it',
  notSaved: 'It could not be saved',
  notExported: 'The file could not be made',
  notUndone: 'It could not be undone',
  defaultName: (metric: string, by: readonly string[]) => (by.length === 0 ? metric : `${metric} by ${format.list(by)}`),
  emptyTitle: 'Nothing here in this time',
  emptyAdvice: 'No event fits. Take out a filter, widen the time, or send events to this site.',
};
