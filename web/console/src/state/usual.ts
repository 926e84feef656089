// What a site's numbers usually are: those of the same hours of the weeks before.
import type { Rate } from '../api/model';
import { differenceInterval } from './explain';
import type { TimeRange } from './range';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
const WEEKS = 4;

export const STEPS = { minute: MINUTE, hour: HOUR, day: DAY } as const;
export type Step = keyof typeof STEPS;

export interface Numbers {
  readonly impressions: number;
  readonly clicks: number;
  readonly conversions: number;
  readonly spend: number;
}

export interface Moment extends Numbers {
  readonly time: number;
}

export interface Moments {
  readonly range: TimeRange;
  readonly total: Numbers;
  readonly rate: Rate;
  readonly moments: readonly Moment[];
}

/** The newest 24 full hours of a site: until now, or until its last event where that is longer ago. */
export function newestDay(first: number | undefined, last: number | undefined, now: number): { readonly range: TimeRange; readonly isNow: boolean } | undefined {
  if (first === undefined || last === undefined) return undefined;
  const isNow = last >= now - DAY;
  const full = Math.floor(now / HOUR) * HOUR;
  // Full hours are quick to count; a site that is younger than this one has no other.
  const to = !isNow ? Math.floor(last / HOUR) * HOUR + HOUR : first < full ? full : Math.ceil(now / MINUTE) * MINUTE;
  return { range: { from: to - DAY, to }, isNow };
}

export function stepOf({ from, to }: TimeRange): Step {
  if (to - from <= 3 * HOUR) return 'minute';
  return to - from <= 8 * DAY ? 'hour' : 'day';
}

/** How far back the same hours are that have passed before it began: whole weeks. */
export function weeksBack({ from, to }: TimeRange): number {
  return Math.max(1, Math.ceil((to - from) / WEEK));
}

export function shifted({ from, to }: TimeRange, by: number): TimeRange {
  return { from: from - by, to: to - by };
}

/** The same hours of the weeks before, the newest first, as far as the site has data of all of them. */
export function weeksBefore(range: TimeRange, first: number | undefined): readonly TimeRange[] {
  const step = weeksBack(range) * WEEK;
  return Array.from({ length: WEEKS }, (_, index) => shifted(range, (index + 1) * step)).filter(({ from }) => first !== undefined && first <= from + HOUR);
}

/** What a range is compared with. `week`: the same hours, so many weeks before; `before`: the time just before it. */
export type Against = 'week' | 'before';

export function rangeAgainst(range: TimeRange, against: Against): TimeRange {
  return shifted(range, against === 'week' ? weeksBack(range) * WEEK : range.to - range.from);
}

export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const high = sorted[Math.floor(middle)];
  return Number.isInteger(middle) && high !== undefined ? ((sorted[middle - 1] ?? high) + high) / 2 : high;
}

export interface Band {
  /** Undefined where there is no value to draw, as a rate of nothing. */
  readonly now: readonly (number | undefined)[];
  readonly usual: readonly (number | undefined)[];
  readonly low: readonly (number | undefined)[];
  readonly high: readonly (number | undefined)[];
}

/** Values by step of the range, beside those of the weeks; steps that the range cuts are left out. */
export function bandOf(now: Moments, weeks: readonly Moments[], step: Step, value: (numbers: Numbers) => number | undefined): Band {
  const width = STEPS[step];
  const first = Math.ceil(now.range.from / width);
  const count = Math.floor(now.range.to / width) - first;
  const nothing: Numbers = { impressions: 0, clicks: 0, conversions: 0, spend: 0 };
  const valuesOf = ({ range, moments }: Moments) => {
    const byPlace = new Map(moments.map((moment) => [Math.floor((moment.time + now.range.from - range.from) / width) - first, moment]));
    return Array.from({ length: Math.max(0, count) }, (_, place) => value(byPlace.get(place) ?? nothing));
  };
  const before = weeks.map(valuesOf);
  const at = (place: number) => before.map((values) => values[place]).filter((one) => one !== undefined);
  const places = Array.from({ length: Math.max(0, count) }, (_, place) => at(place));
  return {
    now: valuesOf(now),
    usual: places.map(median),
    low: places.map((values) => (values.length === 0 ? undefined : Math.min(...values))),
    high: places.map((values) => (values.length === 0 ? undefined : Math.max(...values))),
  };
}

/** silent: nothing was shown where usually something is. alone: there is nothing to compare with. */
export type Usualness = 'alone' | 'silent' | 'lower' | 'higher' | 'usual';

/** Lower or higher only where the rate is clearly so against each of the weeks. */
export function usualness(now: Rate, weeks: readonly Rate[]): Usualness {
  const shown = weeks.filter(({ impressions }) => impressions > 0);
  if (shown.length === 0) return 'alone';
  if (now.impressions === 0) return 'silent';
  const differences = shown.map((week) => differenceInterval(now, week));
  if (differences.every(({ high }) => high < 0)) return 'lower';
  return differences.every(({ low }) => low > 0) ? 'higher' : 'usual';
}
