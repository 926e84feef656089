// Follows the streams of GET /v1/live..., reconnecting for as long as they are wanted.
import { session } from '../state/session';
import { backoff } from './backoff';
import { ApiError, kindOfStatus, serverMessage } from './errors';
import { EventStreamParser, type StreamMessage } from './eventStream';
import type { LiveStatus } from './model';

interface Follow {
  /** Below /v1, with its parameters. */
  path: string;
  signal: AbortSignal;
  onStatus: (status: LiveStatus) => void;
  onMessage: (message: StreamMessage) => void;
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

/** Reads one connection to its end. Returns how many messages it brought. */
async function readOnce({ path, signal, onStatus, onMessage }: Follow): Promise<{ messages: number; retry: number | undefined }> {
  const silent = new AbortController();
  let watchdog = setTimeout(() => {
    silent.abort();
  }, SILENCE);
  try {
    const response = await fetch(`/v1${path}`, {
      headers: { Accept: 'text/event-stream', ...session.headers() },
      cache: 'no-store',
      signal: AbortSignal.any([signal, silent.signal]),
    });
    if (!response.ok || response.body === null) {
      throw new ApiError(kindOfStatus(response.status), serverMessage(await response.text(), response.status));
    }
    onStatus({ kind: 'open' });
    const parser = new EventStreamParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let messages = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { messages, retry: parser.retryMilliseconds };
      clearTimeout(watchdog);
      watchdog = setTimeout(() => {
        silent.abort();
      }, SILENCE);
      for (const message of parser.push(value)) {
        messages += 1;
        onMessage(message);
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
      const { messages, retry } = await readOnce(follow);
      if (messages > 0) attempt = 0;
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
