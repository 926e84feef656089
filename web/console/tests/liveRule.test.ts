import { describe, expect, it } from 'vitest';
import { liveText } from '../src/i18n/liveMessages';
import { liveProblem, newLiveCondition, readLiveRule, writeLiveRule, type LiveNode, type LiveRule } from '../src/state/liveRule';
import { newGroup } from '../src/state/ruleTree';

/** That of docs/campaigns.md, and what else a rule may hold. */
const rule: LiveRule = {
  all: [
    { any: [{ profile: 'category:law', at_least: 2 }, { profile: 'word:lawyer' }, { profile: 'page:/a:b', fewer_than: 0.5 }] },
    { profile: 'last_seen', within: '7d' },
    { not: { profile: 'clicks', at_least: 3, days: 1 } },
    { profile: 'visits', fewer_than: 4 },
    { field: 'college', in: ['c1', 'c,2'] },
    { attribute: 'plan', in: ['free'] },
  ],
};

describe('a live rule', () => {
  it('is written as it was read', () => {
    expect(writeLiveRule(readLiveRule(rule))).toEqual(rule);
    expect(writeLiveRule(readLiveRule({ profile: 'clicks' }))).toEqual({ profile: 'clicks' });
  });

  it('reads as a person would say it', () => {
    expect(liveText(readLiveRule(rule))).toBe(
      '(interest in a category law, at least 2, or interest in a word lawyer, at least 0.5, or interest in a page /a:b, fewer than 0.5), and last seen in the last 7 days, ' +
        'and not at least 3 clicks in the last day, and fewer than 4 visits, and college is c1 or c,2, and plan is free',
    );
  });

  it('keeps nothing of what another kind of condition had', () => {
    const node: LiveNode = { ...newLiveCondition(), what: 'visits', text: 'law', days: 3, amount: 2 };
    expect(writeLiveRule(newGroup('all', [node]))).toEqual({ profile: 'visits', at_least: 2 });
  });

  it('says what keeps it from being saved', () => {
    const of = (fields: Partial<LiveNode>) => liveProblem(newGroup('all', [{ ...newLiveCondition(), text: 'law', ...fields }]));
    expect(liveProblem(newGroup<LiveNode>('all', []))).toBe('empty');
    expect([of({}), of({ text: ' ' }), of({ amount: 0 }), of({ amount: Number.NaN }), of({ what: 'last_seen', within: 'soon' })]).toEqual([
      undefined, 'noText', 'badAmount', 'badAmount', 'badWithin',
    ]);
    expect([of({ what: 'city', text: ',' }), of({ what: 'attribute' }), of({ what: 'clicks', days: 8 })]).toEqual(['noValues', 'noAttribute', 'badDays']);
    expect(liveProblem(newGroup('all', Array.from({ length: 101 }, () => ({ ...newLiveCondition(), text: 'law' }))))).toBe('tooMany');
  });
});
