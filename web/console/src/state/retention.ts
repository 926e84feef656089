// Who came back: in which times, and how much of all cohorts together.
import type { TimeRange } from './range';

const DAY = 86_400_000;
const WEEK = 7 * DAY;
/** The first of 1970 was a Thursday; weeks begin on Monday. */
const MONDAY = 4 * DAY;

export type RetentionInterval = 'day' | 'week';
export const INTERVALS: Readonly<Record<RetentionInterval, number>> = { day: DAY, week: WEEK };
/** What is shown where no time is chosen. */
export const NEWEST: Readonly<Record<RetentionInterval, number>> = { day: 14, week: 12 };

export interface Cohort {
  readonly time: number;
  readonly users: number;
  /** Users with an event in the k-th interval after that of the cohort, from 0 on. */
  readonly back: readonly number[];
}

function begin(time: number, interval: RetentionInterval): number {
  const width = INTERVALS[interval];
  const offset = interval === 'week' ? MONDAY : 0;
  return Math.floor((time - offset) / width) * width + offset;
}

/** Whole intervals around a range. */
export function wholeIntervals({ from, to }: TimeRange, interval: RetentionInterval): TimeRange {
  return { from: begin(from, interval), to: begin(to - 1, interval) + INTERVALS[interval] };
}

/** The newest intervals of a site, until its last event. */
export function newestIntervals(last: number, interval: RetentionInterval): TimeRange {
  const to = begin(last, interval) + INTERVALS[interval];
  return { from: to - NEWEST[interval] * INTERVALS[interval], to };
}

/** A grid of more cohorts is read by nobody. */
export const MOST_COHORTS = 60;

/** The newest of a range's intervals, where they are too many. */
export function newestOf(range: TimeRange, interval: RetentionInterval): TimeRange {
  return { from: Math.max(range.from, range.to - MOST_COHORTS * INTERVALS[interval]), to: range.to };
}

/** Whether the k-th interval of a cohort goes on: more may come back. */
export function isOpen(cohort: Cohort, k: number, interval: RetentionInterval, now: number): boolean {
  return cohort.time + (k + 1) * INTERVALS[interval] > now;
}

export interface Back {
  readonly users: number;
  readonly back: number;
}

/** By k, of the cohorts whose k-th interval is over; those are others at each k. */
export function backOfAll(cohorts: readonly Cohort[], interval: RetentionInterval, now: number): readonly Back[] {
  const longest = Math.max(0, ...cohorts.map(({ back }) => back.length));
  return Array.from({ length: longest }, (_, k) => {
    const over = cohorts.filter((cohort) => k < cohort.back.length && !isOpen(cohort, k, interval, now));
    return { users: over.reduce((sum, { users }) => sum + users, 0), back: over.reduce((sum, { back }) => sum + (back[k] ?? 0), 0) };
  });
}

export function shareOf({ users, back }: Back): number | undefined {
  return users === 0 ? undefined : back / users;
}
