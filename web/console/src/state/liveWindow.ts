// The last minute of a site, kept from the stream's ticks.
import type { LiveTick } from '../api/model';

export const WINDOW = 60_000;
const RATE_OVER = 5_000;

export interface LiveWindow {
  /** Ticks of the last minute, oldest first. */
  readonly ticks: readonly LiveTick[];
}

export const emptyWindow: LiveWindow = { ticks: [] };

export function addTick(window: LiveWindow, tick: LiveTick): LiveWindow {
  // A reconnected stream may repeat a tick; time only moves forward.
  const newest = window.ticks.at(-1);
  const kept = newest !== undefined && tick.time <= newest.time ? window.ticks.filter((old) => old.time < tick.time) : window.ticks;
  return { ticks: [...kept.filter((old) => old.time > tick.time - WINDOW), tick] };
}

export function eventsInWindow(window: LiveWindow): number {
  return window.ticks.reduce((sum, tick) => sum + tick.events, 0);
}

/** Events per second, the mean of the last five seconds before `now`. */
export function currentRate(window: LiveWindow, now: number): number {
  const recent = window.ticks.filter((tick) => tick.time > now - RATE_OVER);
  const oldest = recent[0];
  if (oldest === undefined) return 0;
  const events = recent.reduce((sum, tick) => sum + tick.events, 0);
  const covered = Math.max(1000, Math.min(RATE_OVER, now - oldest.time + oldest.spanMilliseconds));
  return (events * 1000) / covered;
}

export function typesInWindow(window: LiveWindow): { type: string; events: number }[] {
  const sums = new Map<string, number>();
  for (const tick of window.ticks) for (const [type, events] of Object.entries(tick.byType)) sums.set(type, (sums.get(type) ?? 0) + events);
  return [...sums].map(([type, events]) => ({ type, events })).sort((a, b) => b.events - a.events);
}

/** Events per second of each of the last 60 seconds, oldest first; seconds without a tick are zero. */
export function perSecond(window: LiveWindow, now: number): number[] {
  const seconds = Array.from({ length: WINDOW / 1000 }, () => 0);
  for (const tick of window.ticks) {
    const age = Math.floor((now - tick.time) / 1000);
    const index = seconds.length - 1 - Math.max(0, age);
    if (index >= 0) seconds[index] = (seconds[index] ?? 0) + tick.events;
  }
  return seconds;
}
