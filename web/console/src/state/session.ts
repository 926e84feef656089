// Who uses the console. Signed in by name, the browser keeps a cookie that no script can read; while nobody has an account, the link that
// Marquee prints carries an admin token (/#token=...), kept in this browser, never left in the address bar, history or a referrer.
import { useSyncExternalStore } from 'react';

export type Role = 'viewer' | 'analyst' | 'manager' | 'admin';
export const ROLES: readonly Role[] = ['viewer', 'analyst', 'manager', 'admin'];

export interface Who {
  readonly name: string;
  readonly role: Role;
  /** By the admin token of the link. */
  readonly isToken: boolean;
  readonly hasPassword: boolean;
}

interface State {
  /** Null: nobody; undefined: not known yet. */
  readonly who: Who | null | undefined;
  readonly hasAccounts: boolean;
  /** What the provider of OpenID Connect is called, where there is one. */
  readonly provider: string | undefined;
}

const KEY = 'marquee.token';
const listeners = new Set<() => void>();
let token: string | undefined = read();
let state: State = { who: undefined, hasAccounts: false, provider: undefined };
let asking: Promise<void> | undefined;

function read(): string | undefined {
  try {
    return localStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

function keep(next: string | undefined): void {
  token = next;
  try {
    if (next === undefined) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // Storage is blocked: the token lives as long as this page.
  }
}

function set(next: State): void {
  state = next;
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

/** Called before the router starts: keeps the token of the address, if it has one, removes it from there, and asks who that is. */
export function adoptTokenFromAddress(): void {
  const { token: found, rest } = splitTokenFragment(location.hash);
  if (found !== undefined) {
    keep(found);
    history.replaceState(history.state, '', location.pathname + location.search + rest);
  }
  if (found !== undefined || state.who === undefined) void session.renew();
}

interface Told {
  readonly is_signed_in: boolean;
  readonly has_accounts: boolean;
  readonly name?: string;
  readonly role?: Role;
  readonly is_token?: boolean;
  readonly has_password?: boolean;
  readonly provider?: string;
}

function take({ is_signed_in: isSignedIn, has_accounts: hasAccounts, name = '', role = 'viewer', is_token: isToken = false, has_password: hasPassword = false, provider }: Told): void {
  // A token that does not let in any more is of no use.
  if (!isSignedIn || !isToken) keep(undefined);
  set({ who: isSignedIn ? { name, role, isToken, hasPassword } : null, hasAccounts, provider });
}

async function ask(): Promise<void> {
  try {
    const response = await fetch('/v1/session', { headers: session.headers(), cache: 'no-store' });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    take((await response.json()) as Told);
  } catch {
    // Marquee does not answer: the views say so, and who was signed in still is, or may be by the token.
    if (state.who === undefined) set({ ...state, who: token === undefined ? null : { name: 'admin', role: 'admin', isToken: true, hasPassword: false } });
  }
}

export const session = {
  /** What a request must say. */
  headers: (): Readonly<Record<string, string>> => (token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  isIn: () => state.who != null,
  /** Asks who is signed in: at the start, and when an answer says that nobody is. */
  renew: (): Promise<void> => {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  },
  /** What signing in was answered. */
  take,
  signIn: async (value: string): Promise<void> => {
    keep(value);
    await session.renew();
  },
  signOut: async (): Promise<void> => {
    if (token === undefined) await fetch('/v1/session', { method: 'DELETE' }).catch(() => undefined);
    keep(undefined);
    set({ ...state, who: null });
    await session.renew();
  },
};

export function useSession(): State {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}

/** Whether `who` may do what `least` may. */
export function may(who: Who | null | undefined, least: Role): boolean {
  return who != null && ROLES.indexOf(who.role) >= ROLES.indexOf(least);
}

/** Whether who is signed in may do what `least` may. */
export function useMay(least: Role): boolean {
  return may(useSession().who, least);
}
