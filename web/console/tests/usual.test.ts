import { describe, expect, it } from 'vitest';
import type { Rate } from '../src/api/model';
import { bandOf, median, newestDay, rangeAgainst, stepOf, usualness, weeksBefore, type Moments } from '../src/state/usual';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const time = (text: string) => Date.parse(text);
const now = time('2026-11-28T05:40:00Z');

describe('the newest day of a site', () => {
  it('ends with the last full hour', () => {
    expect(newestDay(0, now - 1000, now)).toEqual({ isNow: true, range: { from: time('2026-11-27T05:00:00Z'), to: time('2026-11-28T05:00:00Z') } });
  });

  it('goes on to this minute for a site that began in this hour', () => {
    expect(newestDay(now - 60_000, now - 1000, now)?.range.to).toBe(now);
  });

  it('is that of its last event where that is long ago', () => {
    const last = time('2019-11-30T23:59:47Z');
    expect(newestDay(0, last, now)).toEqual({ isNow: false, range: { from: time('2019-11-30T00:00:00Z'), to: time('2019-12-01T00:00:00Z') } });
    expect(newestDay(undefined, undefined, now)).toBeUndefined();
  });
});

describe('the usual', () => {
  const range = { from: time('2026-11-27T05:00:00Z'), to: time('2026-11-28T05:00:00Z') };

  it('is of the same hours of as many weeks as there is data of', () => {
    expect(weeksBefore(range, 0).map(({ from }) => new Date(from).toISOString().slice(0, 13))).toEqual(['2026-11-20T05', '2026-11-13T05', '2026-11-06T05', '2026-10-30T05']);
    expect(weeksBefore(range, time('2026-11-12T00:00:00Z')).length).toBe(2);
    expect(weeksBefore(range, undefined)).toEqual([]);
  });

  it('never overlaps with now, however long that is', () => {
    for (const days of [1, 7, 8, 30]) {
      const long = { from: range.to - days * DAY, to: range.to };
      expect(weeksBefore(long, 0)[0]?.to).toBeLessThanOrEqual(long.from);
      expect(((long.from - (weeksBefore(long, 0)[0]?.from ?? 0)) / DAY) % 7).toBe(0);
    }
    expect(rangeAgainst(range, 'before').to).toBe(range.from);
    expect([stepOf({ from: 0, to: HOUR }), stepOf(range), stepOf({ from: 0, to: 30 * DAY })]).toEqual(['minute', 'hour', 'day']);
  });

  const some = (from: number, to: number, impressions: readonly number[]): Moments => ({
    range: { from, to },
    total: { impressions: 0, clicks: 0, conversions: 0, spend: 0 },
    rate: { impressions: 0, clicks: 0, ctr: 0, low: 0, high: 0 },
    moments: impressions.map((count, index) => ({ time: Math.floor(from / HOUR) * HOUR + index * HOUR, impressions: count, clicks: 0, conversions: 0, spend: 0 })),
  });

  it('is drawn hour beside hour; hours that the range cuts are left out', () => {
    const from = range.from + HOUR / 2;
    const week = (weeks: number, counts: readonly number[]) => some(from - weeks * 7 * DAY, from + 3 * HOUR - weeks * 7 * DAY, counts);
    const band = bandOf(week(0, [1, 10, 20, 2]), [week(1, [9, 5, 7, 9]), week(2, [9, 15, 9]), week(3, [9, 6, 8])], 'hour', ({ impressions }) => impressions);
    expect(band).toEqual({ now: [10, 20], usual: [6, 8], low: [5, 7], high: [15, 9] });
  });

  it('has no line where there is no week', () => {
    expect(bandOf(some(range.from, range.from + 2 * HOUR, [1]), [], 'hour', ({ impressions }) => impressions)).toEqual({
      now: [1, 0], usual: [undefined, undefined], low: [undefined, undefined], high: [undefined, undefined],
    });
    expect([median([]), median([3]), median([1, 4, 2]), median([4, 1, 2, 3])]).toEqual([undefined, 3, 2, 2.5]);
  });
});

describe('the verdict', () => {
  const rate = (ctr: number, half: number, impressions = 1000): Rate => ({ impressions, clicks: ctr * impressions, ctr, low: ctr - half, high: ctr + half });

  it('is lower or higher only where that is clear against each of the weeks', () => {
    expect(usualness(rate(0.01, 0.001), [rate(0.02, 0.001), rate(0.03, 0.001)])).toBe('lower');
    expect(usualness(rate(0.01, 0.001), [rate(0.02, 0.001), rate(0.0105, 0.001)])).toBe('usual');
    expect(usualness(rate(0.05, 0.001), [rate(0.02, 0.001), rate(0.03, 0.001)])).toBe('higher');
  });

  it('says where there is nothing to compare, and where nothing was shown', () => {
    expect(usualness(rate(0.01, 0.001), [])).toBe('alone');
    expect(usualness(rate(0.01, 0.001), [rate(0, 0, 0)])).toBe('alone');
    expect(usualness(rate(0, 0, 0), [rate(0.02, 0.001)])).toBe('silent');
  });
});
