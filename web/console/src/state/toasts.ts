// What was done a moment ago, with a way back. Nothing is asked before: a change is made, told, and can be taken back.
import { useSyncExternalStore } from 'react';

export interface Toast {
  readonly key: number;
  readonly text: string;
  readonly tone?: 'bad';
  readonly undo?: () => void;
}

const SHOWN_FOR = 8000;
/** A failure has to be read. */
const BAD_SHOWN_FOR = 15_000;
const MOST = 4;

interface Kept extends Toast {
  /** What is done for good once there is no way back. */
  readonly settle?: (isLeaving: boolean) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

let toasts: readonly Kept[] = [];
let lastKey = 0;
const listeners = new Set<() => void>();

function set(next: readonly Kept[]): void {
  toasts = next;
  listeners.forEach((listener) => {
    listener();
  });
}

function take(key: number): Kept | undefined {
  const found = toasts.find((toast) => toast.key === key);
  if (found === undefined) return undefined;
  clearTimeout(found.timer);
  set(toasts.filter((toast) => toast !== found));
  return found;
}

interface Told {
  readonly text: string;
  readonly tone?: 'bad';
  /** Takes back what was done. */
  readonly undo?: () => void;
  /** Called where it was not taken back: after a while, when it is dismissed, or when the page goes away. */
  readonly settle?: (isLeaving: boolean) => void;
}

export function tell(told: Told): void {
  lastKey += 1;
  const key = lastKey;
  const timer = setTimeout(() => {
    dismiss(key);
  }, told.tone === 'bad' ? BAD_SHOWN_FOR : SHOWN_FOR);
  set([...toasts, { ...told, key, timer }]);
  const [oldest] = toasts;
  if (toasts.length > MOST && oldest !== undefined) dismiss(oldest.key);
}

export function tellFailure(what: string, error: unknown): void {
  tell({ tone: 'bad', text: `${what}: ${error instanceof Error ? error.message : String(error)}` });
}

export function dismiss(key: number): void {
  take(key)?.settle?.(false);
}

export function takeBack(key: number): void {
  take(key)?.undo?.();
}

/** While somebody reads or has the focus there, nothing goes away. */
export function hold(key: number, isHeld: boolean): void {
  set(
    toasts.map((toast) => {
      if (toast.key !== key) return toast;
      clearTimeout(toast.timer);
      if (isHeld) return toast;
      return { ...toast, timer: setTimeout(() => { dismiss(key); }, SHOWN_FOR / 2) };
    }),
  );
}

if (typeof window !== 'undefined') {
  window.addEventListener('pagehide', () => {
    for (const toast of toasts) toast.settle?.(true);
    set([]);
  });
}

export function useToasts(): readonly Toast[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
}
