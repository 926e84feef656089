// The admin token: given once by the link that `marquee serve` prints (/#token=...), kept in this browser, never left in the
// address bar, history or a referrer.
import { useSyncExternalStore } from 'react';

const KEY = 'marquee.token';
const listeners = new Set<() => void>();
let token: string | undefined = read();

function read(): string | undefined {
  try {
    return localStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

function set(next: string | undefined): void {
  token = next;
  try {
    if (next === undefined) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // Storage is blocked: the token lives as long as this page.
  }
  listeners.forEach((listener) => {
    listener();
  });
}

/** Takes `#token=...` out of an address. Returns the token and the fragment that is left. */
export function splitTokenFragment(hash: string): { token: string | undefined; rest: string } {
  const parameters = new URLSearchParams(hash.replace(/^#/, ''));
  const found = parameters.get('token')?.trim();
  if (found === undefined || found === '') return { token: undefined, rest: hash };
  parameters.delete('token');
  const rest = parameters.toString();
  return { token: found, rest: rest === '' ? '' : `#${rest}` };
}

/** Called before the router starts: keeps the token of the address, if it has one, and removes it from there. */
export function adoptTokenFromAddress(): void {
  const { token: found, rest } = splitTokenFragment(location.hash);
  if (found === undefined) return;
  set(found);
  history.replaceState(history.state, '', location.pathname + location.search + rest);
}

export const session = {
  token: () => token,
  signIn: (value: string) => {
    set(value);
  },
  signOut: () => {
    set(undefined);
  },
};

export function useToken(): string | undefined {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, session.token);
}
