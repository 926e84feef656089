// Makes events of what happened: says who and where, as far as it may, and gives each its identity (session_id, seq), once.
import { forget, keep, keepIn, leave, pump } from './delivery';
import { options } from './settings';
import { IDLE_MS, deleteStore, openStore, randomId, type Session } from './store';
import type { Consent, Fields, Plugin, Traits } from './types';

/** Soon enough for a live view, late enough for events to travel together. */
const FLUSH_MS = 250;
/** Events that are made ready in one task, and of one part. */
const AT_ONCE = 500;
/** A decision waits so long for the session's id. */
const SESSION_MS = 100;
const ADULT = 18;
const TYPES = /^(page_(view|leave)|(viewable_)?impression|hover|click|scroll|search|course_(view|click)|conversion|exposure|custom)$/;

let level: Consent | 'required' = 'unknown';
let user: string | null | undefined;
let traits: Traits = {};
let place: Fields = {};
/** `$who`, the user, is apart, as it may have to go before the event does. */
type Draft = Fields & { $who: Fields | undefined };
let drafts: Draft[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;
let claiming: Promise<Session> | undefined;
let session: Session | undefined;
let usedAt = Date.now();
const listeners: Parameters<Parameters<Plugin>[0]['each']>[0][] = [];

export function startRecorder(): void {
  level = options.consent ?? level;
  identify(options.user, options.traits);
}

/** What may be done now; nothing: nothing at all. */
export function consent(): Exclude<Consent, 'denied'> | undefined {
  if (level === 'required' || level === 'denied') return undefined;
  // Do Not Track, Global Privacy Control.
  const { globalPrivacyControl, doNotTrack } = navigator as Navigator & { globalPrivacyControl?: boolean };
  return options.minor || (traits.age ?? ADULT) < ADULT || globalPrivacyControl || doNotTrack === '1' ? 'contextual' : level;
}

const mayKnow = (may = consent()): boolean => may === 'full' || may === 'unknown';

/** Nothing is stored of who is contextual only: a session is one page then. */
function claim(): Promise<Session> {
  return (claiming ??= (async () => {
    let claimed: Session | undefined;
    try {
      if (!mayKnow()) throw 0;
      const store = await openStore(options.site);
      claimed = await store.session(Date.now());
      keepIn(store);
    } catch {
      keepIn(undefined);
    }
    return (session = claimed ?? { id: randomId(), seq: 1 });
  })());
}

function startAnew(): void {
  claiming = session = undefined;
}

/** As one part, with their identity; none where there are none. */
function ready(some: Draft[], owner: Session): string[] {
  return some.length
    ? [some.map(({ $who, ...event }) => JSON.stringify({ ...$who, ...event, session_id: owner.id, seq: owner.seq++ })).join()]
    : [];
}

/** Sends what waits; resolves after the attempt. */
export async function flush(): Promise<void> {
  clearTimeout(timer);
  timer = undefined;
  if (!consent()) return;
  const now = Date.now();
  if (now - usedAt > IDLE_MS) startAnew();
  usedAt = now;
  const owner = await claim();
  const parts = ready(drafts.splice(0, AT_ONCE), owner);
  const rest = drafts.length && new Promise((resolve) => setTimeout(resolve)).then(flush);
  await (parts.length ? keep(parts) : pump());
  await rest;
}

/** The page may not be seen again. Where it has left already nothing runs, as that would keep it from coming back. */
export function hide(): void {
  if (document.hidden && drafts.length) void flush();
}

/** The page goes away. */
export function leavePage(): void {
  leave(ready(drafts.splice(0), session ?? { id: randomId(), seq: 1 }));
}

/** Who the user is, for a decision; nothing where that may not be asked. */
export async function who(): Promise<Fields> {
  if (consent() !== 'full' || (traits.age ?? 0) < ADULT) return {};
  await Promise.race([claim(), new Promise((resolve) => setTimeout(resolve, SESSION_MS))]);
  return { user_id: user, session_id: session?.id, ...traits };
}

/** What every event says from now on (page_id ...). */
export function setPlace(next: Fields): void {
  place = next;
}

export function track(type: string, fields?: Fields): void {
  const may = consent();
  if (!may) return;
  const { attributes: _, ...about } = traits;
  const draft = {
    ...(TYPES.test(type) ? { type } : { type: 'custom', name: type }),
    event_time: Date.now(),
    consent: may,
    $who: mayKnow(may) ? { user_id: user, ...about } : undefined,
    ...place,
    ...fields,
  };
  if (listeners.some((listener) => listener(draft) === false)) return;
  drafts.push(draft);
  timer ??= setTimeout(() => void flush(), FLUSH_MS);
}

export function identify(next: string | null | undefined, more?: Traits): void {
  traits = { ...(next === user && traits), ...more };
  user = next;
}

export function agree(next: Consent): void {
  if (next === level) return;
  level = next;
  startAnew();
  if (next === 'full' || next === 'unknown') return;
  drafts = next === 'denied' ? [] : drafts.map((draft) => ({ ...draft, $who: undefined, consent: 'contextual' }));
  forget();
  deleteStore(options.site);
}

export function each(listener: (typeof listeners)[number]): void {
  listeners.push(listener);
}
