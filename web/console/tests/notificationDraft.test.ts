import { describe, expect, it } from 'vitest';
import { ruleInWords, scheduleInWords } from '../src/i18n/alertMessages';
import { alertProblem, alertsVerdict, deliveryProblem, newAlert, newDelivery, scheduleOf, shownThreshold, withMeaning, withThreshold } from '../src/state/notificationDraft';

const { rule } = newAlert('campus');

describe('the threshold of an alert', () => {
  it('is edited in percent where it is a share, and kept as a share', () => {
    const below = withThreshold({ ...rule, condition: 'below' }, 1.2);
    expect([below.threshold, shownThreshold(below)]).toEqual([0.012, 1.2]);
    // 0.07 * 100 is 7.000000000000001.
    expect(shownThreshold({ ...rule, condition: 'below', threshold: 0.07 })).toBe(7);
  });

  it('stays the number that is shown where the metric or the condition is another', () => {
    expect(withMeaning(rule, { condition: 'below' }).threshold).toBe(0.3);
    expect(withMeaning({ ...rule, condition: 'below', threshold: 0.05 }, { metric: 'impressions' }).threshold).toBe(5);
  });
});

describe('in words', () => {
  it('an alert says when it tells', () => {
    expect(ruleInWords(rule)).toBe('CTR in the last hour fell by 30% against the hour before');
    expect(ruleInWords({ ...rule, against: 'week', filter: ['campaign_id=law'] })).toBe('CTR in the last hour fell by 30% against the same time a week earlier, where campaign_id=law');
    expect(ruleInWords({ site: 's', metric: 'impressions', condition: 'stalled', window: '90s', every: '5m' })).toBe('Impressions at most 0 in the last 90s, where it was more in the day before');
  });

  it('a schedule says when it is due', () => {
    expect([
      scheduleInWords({ every: 'minutes', minutes: 15 }), scheduleInWords({ every: 'hour', minute: 0 }), scheduleInWords({ every: 'day', at: '08:00' }),
      scheduleInWords({ every: 'week', on: 'monday', at: '08:00', zone: 'Asia/Kolkata' }),
    ]).toEqual(['Every 15 minutes', 'Every hour', 'Every day at 08:00 (UTC)', 'Every Monday at 08:00 (Asia/Kolkata)']);
  });
});

describe('what keeps from saving', () => {
  it('is told of an alert', () => {
    const draft = { ...newAlert('campus'), name: 'a', url: 'https://example.com/hook' };
    expect([alertProblem(draft), alertProblem({ ...draft, name: ' ' }), alertProblem({ ...draft, url: '' }), alertProblem({ ...draft, url: 'mailto:a@b' })]).toEqual([
      undefined, 'noName', 'noUrl', 'badUrl',
    ]);
    expect(alertProblem({ ...draft, rule: { ...rule, threshold: Number.NaN } })).toBe('badThreshold');
  });

  it('is told of a delivery', () => {
    const draft = { ...newDelivery('r1'), url: 'https://example.com' };
    expect([deliveryProblem(draft), deliveryProblem({ ...draft, report: '' }), deliveryProblem({ ...draft, schedule: { every: 'day', at: '' } })]).toEqual([undefined, 'noReport', 'badTime']);
    expect(deliveryProblem({ ...draft, schedule: { every: 'minutes', minutes: 0 } })).toBe('badMinutes');
  });
});

it('another kind of schedule keeps the time and the zone', () => {
  expect(scheduleOf('week', { every: 'day', at: '07:30', zone: 'Asia/Kolkata' })).toEqual({ every: 'week', on: 'monday', at: '07:30', zone: 'Asia/Kolkata' });
});

it('what fires is said before what could not be looked at, and what is paused is not counted', () => {
  const of = (status: 'ok' | 'pending' | 'firing', error = '', isPaused = false) => ({ status, error, isPaused });
  expect(alertsVerdict([of('ok', 'away'), of('firing')])).toBe('firing');
  expect(alertsVerdict([of('pending'), of('ok', 'away')])).toBe('failing');
  expect([alertsVerdict([of('pending')]), alertsVerdict([of('firing', '', true)]), alertsVerdict([])]).toEqual(['pending', 'calm', 'calm']);
});
