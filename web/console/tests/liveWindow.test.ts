import { describe, expect, it } from 'vitest';
import { backoff } from '../src/api/backoff';
import type { LiveTick } from '../src/api/model';
import { addTick, currentRate, emptyWindow, eventsInWindow, perSecond, typesInWindow } from '../src/state/liveWindow';

function tick(time: number, events: number, spanMilliseconds = 1000): LiveTick {
  return { time, events, spanMilliseconds, byType: { click: events }, byCampaign: { a: { impressions: events, clicks: 1 } } };
}

function windowOf(...ticks: LiveTick[]) {
  return ticks.reduce(addTick, emptyWindow);
}

describe('the live window', () => {
  it('holds the last minute and no more', () => {
    const window = windowOf(...Array.from({ length: 90 }, (_, second) => tick((second + 1) * 1000, 2)));
    expect(eventsInWindow(window)).toBe(120);
    expect(perSecond(window, 90_000)).toEqual(Array(60).fill(2));
  });

  it('counts a repeated tick once', () => {
    expect(eventsInWindow(windowOf(tick(1000, 5), tick(1000, 5)))).toBe(5);
  });

  it('has a rate over its last five seconds that falls when nothing arrives', () => {
    const window = windowOf(tick(1000, 10), tick(2000, 10), tick(3000, 10), tick(4000, 10), tick(5000, 10));
    expect(currentRate(window, 5000)).toBe(10);
    expect(currentRate(window, 7500)).toBeLessThan(10);
    expect(currentRate(window, 60_000)).toBe(0);
  });

  it('does not blow up one short tick into a rate', () => {
    expect(currentRate(windowOf(tick(1000, 3, 100)), 1000)).toBe(3);
  });

  it('adds up types and campaigns, the largest first', () => {
    const window = windowOf(tick(1000, 1), { ...tick(2000, 9), byType: { impression: 9 }, byCampaign: { b: { impressions: 9, clicks: 0 } } });
    expect(typesInWindow(window)).toEqual([{ type: 'impression', events: 9 }, { type: 'click', events: 1 }]);
  });
});

describe('the wait before another attempt', () => {
  it('doubles up to its cap and is spread', () => {
    expect(backoff(0, 0)).toBe(250);
    expect(backoff(0, 0.999)).toBeLessThanOrEqual(500);
    expect(backoff(3, 0)).toBe(2000);
    expect(backoff(50, 0.999)).toBeLessThanOrEqual(15_000);
  });
});
