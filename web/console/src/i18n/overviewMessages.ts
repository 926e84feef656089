// The sentences of the overview, which travel with it.
import type { Against, Usualness } from '../state/usual';
import { format } from './format';
import { messages as m, plural } from './messages';

const percentChange = new Intl.NumberFormat(format.locale, { style: 'percent', maximumFractionDigits: 0, signDisplay: 'exceptZero' });
const pointsFormat = new Intl.NumberFormat(format.locale, { minimumFractionDigits: 3, maximumFractionDigits: 3, signDisplay: 'exceptZero' });

/** A difference of two rates, in percentage points: "-0.420". */
export function points(difference: number): string {
  return pointsFormat.format(difference * 100);
}

function ago(weeks: number): string {
  return weeks === 1 ? 'a week before' : `${format.count(weeks)} weeks before`;
}

const titles: Readonly<Record<Usualness, string>> = {
  alone: 'Nothing to compare with yet',
  silent: 'No ad was shown',
  lower: 'CTR is lower than usual',
  higher: 'CTR is higher than usual',
  usual: 'CTR is as usual',
};

const weeksText = (count: number) => plural(count, { one: 'the week before', other: '# weeks before' });

export const overviewMessages = {
  title: 'Overview',
  intro: 'Now against the usual: what changed, and which cohorts and ads explain it.',
  byDefault: 'Newest 24 hours',
  answer: 'The answer',
  figures: 'Now and usually',
  titles,
  detail: {
    alone: () => 'The site has no earlier week: once it has one, this page says whether its numbers are usual.',
    silent: (_rate: string, usual: string) => `In these hours it is usually ${usual} impressions. See whether campaigns run, and whether events arrive.`,
    lower: (rate: string, _usual: string, weeks: number) => `${rate}: clearly below ${weeks === 1 ? 'the same hours of the week before' : `each of the same hours of the ${format.count(weeks)} weeks before`}.`,
    higher: (rate: string, _usual: string, weeks: number) => `${rate}: clearly above ${weeks === 1 ? 'the same hours of the week before' : `each of the same hours of the ${format.count(weeks)} weeks before`}.`,
    usual: (rate: string, _usual: string, weeks: number) => `${rate}: what the same hours of ${weeksText(weeks)} had, or too near to it to tell apart.`,
  } satisfies Record<Usualness, (rate: string, usualImpressions: string, weeks: number) => string>,
  span: (from: number, to: number) => `${format.dayTime(from)} to ${format.dayTime(to)}, UTC`,
  isOld: (day: string) => `The newest event of this site is of ${day}; this is its last day.`,
  columns: { impressions: m.measure.impressions, clicks: m.measure.clicks, ctr: m.measure.ctr, conversions: 'Conversions', spend: 'Spend' },
  usually: (value: string, change: number | undefined) => (change === undefined ? `usually ${value}` : `usually ${value}, ${percentChange.format(change)}`),
  noUsual: 'no usual yet',
  lineNow: 'Now',
  lineUsual: (weeks: number) => `The same hours of ${weeksText(weeks)}`,
  why: 'What changed, and why',
  against: 'Against',
  againsts: (against: Against, weeks: number) => (against === 'before' ? 'Just before' : weeks === 1 ? 'A week before' : `${format.count(weeks)} weeks before`),
  againstNote: (against: Against, weeks: number) => (against === 'before' ? 'Against the time just before, of the same length' : `Against the same hours ${ago(weeks)}`),
  by: 'Explained by',
  all: 'All of them',
  change: (before: string, now: string, difference: string) => `CTR went from ${before} to ${now}: ${difference} points`,
  same: (now: string) => `CTR is ${now}, as it was`,
  interval: (low: string, high: string) => `95% interval ${low} to ${high}`,
  chance: 'a difference that may be chance',
  mostly: 'Most of it is',
  mostlyRate: (cohort: string, before: string, now: string, part: string) => `${cohort}: its CTR went from ${before} to ${now}, which is ${part} points.`,
  mostlyShare: (cohort: string, before: string, now: string, part: string) => `${cohort}: its share of the impressions went from ${before} to ${now}, which is ${part} points.`,
  nothingStandsOut: 'No cohort stands out: what there is of a change is spread over all of them.',
  look: 'Look closer',
  cohort: (dimension: string, key: string) => `${m.dimension(dimension)} ${key}`,
  key: (key: string | undefined) => (key === undefined ? 'all others' : key === '' ? m.noValue : key),
  table: 'What each adds to the difference',
  tableNote: {
    all: 'The cohorts that explain most, of every dimension: those that add most beyond their share of an even change. A dimension’s cohorts add up to the whole difference; those of two dimensions are the same users, counted twice.',
    one: 'Each cohort’s part of the difference, by its own rate and by its share of the impressions. They add up.',
  },
  heads: { cohort: 'Cohort', both: 'Adds, points', rate: 'CTR', share: 'Share of impressions', byRate: 'By its rate', byShare: 'By its share', certainty: 'Certainty' },
  arrow: (before: string, now: string) => `${before} → ${now}`,
  clear: 'clear',
  maybe: 'may be chance',
  clearNote: 'Of the lines that are called clear, one in twenty at most is expected to be chance.',
  nothingBefore: 'There is nothing before this time that it could be compared with.',
  emptyTitle: 'Nothing here yet',
  emptyAdvice: 'No event of this site is in this time. Choose another time, or send events and they appear here. To see a site live now, run:',
};
