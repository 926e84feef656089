// Alerts, and reports that are sent again and again; the API's spelling ends here, but for a rule and a schedule, which are edited as they are.
import { queryOptions } from '@tanstack/react-query';
import { session } from '../state/session';
import { answered, api, done } from './client';
import type { components } from './schema';

type Schemas = components['schemas'];

/** What is left out has a default, which the generated type does not know. */
type Defaulted<T, K extends keyof T> = Omit<T, K> & Partial<Pick<T, K>>;
export type AlertRule = Defaulted<Schemas['AlertRule'], 'threshold' | 'for' | 'min_count' | 'no_data' | 'remind' | 'against'>;
export type Condition = Schemas['AlertRule']['condition'];
export type Schedule = Schemas['Schedule'];
export type Reading = Schemas['Reading'];

export interface Notice {
  readonly id: string;
  readonly event: Schemas['Notice']['event'];
  readonly due: number;
  readonly status: Schemas['Notice']['status'];
  readonly tries: number;
  readonly httpStatus: number | undefined;
  readonly error: string;
}

export interface AlertDraft {
  readonly name: string;
  readonly rule: AlertRule;
  readonly url: string;
  readonly isPaused: boolean;
}

export interface Alert extends AlertDraft {
  readonly id: string;
  readonly nextCheck: number | undefined;
  readonly status: Schemas['AlertState']['status'];
  readonly verdict: Schemas['AlertState']['verdict'];
  readonly since: number | undefined;
  readonly checked: number | undefined;
  readonly now: Reading;
  readonly before: Reading | undefined;
  readonly error: string;
}

export interface DeliveryDraft {
  readonly report: string;
  readonly url: string;
  readonly format: Schemas['Delivery']['format'];
  readonly schedule: Schedule;
  readonly isPaused: boolean;
}

export interface Delivery extends DeliveryDraft {
  readonly id: string;
  readonly pauseReason: string;
  readonly nextDue: number | undefined;
  readonly failures: number;
}

/** What is new of one that was made; what its notices are signed with is told here only. */
export interface Made {
  readonly id: string;
  readonly secret: string;
}

function timeOf(text: string | null | undefined): number | undefined {
  return text === null || text === undefined ? undefined : Date.parse(text);
}

function noticeOf({ id, event, due, status, tries, http_status, error }: Schemas['Notice']): Notice {
  return { id, event, due: Date.parse(due), status, tries, httpStatus: http_status ?? undefined, error };
}

function alertOf({ id, name, rule, url, is_paused, next_check, state }: Schemas['Alert']): Alert {
  return {
    id, name, rule, url, isPaused: is_paused, nextCheck: timeOf(next_check), status: state.status, verdict: state.verdict, since: timeOf(state.since),
    checked: timeOf(state.checked), now: state.now, before: state.before ?? undefined, error: state.error,
  };
}

function deliveryOf({ id, report, url, format, schedule, is_paused, pause_reason, next_due, failures }: Schemas['Delivery']): Delivery {
  return { id, report, url, format, schedule, isPaused: is_paused, pauseReason: pause_reason, nextDue: timeOf(next_due), failures };
}

/** States change by themselves: asked again while somebody looks. */
const RENEWED_EVERY = 10_000;

export function alertsQuery(site: string) {
  return queryOptions({
    queryKey: ['alerts', site],
    refetchInterval: RENEWED_EVERY,
    queryFn: async ({ signal }): Promise<readonly Alert[]> => (await answered(api.GET('/v1/alerts', { params: { query: { site } }, signal }))).alerts.map(alertOf),
  });
}

/** Of all sites: a delivery is of a report, which is of one. */
export function deliveriesQuery() {
  return queryOptions({
    queryKey: ['deliveries'],
    refetchInterval: RENEWED_EVERY,
    queryFn: async ({ signal }): Promise<readonly Delivery[]> => (await answered(api.GET('/v1/deliveries', { signal }))).deliveries.map(deliveryOf),
  });
}

export function alertNoticesQuery(id: string) {
  return queryOptions({
    queryKey: ['alert-notices', id],
    refetchInterval: 2000,
    queryFn: async ({ signal }): Promise<readonly Notice[]> => (await answered(api.GET('/v1/alerts/{id}', { params: { path: { id } }, signal }))).notices.map(noticeOf),
  });
}

export function deliveryNoticesQuery(id: string) {
  return queryOptions({
    queryKey: ['delivery-notices', id],
    refetchInterval: 2000,
    queryFn: async ({ signal }): Promise<readonly Notice[]> => (await answered(api.GET('/v1/deliveries/{id}', { params: { path: { id } }, signal }))).notices.map(noticeOf),
  });
}

function alertBody({ name, rule, url, isPaused }: AlertDraft): Schemas['NewAlert'] {
  return { name, rule: rule as Schemas['AlertRule'], url, is_paused: isPaused, owner: 'admin' };
}

function deliveryBody({ report, url, format, schedule, isPaused }: DeliveryDraft): Schemas['NewDelivery'] {
  return { report, url, format, schedule, is_paused: isPaused, owner: 'admin' };
}

export async function makeAlert(draft: AlertDraft): Promise<Made> {
  const { id, secret } = await answered(api.POST('/v1/alerts', { body: alertBody(draft) }));
  return { id, secret };
}

export async function putAlert(id: string, draft: AlertDraft): Promise<void> {
  await answered(api.PUT('/v1/alerts/{id}', { params: { path: { id } }, body: alertBody(draft) }));
}

export async function testAlert(id: string): Promise<void> {
  await answered(api.POST('/v1/alerts/{id}/test', { params: { path: { id } } }));
}

export async function forgetAlert(id: string): Promise<void> {
  await done(api.DELETE('/v1/alerts/{id}', { params: { path: { id } } }));
}

export async function makeDelivery(draft: DeliveryDraft): Promise<Made> {
  const { id, secret } = await answered(api.POST('/v1/deliveries', { body: deliveryBody(draft) }));
  return { id, secret };
}

export async function putDelivery(id: string, draft: DeliveryDraft): Promise<void> {
  await answered(api.PUT('/v1/deliveries/{id}', { params: { path: { id } }, body: deliveryBody(draft) }));
}

export async function sendDelivery(id: string): Promise<void> {
  await answered(api.POST('/v1/deliveries/{id}/send', { params: { path: { id } } }));
}

export async function forgetDelivery(id: string): Promise<void> {
  await done(api.DELETE('/v1/deliveries/{id}', { params: { path: { id } } }));
}

/** While the page goes away, when nobody waits for an answer any more. */
export function forgetLeaving(kind: 'alerts' | 'deliveries', id: string): void {
  void fetch(`/v1/${kind}/${encodeURIComponent(id)}`, { method: 'DELETE', keepalive: true, headers: session.headers() }).catch(() => undefined);
}
