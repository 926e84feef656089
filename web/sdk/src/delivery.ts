// Carries events to the server: in order, again where they may not have arrived, never again where the server says that it will not
// take them. What cannot be kept on disk waits in memory. Events come in parts: JSON, with commas between.
import { options, origin } from './settings';
import type { Store } from './store';

/** Browsers let a page that goes away still send 64 KB; a character takes up to three bytes. */
const MOST_AT_END = 2e4;
/** Parts that wait in memory at most; of more the oldest are dropped. */
const MOST_IN_MEMORY = 1e3;
const MEMORY_BATCH = 5;
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
const bodyOf = (parts: string[]): string => `{"sent_at":${Date.now()},"events":[${parts.join()}]}`;

/** Where events are kept from now on; nothing: in memory. */
export function keepIn(next: Store | undefined): void {
  store = next;
}

/** Nothing where it is one event. */
function halves(parts: string[]): string[][] {
  const all = parts.length > 1 ? parts : (JSON.parse(`[${parts.join()}]`) as unknown[]).map((event) => JSON.stringify(event));
  const middle = all.length >> 1;
  return middle ? [all.slice(0, middle), all.slice(middle)] : [];
}

function remember(parts: string[]): void {
  memory = memory.concat(parts).slice(-MOST_IN_MEMORY);
}

/** 0: done with these; else how long to wait before they are sent again, in ms. */
async function send(parts: string[]): Promise<number> {
  const body = bodyOf(parts);
  let again = 0;
  try {
    const { ok, status, headers } = await fetch(address(), {
      method: 'POST',
      // Text: a simple request, without preflight.
      body,
      keepalive: body.length < MOST_AT_END,
      credentials: 'omit',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (status === 413)
      for (const half of halves(parts)) {
        const wait = await send(half);
        if (wait) return wait;
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
  for (let done = 0; ; ) {
    const kept = await store?.next(done);
    const parts = kept?.parts ?? memory.slice(0, MEMORY_BATCH);
    if (!parts.length) return;
    if (!kept) inFlight = new Set(parts);
    const wait = navigator.onLine ? await send(parts) : ((failures ||= 1), LONGEST_WAIT_MS);
    if (wait) {
      clearTimeout(timer);
      timer = setTimeout(() => void pump(), wait);
      return;
    }
    if (kept) done = kept.last;
    else memory = memory.filter((part) => !inFlight.has(part));
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
export async function keep(parts: string[]): Promise<void> {
  try {
    if (!store) throw 0;
    await store.put(parts, Date.now());
  } catch {
    // Nothing may be stored, or the disk is full.
    remember(parts);
  }
  if (!failures) await pump();
}

/** The page goes away: sends `parts` and what waits in memory, now or never. */
export function leave(parts: string[]): void {
  const unsent: string[] = [];
  const beacon = (some: string[]): void => {
    const body = bodyOf(some);
    const smaller = body.length > MOST_AT_END ? halves(some) : [];
    if (smaller.length) smaller.forEach(beacon);
    else if (!navigator.onLine || !navigator.sendBeacon(address(), body)) unsent.push(...some);
  };
  const all = memory.filter((part) => !inFlight.has(part)).concat(parts);
  memory = memory.filter((part) => inFlight.has(part));
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
