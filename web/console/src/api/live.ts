// Follows GET /v1/live, reconnecting for as long as it is wanted.
import { session } from '../state/session';
import { backoff } from './backoff';
import { ApiError, kindOfStatus, serverMessage } from './errors';
import { EventStreamParser } from './eventStream';
import type { LiveStatus, LiveTick } from './model';
import { readTick } from './tick';

interface Follow {
  site: string;
  signal: AbortSignal;
  onStatus: (status: LiveStatus) => void;
  onTick: (tick: LiveTick) => void;
}

/** No byte for this long means that the connection is dead, whatever the browser believes: the server pings more often. */
const SILENCE = 20_000;

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}

/** Reads one connection to its end. Returns how many ticks it brought. */
async function readOnce({ site, signal, onStatus, onTick }: Follow): Promise<{ ticks: number; retry: number | undefined }> {
  const silent = new AbortController();
  let watchdog = setTimeout(() => {
    silent.abort();
  }, SILENCE);
  try {
    const response = await fetch(`/v1/live?${new URLSearchParams({ site }).toString()}`, {
      headers: { Accept: 'text/event-stream', Authorization: `Bearer ${session.token() ?? ''}` },
      cache: 'no-store',
      signal: AbortSignal.any([signal, silent.signal]),
    });
    if (!response.ok || response.body === null) {
      throw new ApiError(kindOfStatus(response.status), serverMessage(await response.text(), response.status));
    }
    onStatus({ kind: 'open' });
    const parser = new EventStreamParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let ticks = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { ticks, retry: parser.retryMilliseconds };
      clearTimeout(watchdog);
      watchdog = setTimeout(() => {
        silent.abort();
      }, SILENCE);
      for (const message of parser.push(value)) {
        const tick = readTick(message);
        if (tick === undefined) continue;
        ticks += 1;
        onTick(tick);
      }
    }
  } finally {
    clearTimeout(watchdog);
  }
}

/** Resolves when `signal` is aborted, or when the server refuses for a reason that waiting does not cure. */
export async function followLive(follow: Follow): Promise<void> {
  const { signal, onStatus } = follow;
  const unwanted = () => signal.aborted;
  let attempt = 0;
  while (!unwanted()) {
    onStatus({ kind: 'connecting' });
    let minimum = 0;
    try {
      const { ticks, retry } = await readOnce(follow);
      if (ticks > 0) attempt = 0;
      minimum = retry ?? 0;
    } catch (error) {
      if (unwanted()) return;
      if (error instanceof ApiError && !error.transient) {
        onStatus({ kind: 'refused', error });
        return;
      }
    }
    const wait = Math.max(minimum, backoff(attempt, Math.random()));
    attempt += 1;
    onStatus({ kind: 'waiting', milliseconds: wait });
    await pause(wait, signal);
  }
}
