import { describe, expect, it } from 'vitest';
import { backOfAll, isOpen, newestIntervals, newestOf, shareOf, wholeIntervals, type Cohort } from '../src/state/retention';

const DAY = 86_400_000;
const time = (text: string) => Date.parse(text);

describe('the times of retention', () => {
  it('are whole days, or weeks from Monday on', () => {
    const range = { from: time('2026-11-25T10:00:00Z'), to: time('2026-11-28T06:00:00Z') };
    expect(wholeIntervals(range, 'day')).toEqual({ from: time('2026-11-25T00:00:00Z'), to: time('2026-11-29T00:00:00Z') });
    expect(wholeIntervals(range, 'week')).toEqual({ from: time('2026-11-23T00:00:00Z'), to: time('2026-11-30T00:00:00Z') });
    expect(new Date(wholeIntervals({ from: time('2026-11-23T00:00:00Z'), to: time('2026-11-30T00:00:00Z') }, 'week').from).getUTCDay()).toBe(1);
    expect(wholeIntervals({ from: 0, to: DAY }, 'day')).toEqual({ from: 0, to: DAY });
  });

  it('are the newest where none are chosen, or too many are', () => {
    expect(newestIntervals(time('2019-11-30T23:59:47Z'), 'day')).toEqual({ from: time('2019-11-17T00:00:00Z'), to: time('2019-12-01T00:00:00Z') });
    expect(newestOf({ from: 0, to: 100 * DAY }, 'day')).toEqual({ from: 40 * DAY, to: 100 * DAY });
    expect(newestOf({ from: 0, to: 5 * DAY }, 'day')).toEqual({ from: 0, to: 5 * DAY });
  });
});

describe('all cohorts together', () => {
  const oldest: Cohort = { time: 0, users: 10, back: [10, 6, 4] };
  const middle: Cohort = { time: DAY, users: 30, back: [30, 3] };
  const cohorts = [oldest, middle, { time: 2 * DAY, users: 5, back: [5] }];

  it('are counted at each time of those alone for which it is over', () => {
    // It is the middle of the third day.
    const now = 2.5 * DAY;
    expect(backOfAll(cohorts, 'day', now)).toEqual([{ users: 40, back: 40 }, { users: 10, back: 6 }, { users: 0, back: 0 }]);
    expect([isOpen(middle, 1, 'day', now), isOpen(oldest, 1, 'day', now)]).toEqual([true, false]);
  });

  it('have no share where there is nobody', () => {
    expect([shareOf({ users: 0, back: 0 }), shareOf({ users: 10, back: 6 })]).toEqual([undefined, 0.6]);
    expect(backOfAll([], 'day', 0)).toEqual([]);
  });
});
