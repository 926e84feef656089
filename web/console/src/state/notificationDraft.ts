// Alerts and deliveries as a person edits them, and what keeps them from being saved.
import type { Alert, AlertDraft, AlertRule, Condition, Delivery, DeliveryDraft, Schedule } from '../api/notifications';

export const CONDITIONS: readonly Condition[] = ['below', 'above', 'fell', 'rose', 'stalled'];
/** As the API tells them: a day is 1d, not 24h. */
export const SPANS = ['5m', '15m', '30m', '1h', '6h', '1d', '7d'] as const;
export const EVERIES = ['1m', '5m', '15m', '1h', '1d'] as const;
export const REMINDS = ['0s', '1h', '6h', '1d'] as const;
export const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

/** Metrics whose thresholds are shares: edited in percent. */
export const SHARES: ReadonlySet<string> = new Set(['ctr', 'viewable_ctr', 'viewability', 'conversion_rate']);

export function newAlert(site: string): AlertDraft {
  return { name: '', url: '', isPaused: false, rule: { site, metric: 'ctr', condition: 'fell', threshold: 30, window: '1h', every: '5m', for: 2, min_count: 1000 } };
}

export function alertDraftOf({ name, rule, url, isPaused }: Alert): AlertDraft {
  return { name, rule, url, isPaused };
}

export function newDelivery(report: string): DeliveryDraft {
  return { report, url: '', format: 'json', schedule: { every: 'day', at: '08:00', zone: 'UTC' }, isPaused: false };
}

export function deliveryDraftOf({ report, url, format, schedule, isPaused }: Delivery): DeliveryDraft {
  return { report, url, format, schedule, isPaused };
}

/** Whether the threshold is one of the metric: compared are percent. */
export function isCompared(condition: Condition): boolean {
  return condition === 'fell' || condition === 'rose';
}

function isShare({ metric, condition }: AlertRule): boolean {
  return SHARES.has(metric) && !isCompared(condition);
}

/** As a person writes it: 0.012 of a share is 1.2 percent. */
export function shownThreshold(rule: AlertRule): number {
  const threshold = rule.threshold ?? 0;
  return isShare(rule) ? Number((threshold * 100).toPrecision(12)) : threshold;
}

export function withThreshold(rule: AlertRule, shown: number): AlertRule {
  return { ...rule, threshold: isShare(rule) ? Number((shown / 100).toPrecision(12)) : shown };
}

/** Another metric or condition: the number that is shown stays, what it means is another. */
export function withMeaning(rule: AlertRule, meaning: Partial<Pick<AlertRule, 'metric' | 'condition'>>): AlertRule {
  return withThreshold({ ...rule, ...meaning }, shownThreshold(rule));
}

/** What reminds, and in which unit the threshold is. */
export function thresholdUnit(rule: AlertRule): 'percent' | 'value' {
  return isCompared(rule.condition) || isShare(rule) ? 'percent' : 'value';
}

export type NotificationProblem = 'noName' | 'noUrl' | 'badUrl' | 'noReport' | 'badThreshold' | 'badTime' | 'badMinutes';

function urlProblem(url: string): NotificationProblem | undefined {
  if (url.trim() === '') return 'noUrl';
  return URL.canParse(url.trim()) && /^https?:$/.test(new URL(url.trim()).protocol) ? undefined : 'badUrl';
}

export function alertProblem({ name, rule, url }: AlertDraft): NotificationProblem | undefined {
  if (name.trim() === '') return 'noName';
  const threshold = rule.threshold ?? 0;
  if (!Number.isFinite(threshold) || threshold < 0) return 'badThreshold';
  return urlProblem(url);
}

function scheduleProblem(schedule: Schedule): NotificationProblem | undefined {
  if (schedule.every === 'minutes') return Number.isInteger(schedule.minutes) && schedule.minutes >= 1 && schedule.minutes <= 1440 ? undefined : 'badMinutes';
  return 'at' in schedule && !/^\d\d:\d\d$/.test(schedule.at) ? 'badTime' : undefined;
}

export function deliveryProblem({ report, url, schedule }: DeliveryDraft): NotificationProblem | undefined {
  if (report === '') return 'noReport';
  return scheduleProblem(schedule) ?? urlProblem(url);
}

/** Another kind of schedule, with what both have. */
export function scheduleOf(every: Schedule['every'], before: Schedule): Schedule {
  const at = 'at' in before ? before.at : '08:00';
  const zone = ('zone' in before ? before.zone : undefined) ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (every === 'minutes') return { every, minutes: 60 };
  if (every === 'hour') return { every, minute: 0, zone };
  return every === 'day' ? { every, at, zone } : { every, on: 'monday', at, zone };
}

/** How many fire, then how many could not be looked at: what a reader has to know first. */
export type AlertsVerdict = 'firing' | 'failing' | 'pending' | 'calm';

export function alertsVerdict(alerts: readonly Pick<Alert, 'status' | 'error' | 'isPaused'>[]): AlertsVerdict {
  const watched = alerts.filter(({ isPaused }) => !isPaused);
  if (watched.some(({ status }) => status === 'firing')) return 'firing';
  if (watched.some(({ error }) => error !== '')) return 'failing';
  return watched.some(({ status }) => status === 'pending') ? 'pending' : 'calm';
}
