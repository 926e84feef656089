// Carries events to the server: in order, again where they may not have arrived, never again where the server says that it will not
// take them. What cannot be kept on disk waits in memory.
import { options, origin } from './settings';
import type { Store } from './store';

/** What browsers let a page that goes away still send, a little less. */
const MOST_BYTES = 6e4;
/** Events that wait in memory at most; of more the oldest are dropped. */
const MOST_IN_MEMORY = 2e4;
const MEMORY_BATCH = 500;
const TIMEOUT_MS = 1e4;
const FIRST_WAIT_MS = 1e3;
const LONGEST_WAIT_MS = 6e4;
/** Sending the same again would change nothing. */
const FINAL = [400, 401, 403, 410, 413, 422];

let store: Store | undefined;
let memory: string[] = [];
let inFlight = new Set<string>();
let failures = 0;
let running: Promise<void> | undefined;
let isWanted = false;
let timer: ReturnType<typeof setTimeout> | undefined;

const address = (): string => `${origin}/v1/beacon?key=${options.key}`;
const bodyOf = (events: string[]): string => `{"sent_at":${Date.now()},"events":[${events.join()}]}`;
const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

/** Where events are kept from now on; nothing: in memory. */
export function keepIn(next: Store | undefined): void {
  store = next;
}

function halves<T>(all: T[]): [T[], T[]] {
  const middle = all.length >> 1;
  return [all.slice(0, middle), all.slice(middle)];
}

function remember(events: string[]): void {
  memory = memory.concat(events).slice(-MOST_IN_MEMORY);
}

/** 0: done with these events; else how long to wait before they are sent again, in ms. */
async function send(events: string[]): Promise<number> {
  const body = bodyOf(events);
  let again = 0;
  try {
    const { ok, status, headers } = await fetch(address(), {
      method: 'POST',
      // Text: a simple request, without preflight.
      body,
      keepalive: bytesOf(body) < MOST_BYTES,
      credentials: 'omit',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (status === 413 && events.length > 1) {
      const [one, other] = halves(events);
      return (await send(one)) || (await send(other));
    }
    if (ok || FINAL.includes(status)) return (failures = 0);
    // A date that a proxy gives is not looked at.
    again = Number(headers.get('Retry-After')) * 1e3 || 0;
  } catch {
    // Cut off, or more at once than keepalive takes: as if the server were away.
  }
  const wait = Math.min(FIRST_WAIT_MS * 2 ** failures++, LONGEST_WAIT_MS);
  return Math.max(again, wait * (0.5 + Math.random() / 2));
}

async function drain(): Promise<void> {
  for (;;) {
    const kept = await store?.first();
    const events = kept?.events ?? memory.slice(0, MEMORY_BATCH);
    if (!events.length) return;
    inFlight = new Set(events);
    const wait = navigator.onLine ? await send(events) : ((failures ||= 1), LONGEST_WAIT_MS);
    if (wait) {
      clearTimeout(timer);
      timer = setTimeout(() => void pump(), wait);
      return;
    }
    if (kept) await store?.remove(kept.last);
    else memory = memory.filter((event) => !inFlight.has(event));
  }
}

async function drainAll(): Promise<void> {
  while (isWanted) {
    isWanted = false;
    try {
      // One tab drains at a time, so that what one has on its way no other sends again. Pages without TLS have no locks: there the
      // server drops what comes twice.
      const locks = navigator.locks as LockManager | undefined;
      await (store && locks ? locks.request('marquee', drain) : drain());
    } catch {
      store = undefined;
    }
    inFlight.clear();
  }
  running = undefined;
}

/** Sends what waits; resolves after the attempt. */
export function pump(): Promise<void> {
  isWanted = true;
  return (running ??= drainAll());
}

/** Keeps events, and sends them soon; resolves after the attempt. */
export async function keep(events: string[]): Promise<void> {
  try {
    if (!store) throw 0;
    await store.put(events, Date.now());
  } catch {
    // Nothing may be stored, or the disk is full.
    remember(events);
  }
  if (!failures) await pump();
}

/** The page goes away: sends `events` and what waits in memory, now or never. */
export function leave(events: string[]): void {
  const unsent: string[] = [];
  const beacon = (some: string[]): void => {
    const body = bodyOf(some);
    if (some.length > 1 && bytesOf(body) > MOST_BYTES) halves(some).forEach(beacon);
    else if (!navigator.onLine || !navigator.sendBeacon(address(), body)) unsent.push(...some);
  };
  const all = memory.filter((event) => !inFlight.has(event)).concat(events);
  memory = memory.filter((event) => inFlight.has(event));
  if (all.length) beacon(all);
  if (unsent.length) void keep(unsent);
}

/** Drops what waits. */
export function forget(): void {
  memory = [];
  store = undefined;
}

export function startDelivery(): void {
  addEventListener('online', () => {
    failures = 0;
    void pump();
  });
}
