// Sites and their write keys, as an admin sees and changes them; the API's spelling ends here.
import { queryOptions } from '@tanstack/react-query';
import { session } from '../state/session';
import { answered, api, done } from './client';

export interface SiteRules {
  readonly name: string;
  readonly allowedOrigin: string;
  readonly consentRequired: boolean;
}

export interface WriteKey {
  readonly id: string;
  readonly label: string;
  readonly isTrusted: boolean;
  /** Undefined: not known. */
  readonly made: number | undefined;
  readonly madeBy: string;
}

function bodyOf({ name, allowedOrigin, consentRequired }: SiteRules) {
  return { name, allowed_origin: allowedOrigin, consent_required: consentRequired };
}

export async function addSite(id: string, rules: SiteRules): Promise<void> {
  await answered(api.POST('/v1/sites', { body: { id, ...bodyOf(rules) } }));
}

export async function changeSite(site: string, rules: SiteRules): Promise<void> {
  await answered(api.PUT('/v1/sites/{site}', { params: { path: { site } }, body: bodyOf(rules) }));
}

export function keysQuery(site: string) {
  return queryOptions({
    queryKey: ['write-keys', site],
    queryFn: async ({ signal }): Promise<readonly WriteKey[]> => {
      const { keys } = await answered(api.GET('/v1/sites/{site}/keys', { params: { path: { site } }, signal }));
      return keys.map(({ id, label, is_trusted: isTrusted, made, made_by: madeBy }) => ({
        id, label, isTrusted, madeBy, made: made === null ? undefined : Date.parse(made),
      }));
    },
  });
}

/** Returns the key, which is told this once. */
export async function makeKey(site: string, label: string): Promise<string> {
  return (await answered(api.POST('/v1/sites/{site}/keys', { params: { path: { site } }, body: { label } }))).key;
}

export async function endKey(site: string, key: string): Promise<void> {
  await done(api.DELETE('/v1/sites/{site}/keys/{key}', { params: { path: { site, key } } }));
}

/** The same while the page goes away, when nobody waits for an answer any more. */
export function endKeyLeaving(site: string, key: string): void {
  void fetch(`/v1/sites/${encodeURIComponent(site)}/keys/${encodeURIComponent(key)}`, { method: 'DELETE', keepalive: true, headers: session.headers() }).catch(() => undefined);
}
