import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Options } from '../src/types';
import { browser, type Browser } from './browser';

type Recorder = typeof import('../src/recorder');

let page: Browser;

async function begin(options: Partial<Options> = {}): Promise<Recorder> {
  const { configure } = await import('../src/settings');
  configure({ site: 'campus', key: 'mk_1', ...options }, 'https://marquee.example/marquee.js');
  const recorder = await import('../src/recorder');
  recorder.startRecorder();
  return recorder;
}

const all = (): Record<string, unknown>[] => [...page.fetched, ...page.beacons].flatMap(({ events }) => events);

beforeEach(() => {
  page = browser();
});
afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the recorder', () => {
  it('gives each event a number of its own in one session', async () => {
    const recorder = await begin();
    for (let i = 0; i < 1_200; i++) recorder.track('click');
    await recorder.flush();
    recorder.track('click');
    recorder.leavePage();
    expect(all().map(({ seq }) => seq)).toEqual(Array.from({ length: 1_201 }, (_, i) => i + 1));
    expect(new Set(all().map(({ session_id }) => session_id)).size).toBe(1);
  });

  it('sends names of one\'s own as custom events', async () => {
    const recorder = await begin();
    recorder.track('course_view', { course_id: 'c' });
    recorder.track('views', { value: 2 });
    await recorder.flush();
    expect(all()[0]).toMatchObject({ type: 'course_view', course_id: 'c' });
    expect(all()[1]).toMatchObject({ type: 'custom', name: 'views', value: 2 });
  });

  it('says who and where it was when it happened, not when it is sent', async () => {
    const recorder = await begin({ consent: 'full', user: 'u', traits: { age: 20, city: 'Pune', attributes: { grade: 'a' } } });
    recorder.setPlace({ page_id: 'home' });
    recorder.track('click');
    recorder.setPlace({ page_id: 'next' });
    recorder.identify('v', { age: 30 });
    recorder.track('click');
    await recorder.flush();
    expect(all()[0]).toMatchObject({ page_id: 'home', user_id: 'u', city: 'Pune', age: 20, consent: 'full' });
    expect(all()[0]).not.toHaveProperty('attributes');
    expect(all()[1]).toMatchObject({ page_id: 'next', user_id: 'v', age: 30 });
    expect(all()[1]).not.toHaveProperty('city');
  });

  it('records nothing where consent is required or denied', async () => {
    const recorder = await begin({ consent: 'required' });
    recorder.track('click');
    recorder.agree('denied');
    recorder.track('click');
    await recorder.flush();
    recorder.leavePage();
    expect(all()).toEqual([]);
    expect(recorder.consent()).toBeUndefined();
  });

  for (const [who, options, signal] of [
    ['a minor', { minor: true }, {}],
    ['who is 17', { traits: { age: 17 } }, {}],
    ['who wants not to be tracked', {}, { doNotTrack: '1' }],
    ['who has privacy under control', {}, { globalPrivacyControl: true }],
  ] as const)
    it(`is contextual only for ${who}, whatever was agreed`, async () => {
      Object.assign(page.navigator, signal);
      const recorder = await begin({ consent: 'full', user: 'u', ...options });
      recorder.track('click');
      await recorder.flush();
      expect(all()[0]).toMatchObject({ consent: 'contextual' });
      expect(all()[0]).not.toHaveProperty('user_id');
      expect(all()[0]).not.toHaveProperty('age');
      expect(await recorder.who()).toEqual({});
    });

  it('asks for ads by who the user is only with full consent of an adult', async () => {
    for (const consent of ['unknown', 'contextual', 'denied', 'required'] as const) {
      page = browser();
      expect(await (await begin({ consent, user: 'u', traits: { age: 20 } })).who()).toEqual({});
    }
    page = browser();
    expect(await (await begin({ consent: 'full', user: 'u' })).who()).toEqual({});
    page = browser();
    const who = await (await begin({ consent: 'full', user: 'u', traits: { age: 20 } })).who();
    expect(who).toMatchObject({ user_id: 'u', age: 20 });
    expect(who['session_id']).toMatch(/^[\d-]{7,43}$/);
  });

  it('takes the name out of what waits when the user agrees to less', async () => {
    const recorder = await begin({ consent: 'full', user: 'u', traits: { age: 20 } });
    recorder.track('click', { ad_id: 'a' });
    recorder.agree('contextual');
    await recorder.flush();
    expect(all()).toHaveLength(1);
    expect(all()[0]).toMatchObject({ ad_id: 'a', consent: 'contextual' });
    expect(all()[0]).not.toHaveProperty('user_id');
  });

  it('lets a plugin see and drop events', async () => {
    const recorder = await begin();
    recorder.each((event) => event['type'] !== 'hover');
    recorder.track('hover');
    recorder.track('click');
    await recorder.flush();
    expect(all().map(({ type }) => type)).toEqual(['click']);
  });
});
