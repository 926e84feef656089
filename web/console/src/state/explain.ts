// Why a rate is another than before: what each cohort adds to the difference, by its own rate and by its share of the impressions.
import type { CtrReport, Rate } from '../api/model';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface Effect {
  /** Undefined: all the rows that the report left out. */
  readonly key: string | undefined;
  /** Undefined: no impression in that time. */
  readonly before: Rate | undefined;
  readonly now: Rate | undefined;
  /** Of the impressions. */
  readonly shareBefore: number;
  readonly shareNow: number;
  /** What it adds to the difference because its own rate is another, and because its share is. */
  readonly byRate: number;
  readonly byShare: number;
  readonly both: number;
  /** What it adds beyond its share of an even change: how much it explains. */
  readonly beyondEven: number;
  /** The chance of a difference as large where there is none. */
  readonly p: number;
}

export interface Explained {
  readonly before: Rate;
  readonly now: Rate;
  readonly difference: number;
  readonly interval: Interval;
  /** The effects add up to the difference. */
  readonly effects: readonly Effect[];
}

const Z = 1.959964;

/** The 95% interval of `now - before`, made of the interval of each (Newcombe 1998, method 10). */
export function differenceInterval(now: Rate, before: Rate): Interval {
  const difference = now.ctr - before.ctr;
  return {
    low: difference - Math.hypot(now.ctr - now.low, before.high - before.ctr),
    high: difference + Math.hypot(now.high - now.ctr, before.ctr - before.low),
  };
}

export function isClear({ low, high }: Interval): boolean {
  return low > 0 || high < 0;
}

/** Of a standard normal, both tails (Abramowitz and Stegun 7.1.26; error below 1.5e-7). */
function bothTails(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  return t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * Math.exp(-x * x);
}

/** By the arm of the interval that points to zero. */
export function pOfDifference(now: Rate, before: Rate): number {
  const difference = now.ctr - before.ctr;
  const { low, high } = differenceInterval(now, before);
  const arm = difference > 0 ? difference - low : high - difference;
  return difference === 0 || arm <= 0 ? 1 : bothTails((Z * difference) / arm);
}

/** Which of many may be called clear, so that of those one in twenty is called so wrongly (Benjamini and Hochberg). */
export function clearOnes(ps: readonly number[], rate = 0.05): readonly boolean[] {
  const sorted = ps.toSorted((a, b) => a - b);
  const most = sorted.findLastIndex((p, index) => p <= (rate * (index + 1)) / ps.length);
  const threshold = sorted[most] ?? -1;
  return ps.map((p) => p <= threshold);
}

/** What the total has that no row has. */
function restOf({ total, groups }: CtrReport): Rate | undefined {
  const impressions = total.impressions - groups.reduce((sum, group) => sum + group.impressions, 0);
  const clicks = total.clicks - groups.reduce((sum, group) => sum + group.clicks, 0);
  if (impressions <= 0) return undefined;
  // Its interval is not told: anything may be.
  return { impressions, clicks, ctr: clicks / impressions, low: 0, high: 1 };
}

function effectOf(key: string | undefined, now: Rate | undefined, before: Rate | undefined, totals: { now: Rate; before: Rate }): Effect {
  const share = (rate: Rate | undefined, total: Rate) => (rate === undefined || total.impressions === 0 ? 0 : rate.impressions / total.impressions);
  const shareNow = share(now, totals.now);
  const shareBefore = share(before, totals.before);
  // One that was not there has no rate of its own: all that it adds, it adds by being there.
  const rateNow = now?.ctr ?? before?.ctr ?? 0;
  const rateBefore = before?.ctr ?? now?.ctr ?? 0;
  const usual = (totals.now.ctr + totals.before.ctr) / 2;
  const meanShare = (shareNow + shareBefore) / 2;
  const byRate = meanShare * (rateNow - rateBefore);
  const byShare = (shareNow - shareBefore) * ((rateNow + rateBefore) / 2 - usual);
  return {
    key, before, now, shareBefore, shareNow, byRate, byShare, both: byRate + byShare,
    beyondEven: byRate + byShare - meanShare * (totals.now.ctr - totals.before.ctr),
    p: pOf(now, before, totals, Math.abs(byRate) >= Math.abs(byShare)),
  };
}

/** Shares are counted; that a shift of them changes the total rests on the cohort's rate being another than the rest's. */
function pOf(now: Rate | undefined, before: Rate | undefined, totals: { now: Rate; before: Rate }, isByRate: boolean): number {
  if (isByRate) return now === undefined || before === undefined ? 1 : pOfDifference(now, before);
  const isNow = (now?.impressions ?? 0) >= (before?.impressions ?? 0);
  const own = isNow ? now : before;
  return own === undefined ? 1 : pOfDifference(own, isNow ? totals.now : totals.before);
}

/**
 * The difference of two total rates as a sum over cohorts. With shares w and rates r, before and now, and mean values of both times:
 * `mean(w) * (now r - before r)` is of the rate, `(now w - before w) * (mean(r) - mean(total))` of the share; nothing is left over.
 */
export function explain(now: CtrReport, before: CtrReport): Explained {
  const totals = { now: now.total, before: before.total };
  const of = (report: CtrReport) => new Map<string | undefined, Rate>(report.groups.filter(({ impressions }) => impressions > 0).map((group) => [group.keys[0] ?? '', group]));
  const [nows, befores] = [of(now), of(before)];
  const [restNow, restBefore] = [restOf(now), restOf(before)];
  if (restNow !== undefined) nows.set(undefined, restNow);
  if (restBefore !== undefined) befores.set(undefined, restBefore);
  const keys = new Set([...nows.keys(), ...befores.keys()]);
  return {
    now: now.total,
    before: before.total,
    difference: now.total.ctr - before.total.ctr,
    interval: differenceInterval(now.total, before.total),
    effects: [...keys].map((key) => effectOf(key, nows.get(key), befores.get(key), totals)),
  };
}
