// As much of a browser as a test needs that has none.
import { vi } from 'vitest';

export interface Sent {
  url: string;
  body: string;
  events: Record<string, unknown>[];
}

export interface Browser {
  /** What was sent by fetch, and by sendBeacon. */
  fetched: Sent[];
  beacons: Sent[];
  navigator: { onLine: boolean; sendBeacon: (url: string, body: string) => boolean; doNotTrack?: string; globalPrivacyControl?: boolean };
  /** Answers the requests to come, in order; the last one answers all further ones. A number is a status; null, that nothing comes back. */
  answer: (...answers: (number | null | ((sent: Sent) => Response))[]) => void;
}

/** Beacons that may be on their way at once: what browsers take. */
const QUOTA_BYTES = 65_536;

function sent(url: string, body: string): Sent {
  return { url, body, events: (JSON.parse(body) as { events: Record<string, unknown>[] }).events };
}

/** Fresh modules must be imported after it. There is no storage, unless `further` has some. */
export function browser(further: Record<string, unknown> = {}): Browser {
  vi.resetModules();
  let answers: (number | null | ((sent: Sent) => Response))[] = [204];
  let quota = QUOTA_BYTES;
  const made: Browser = {
    fetched: [],
    beacons: [],
    navigator: {
      onLine: true,
      sendBeacon: (url, body) => {
        const bytes = new TextEncoder().encode(body).length;
        if (bytes > quota) return false;
        quota -= bytes;
        made.beacons.push(sent(url, body));
        return true;
      },
    },
    answer: (...next) => (answers = next),
  };
  vi.stubGlobal('navigator', made.navigator);
  vi.stubGlobal('location', { href: 'https://page.example/' });
  vi.stubGlobal('addEventListener', vi.fn());
  vi.stubGlobal('indexedDB', {
    open: () => {
      throw new Error('blocked');
    },
    deleteDatabase: vi.fn(),
  });
  vi.stubGlobal('fetch', (url: string, { body }: { body: string }) => {
    const one = sent(url, body);
    made.fetched.push(one);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer === null || answer === undefined) return Promise.reject(new TypeError('network'));
    return Promise.resolve(typeof answer === 'number' ? new Response(null, { status: answer }) : answer(one));
  });
  for (const [name, value] of Object.entries(further)) vi.stubGlobal(name, value);
  return made;
}
