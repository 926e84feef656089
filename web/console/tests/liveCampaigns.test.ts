import { describe, expect, it } from 'vitest';
import { addDelivery, campaignsOf, type LiveDelivery } from '../src/state/liveCampaigns';

const BEGIN = Date.parse('2026-11-24T10:00:00Z');

function message(event: string, fromMinute: number, campaigns: Record<string, [minute: number, impressions: number, clicks: number][]>) {
  const time = (minute: number) => new Date(BEGIN + minute * 60_000).toISOString();
  return {
    event,
    id: '',
    data: JSON.stringify({
      time: time(60),
      unit: 'minute',
      from: time(fromMinute),
      campaigns: Object.fromEntries(
        Object.entries(campaigns).map(([id, points]) => [
          id,
          points.map(([minute, impressions, clicks]) => ({ time: time(minute), impressions, viewable_impressions: 0, clicks, conversions: 0 })),
        ]),
      ),
    }),
  };
}

function told(...messages: ReturnType<typeof message>[]): LiveDelivery {
  const delivery = messages.reduce<LiveDelivery | undefined>(addDelivery, undefined);
  if (delivery === undefined) throw new Error('nothing was told');
  return delivery;
}

const at = (minute: number) => BEGIN + minute * 60_000 + 1_000;
const sums = (delivery: LiveDelivery, minute: number) => campaignsOf(delivery, at(minute)).map(({ id, impressions, clicks }) => [id, impressions, clicks]);

describe('campaigns as they deliver', () => {
  it('are what the window says, most impressions first', () => {
    expect(sums(told(message('window', 0, { a: [[10, 1, 0], [59, 2, 1]], b: [[3, 9, 0]] })), 59)).toEqual([['b', 9, 0], ['a', 3, 1]]);
  });

  it('change to what is told now, not by it', () => {
    const delivery = told(message('window', 0, { a: [[58, 5, 1]] }), message('changes', 0, { a: [[58, 7, 1], [59, 1, 0]] }), message('changes', 0, { a: [[59, 2, 0]] }));
    expect(sums(delivery, 59)).toEqual([['a', 9, 1]]);
    expect(campaignsOf(delivery, at(59))[0]?.series.slice(-3)).toEqual([0, 7, 2]);
  });

  it('forget what is older than the window', () => {
    const delivery = told(message('window', 0, { old: [[0, 5, 0]], a: [[0, 1, 0], [30, 1, 0]] }), message('changes', 5, { a: [[64, 1, 0]] }));
    expect(sums(delivery, 64)).toEqual([['a', 2, 0]]);
    // Time goes on also where nothing is told.
    expect(sums(delivery, 100)).toEqual([['a', 1, 0]]);
    expect(sums(delivery, 300)).toEqual([]);
  });

  it('begin anew with a new window, and know other messages for what they are', () => {
    const delivery = told(message('window', 0, { a: [[58, 5, 1]] }), message('window', 0, { b: [[59, 1, 0]] }));
    expect(sums(delivery, 59)).toEqual([['b', 1, 0]]);
    expect(addDelivery(delivery, { event: 'tick', id: '', data: '{}' })).toBe(delivery);
  });
});
