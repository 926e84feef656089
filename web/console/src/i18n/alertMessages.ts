// The sentences of alerts and deliveries, which travel with their view; among them a rule and a schedule as a person would say them.
import type { AlertRule, Condition, Notice, Schedule } from '../api/notifications';
import { shownThreshold, thresholdUnit, WEEKDAYS, type AlertsVerdict, type NotificationProblem } from '../state/notificationDraft';
import { exploreMessages } from './exploreMessages';
import { format } from './format';
import { plural } from './messages';

const spans: Readonly<Record<string, string>> = {
  '1m': 'minute', '5m': '5 minutes', '15m': '15 minutes', '30m': '30 minutes', '1h': 'hour', '6h': '6 hours', '1d': 'day', '7d': '7 days',
};

function span(text: string): string {
  return spans[text] ?? text;
}

function numberText(value: number): string {
  return Number.isInteger(value) ? format.count(value) : format.decimal(value, Math.min(3, String(value).split('.')[1]?.length ?? 0));
}

function thresholdText(rule: AlertRule): string {
  return `${numberText(shownThreshold(rule))}${thresholdUnit(rule) === 'percent' ? '%' : ''}`;
}

/** "CTR fell by 30% or more against the hour before, where campaign_id=law". */
export function ruleInWords(rule: AlertRule): string {
  const metric = exploreMessages.metric(rule.metric);
  const before = rule.against === 'week' ? 'the same time a week earlier' : `the ${span(rule.window)} before`;
  const said: Readonly<Record<Condition, string>> = {
    below: `below ${thresholdText(rule)} in the last ${span(rule.window)}`,
    above: `above ${thresholdText(rule)} in the last ${span(rule.window)}`,
    fell: `in the last ${span(rule.window)} fell by ${thresholdText(rule)} against ${before}`,
    rose: `in the last ${span(rule.window)} rose by ${thresholdText(rule)} against ${before}`,
    stalled: `at most ${thresholdText(rule)} in the last ${span(rule.window)}, where it was more in the day before`,
  };
  const where = rule.filter === undefined || rule.filter.length === 0 ? '' : `, where ${rule.filter.join(' and ')}`;
  return `${metric} ${said[rule.condition]}${where}`;
}

const days: Readonly<Record<(typeof WEEKDAYS)[number], string>> = {
  monday: 'Monday', tuesday: 'Tuesday', wednesday: 'Wednesday', thursday: 'Thursday', friday: 'Friday', saturday: 'Saturday', sunday: 'Sunday',
};

/** "Every Monday at 08:00 (Asia/Kolkata)". */
export function scheduleInWords(schedule: Schedule): string {
  if (schedule.every === 'minutes') return schedule.minutes === 1 ? 'Every minute' : `Every ${format.count(schedule.minutes)} minutes`;
  const zone = ` (${schedule.zone ?? 'UTC'})`;
  if (schedule.every === 'hour') return schedule.minute === 0 ? 'Every hour' : `Every hour, ${plural(schedule.minute, { one: '# minute past', other: '# minutes past' })}`;
  return schedule.every === 'day' ? `Every day at ${schedule.at}${zone}` : `Every ${days[schedule.on]} at ${schedule.at}${zone}`;
}

const events: Readonly<Record<Notice['event'], string>> = {
  'report.due': 'Report', 'report.test': 'Report, sent by hand', 'alert.firing': 'Fires', 'alert.resolved': 'Is over', 'alert.reminder': 'Still fires', 'alert.test': 'Test',
};

export const alertMessages = {
  title: 'Alerts',
  intro: 'Be told when a metric falls, rises or stalls, and get reports sent on a schedule.',
  tabs: { alerts: 'Alerts', deliveries: 'Reports on a schedule' },
  tab: 'Show',
  newAlert: 'New alert',
  newDelivery: 'New delivery',
  answer: 'The answer',
  verdict: {
    firing: { title: (count: number) => plural(count, { one: '# alert fires', other: '# alerts fire' }), detail: () => 'Who listens at their addresses has been told.' },
    failing: { title: (count: number) => plural(count, { one: '# alert could not be looked at', other: '# alerts could not be looked at' }), detail: () => 'What went wrong stands beside each.' },
    pending: { title: (count: number) => plural(count, { one: '# alert is about to fire', other: '# alerts are about to fire' }), detail: () => 'Its condition holds, but not for as many checks yet as it says.' },
    calm: { title: () => 'Nothing fires', detail: (unsure: number) =>
        unsure === 0 ? 'Every alert that is not paused was fine when it was last looked at.' : `${plural(unsure, { one: '# alert has', other: '# alerts have' })} not enough data to tell; every other that is not paused was fine.` },
  } satisfies Record<AlertsVerdict, { title: (count: number) => string; detail: (unsure: number) => string }>,
  table: 'All alerts',
  tableNote: (count: number, paused: number) => `${plural(count, { one: '# alert', other: '# alerts' })}${paused === 0 ? '' : `, ${format.count(paused)} paused`}`,
  columns: { name: 'Alert', state: 'State', now: 'Now', next: 'Next check', actions: 'Actions' },
  states: { ok: 'Fine', pending: 'About to fire', firing: 'Fires' },
  paused: 'Paused',
  verdicts: { fine: '', holds: '', unclear: 'may be chance', no_data: 'not enough data' },
  before: (value: string) => `before ${value}`,
  soon: 'now',
  inTime: (time: string) => `in ${time}`,
  deliveries: 'All deliveries',
  deliveriesNote: (count: number) => plural(count, { one: '# delivery', other: '# deliveries' }),
  deliveryColumns: { report: 'Report', schedule: 'Schedule', format: 'As', to: 'To', next: 'Next', state: 'State', actions: 'Actions' },
  running: 'Runs',
  failing: (count: number) => plural(count, { one: '# failure in a row', other: '# failures in a row' }),
  formats: { json: 'JSON', csv: 'CSV', parquet: 'Parquet', png: 'PNG' },
  unknownReport: 'a report that is gone',
  test: (name: string) => `Send a test of ${name}`,
  send: (name: string) => `Send ${name} now`,
  pause: (name: string) => `Pause ${name}`,
  resume: (name: string) => `Resume ${name}`,
  edit: (name: string) => `Edit ${name}`,
  remove: (name: string) => `Remove ${name}`,
  notices: (name: string) => `Last notices of ${name}`,
  noticesShort: 'Notices',
  closeNotices: 'Close',
  noticesNote: 'What was sent to its address, the newest first.',
  noticeColumns: { event: 'Notice', due: 'Due, UTC', outcome: 'Outcome', tries: 'Tries', answer: 'Answer' },
  noNotices: 'Nothing has been sent yet.',
  event: (event: Notice['event']) => events[event],
  outcomes: { waiting: 'Waits', sent: 'Taken', failed: 'Given up' },
  tested: (name: string) => `A test of ${name} is on its way`,
  sentNow: (name: string) => `${name} is on its way`,
  isPaused: (name: string) => `${name} is paused`,
  isResumed: (name: string) => `${name} runs again`,
  removed: (name: string) => `${name} is removed`,
  saved: (name: string) => `${name} is saved`,
  notDone: (name: string) => `${name} could not be changed`,
  notRemoved: (name: string) => `${name} could not be removed`,
  notSent: (name: string) => `${name} could not be sent`,
  notUndone: 'It could not be undone',
  secretTitle: (name: string) => `${name} is made`,
  secretText: 'Its notices are signed with this secret (Standard Webhooks). It is shown now and never again: give it to who receives them.',
  secretDone: 'I have it',
  emptyTitle: 'No alert yet',
  emptyAdvice: 'An alert looks at a metric again and again, and tells a webhook when it falls, rises or stalls: when the CTR of a campaign drops by a third, or when impressions stop. Of a rate it speaks only where chance leaves no doubt.',
  emptyDeliveries: 'No report is sent yet',
  emptyDeliveriesAdvice: 'A delivery counts a saved report again on a schedule and sends it to a webhook, as numbers, a table or a picture. Save a report in Explore first, then send it from here.',
  explore: 'Open Explore',
  // The editor
  editorNew: { alert: 'A new alert', delivery: 'A new delivery' },
  editorOf: (name: string) => `Edit ${name}`,
  name: 'Name',
  metric: 'Metric',
  condition: 'Is',
  conditions: { below: 'below', above: 'above', fell: 'falling by', rose: 'rising by', stalled: 'stalled at' } satisfies Record<Condition, string>,
  threshold: (unit: 'percent' | 'value') => (unit === 'percent' ? 'Threshold, percent' : 'Threshold'),
  window: 'Over the last',
  span,
  every: 'Looked at every',
  against: 'Against',
  againsts: { period: 'the time before', week: 'a week earlier' },
  for: 'Checks in a row',
  minCount: 'At least so many, now and before',
  minCountHint: 'Of a rate its denominator; fewer is not enough data.',
  noData: 'Without enough data',
  noDatas: { keep: 'stay as it is', ok: 'count as fine', fire: 'fire' },
  remind: 'Remind while it fires',
  reminds: (text: string) => (text === '0s' ? 'never' : `every ${span(text)}`),
  filters: 'Only events where',
  url: 'Webhook address',
  urlHint: 'http or https. Notices are signed; the secret is shown when it is made.',
  rulePart: 'When to tell',
  certaintyPart: 'How sure to be',
  wherePart: 'Whom to tell',
  reads: 'It tells when',
  report: 'Saved report',
  chooseReport: 'Choose a report',
  as: 'Sent as',
  when: 'When',
  everies: { minutes: 'every so many minutes', hour: 'every hour', day: 'every day', week: 'every week' },
  minutes: 'Minutes, from midnight UTC',
  minute: 'Minutes past the hour',
  at: 'At',
  on: 'On',
  days,
  zone: 'Time zone',
  problems: {
    noName: 'Give it a name.',
    noUrl: 'Say where to send it.',
    badUrl: 'The address must begin with http:// or https://.',
    noReport: 'Choose a saved report.',
    badThreshold: 'The threshold must be a number, 0 at least.',
    badTime: 'Say at what time.',
    badMinutes: 'Minutes must be a whole number from 1 to 1440.',
  } satisfies Record<NotificationProblem, string>,
};
