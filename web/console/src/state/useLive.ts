import { useCallback, useEffect, useState } from 'react';
import { followLive } from '../api/live';
import type { LiveStatus } from '../api/model';
import { readTick } from '../api/tick';
import { addTick, currentRate, emptyWindow, type LiveWindow } from './liveWindow';

const DELAYS_KEPT = 20;

interface LiveState {
  readonly window: LiveWindow;
  /** Milliseconds from the server's count to this screen, newest last. */
  readonly delays: readonly number[];
  /** This browser's clock minus the server's, as the fastest tick showed it. */
  readonly skew: number;
}

const initial: LiveState = { window: emptyWindow, delays: [], skew: 0 };

export interface Live {
  readonly status: LiveStatus;
  readonly window: LiveWindow;
  /** By the server's clock. */
  readonly now: number;
  readonly rate: number;
  readonly delay: number | undefined;
  readonly retry: () => void;
}

function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Follows one site's live stream for as long as the component is shown. */
export function useLive(site: string): Live {
  const [status, setStatus] = useState<LiveStatus>({ kind: 'connecting' });
  const [state, setState] = useState(initial);
  const [clock, setClock] = useState(() => Date.now());
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    const stop = new AbortController();
    void followLive({
      path: `/live?${new URLSearchParams({ site }).toString()}`,
      signal: stop.signal,
      onStatus: setStatus,
      onMessage: (message) => {
        const tick = readTick(message);
        if (tick === undefined) return;
        const arrived = Date.now();
        setClock(arrived);
        setState((previous) => ({
          window: addTick(previous.window, tick),
          delays: [...previous.delays, Math.max(0, arrived - tick.time)].slice(-DELAYS_KEPT),
          skew: previous.window.ticks.length === 0 ? arrived - tick.time : Math.min(previous.skew, arrived - tick.time),
        }));
      },
    });
    return () => {
      stop.abort();
    };
  }, [site, attempt]);

  // The minute moves on when nothing arrives, too.
  useEffect(() => {
    const timer = setInterval(() => {
      setClock(Date.now());
    }, 1000);
    return () => {
      clearInterval(timer);
    };
  }, []);

  const now = clock - state.skew;
  const retry = useCallback(() => {
    setAttempt((count) => count + 1);
  }, []);
  return { status, window: state.window, now, rate: currentRate(state.window, now), delay: median(state.delays), retry };
}
