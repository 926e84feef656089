// Who may sign in, and who did what; the API's spelling ends here.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { Role } from '../state/session';
import { session } from '../state/session';
import { answered, api, done } from './client';
import type { components } from './schema';

export interface Account {
  readonly name: string;
  readonly role: Role;
  readonly by: 'password' | 'oidc';
  readonly lastSignIn: number | undefined;
  readonly sessions: number;
}

export interface AuditEntry {
  readonly time: number;
  readonly actor: string;
  readonly what: string;
}

type Session = components['schemas']['Session'];

export async function signIn(name: string, password: string): Promise<Session> {
  return answered(api.POST('/v1/session', { body: { name, password } }));
}

export async function changeOwnPassword(current: string, password: string): Promise<void> {
  await done(api.PUT('/v1/session/password', { body: { current, password } }));
}

export function accountsQuery() {
  return queryOptions({
    queryKey: ['accounts'],
    queryFn: async ({ signal }): Promise<readonly Account[]> =>
      (await answered(api.GET('/v1/accounts', { signal }))).accounts.map(({ name, role, by, last_sign_in: last, sessions }) => ({
        name, role, by, sessions, lastSignIn: last === null ? undefined : Date.parse(last),
      })),
  });
}

export async function addAccount(name: string, role: Role, password: string): Promise<void> {
  await answered(api.POST('/v1/accounts', { body: { name, role, password } }));
}

export async function setRole(name: string, role: Role): Promise<void> {
  await answered(api.PUT('/v1/accounts/{name}/role', { params: { path: { name } }, body: { role } }));
}

export async function setPassword(name: string, password: string): Promise<void> {
  await done(api.PUT('/v1/accounts/{name}/password', { params: { path: { name } }, body: { password } }));
}

export async function endSessions(name: string): Promise<number> {
  return (await answered(api.DELETE('/v1/accounts/{name}/sessions', { params: { path: { name } } }))).ended;
}

export async function removeAccount(name: string): Promise<void> {
  await done(api.DELETE('/v1/accounts/{name}', { params: { path: { name } } }));
}

/** The same while the page goes away, when nobody waits for an answer any more. */
export function removeAccountLeaving(name: string): void {
  void fetch(`/v1/accounts/${encodeURIComponent(name)}`, { method: 'DELETE', keepalive: true, headers: session.headers() }).catch(() => undefined);
}

const PAGE = 50;

export function auditQuery(actor: string) {
  return infiniteQueryOptions({
    queryKey: ['audit', actor],
    staleTime: 0,
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ signal, pageParam }): Promise<readonly AuditEntry[]> => {
      const query = { limit: PAGE, ...(actor === '' ? {} : { actor }), ...(pageParam === undefined ? {} : { before: pageParam }) };
      const { entries } = await answered(api.GET('/v1/audit', { params: { query }, signal }));
      return entries.map(({ time, ...rest }) => ({ ...rest, time: Date.parse(time) }));
    },
    getNextPageParam: (last) => {
      const oldest = last.at(-1);
      return last.length < PAGE || oldest === undefined ? undefined : new Date(oldest.time).toISOString();
    },
  });
}
