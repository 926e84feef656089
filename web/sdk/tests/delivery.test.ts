import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { browser, type Browser } from './browser';

type Delivery = typeof import('../src/delivery');

let page: Browser;
let delivery: Delivery;

async function begin(): Promise<void> {
  vi.useFakeTimers();
  page = browser();
  const { configure } = await import('../src/settings');
  configure({ site: 'campus', key: 'mk_1' }, 'https://marquee.example/marquee.js');
  delivery = await import('../src/delivery');
}

const event = (number: number, text = ''): string => JSON.stringify({ type: 'custom', seq: number, text });
const events = (count: number, text = ''): string[] => Array.from({ length: count }, (_, i) => event(i + 1, text));
const numbers = (sent: { events: Record<string, unknown>[] }[]): unknown[] => sent.flatMap((one) => one.events.map(({ seq }) => seq));

beforeEach(begin);
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('delivery', () => {
  it('sends events to the beacon address of the site, with the clock at sending', async () => {
    vi.setSystemTime(1_796_000_000_000);
    await delivery.keep(events(2));
    expect(page.fetched.map(({ url }) => url)).toEqual(['https://marquee.example/v1/beacon?key=mk_1']);
    expect(page.fetched[0]?.body).toMatch(/^\{"sent_at":1796000000000,"events":\[/);
    expect(numbers(page.fetched)).toEqual([1, 2]);
  });

  for (const status of [400, 401, 403, 410, 413, 422])
    it(`does not send again what is answered ${status}`, async () => {
      page.answer(status, 204);
      await delivery.keep([event(1)]);
      await vi.advanceTimersByTimeAsync(600_000);
      expect(page.fetched).toHaveLength(1);
      await delivery.keep([event(2)]);
      expect(numbers(page.fetched)).toEqual([1, 2]);
    });

  for (const status of [404, 429, 500, 502, 503, null])
    it(`sends again, the same in the same order, what is answered ${status ?? 'by nobody'}`, async () => {
      page.answer(status, status, 204);
      await delivery.keep(events(3));
      await delivery.keep([event(4)]);
      await vi.advanceTimersByTimeAsync(10_000);
      expect(page.fetched.map((one) => numbers([one]))).toEqual([[1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4]]);
    });

  it('waits longer each time, up to a minute, and never as long as another would', async () => {
    const at: number[] = [];
    page.answer(() => {
      at.push(Date.now());
      return new Response(null, { status: 503 });
    });
    await delivery.keep([event(1)]);
    await vi.advanceTimersByTimeAsync(400_000);
    const waits = at.slice(1).map((time, i) => time - (at[i] ?? 0));
    waits.slice(0, 6).forEach((wait, i) => {
      expect(wait).toBeGreaterThanOrEqual(500 * 2 ** i - 1);
      expect(wait).toBeLessThanOrEqual(1000 * 2 ** i + 1);
    });
    expect(Math.max(...waits)).toBeLessThanOrEqual(60_001);
    expect(new Set(waits.map((wait, i) => Math.round((wait / 2 ** i) * 100))).size).toBeGreaterThan(3);
  });

  it('waits as long as the server asks', async () => {
    page.answer(() => new Response(null, { status: 429, headers: { 'Retry-After': '30' } }));
    await delivery.keep([event(1)]);
    await vi.advanceTimersByTimeAsync(29_000);
    expect(page.fetched).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(page.fetched).toHaveLength(2);
  });

  it('splits what the server finds too large, down to single events', async () => {
    page.answer((sent) => new Response(null, { status: sent.events.length > 3 || sent.body.includes('huge') ? 413 : 204 }));
    await delivery.keep([...events(7), event(8, 'huge'), event(9)]);
    const taken = page.fetched.filter((one) => one.events.length <= 3 && !one.body.includes('huge'));
    expect(numbers(taken)).toEqual([1, 2, 3, 4, 5, 6, 7, 9]);
    const before = page.fetched.length;
    await delivery.pump();
    expect(page.fetched).toHaveLength(before);
  });

  it('asks nobody while the browser is offline', async () => {
    page.navigator.onLine = false;
    await delivery.keep([event(1)]);
    expect(page.fetched).toHaveLength(0);
    page.navigator.onLine = true;
    await delivery.pump();
    expect(numbers(page.fetched)).toEqual([1]);
  });

  it('keeps the newest of more than it can', async () => {
    page.navigator.onLine = false;
    await delivery.keep(events(1_500));
    page.navigator.onLine = true;
    await delivery.pump();
    const all = numbers(page.fetched);
    expect(all).toHaveLength(1_000);
    expect([all[0], all.at(-1)]).toEqual([501, 1_500]);
  });

  it('splits a part that is too large into its events', async () => {
    page.answer((sent) => new Response(null, { status: sent.events.length > 2 ? 413 : 204 }));
    await delivery.keep([events(5).join()]);
    expect(page.fetched.map((one) => numbers([one])).filter((one) => one.length <= 2)).toEqual([[1, 2], [3], [4, 5]]);
  });

  it('sends what waits as beacons of less than 64 KB when the page goes away', async () => {
    page.answer(null);
    await delivery.keep(events(50));
    delivery.leave([events(100, 'é'.repeat(200)).slice(50).join()]);
    expect(numbers(page.beacons)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    for (const { body } of page.beacons) expect(new TextEncoder().encode(body).length).toBeLessThan(65_536);
  });

  it('does not send as a beacon what is on its way', async () => {
    let arrive: (response: Response) => void = () => undefined;
    vi.stubGlobal('fetch', () => new Promise((resolve) => (arrive = resolve)));
    const kept = delivery.keep([event(1)]);
    await vi.advanceTimersByTimeAsync(1);
    delivery.leave([event(2)]);
    expect(numbers(page.beacons)).toEqual([2]);
    arrive(new Response(null, { status: 204 }));
    await kept;
    await delivery.pump();
    expect(numbers(page.beacons)).toEqual([2]);
  });
});
