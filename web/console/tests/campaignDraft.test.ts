import { describe, expect, it } from 'vitest';
import type { Campaign } from '../src/api/catalog';
import { dayPartText, targetingText } from '../src/i18n/manageMessages';
import { compacted, copyOf, dayStart, differences, fromLocal, paceOf, slug, standingOf, toLocal } from '../src/state/campaignDraft';
import { manageSearch } from '../src/state/search';
import { hasEmptyCondition, joinValues, newTargetingCondition, readTargeting, splitValues, writeTargeting } from '../src/state/targetingTree';
import { newGroup } from '../src/state/ruleTree';

const law: Campaign = { id: 'law', name: 'Law', status: 'active' };
const at = (text: string) => Date.parse(text);

describe('a campaign', () => {
  it('stands as people speak of it', () => {
    const within = { ...law, from: '2026-12-01T00:00:00+05:30', to: '2027-01-01T00:00:00Z' };
    expect(standingOf(within, at('2026-11-30T18:29:59Z'))).toBe('scheduled');
    expect(standingOf(within, at('2026-11-30T18:30:00Z'))).toBe('active');
    expect(standingOf(within, at('2027-01-01T00:00:00Z'))).toBe('over');
    expect(standingOf({ ...within, status: 'paused' }, 0)).toBe('paused');
    expect(standingOf({ id: 'x', name: 'x' }, 0)).toBe('draft');
  });

  it('paces by the limit that is nearest, in its own day', () => {
    const limited: Campaign = { ...law, zone: 'Asia/Kolkata', budget: { daily: { impressions: 1000, spend_micros: 2_000_000 } } };
    const pace = paceOf(limited, { impressions: 300, clicks: 2, spend: 1.5, ctr: undefined }, at('2026-11-28T00:30:00Z'));
    expect([pace?.unit, pace?.share, pace?.dayShare]).toEqual(['spend_micros', 0.75, 0.25]);
    expect(paceOf({ ...law, budget: { daily: {} } }, undefined, 0)).toBeUndefined();
  });

  it('is copied with ids that nobody has', () => {
    const original: Campaign = { ...law, companions: ['a'], ads: [{ id: 'a', name: 'A', creative: { kind: 'text', landing_url: 'https://x' } }] };
    const taken: Campaign = { id: 'law-copy', name: 'x', ads: [{ id: 'a-copy', name: 'A', creative: { kind: 'text', landing_url: 'https://x' } }] };
    const copy = copyOf(original, [original, taken], (name) => `Copy of ${name}`);
    expect([copy.id, copy.name, copy.status, copy.ads?.[0]?.id, copy.companions]).toEqual(['law-copy-2', 'Copy of Law', 'draft', 'a-copy-2', ['a-copy-2']]);
  });

  it('tells in which members it differs, whatever their order', () => {
    const before: Campaign = { ...law, budget: { daily: { clicks: 1, impressions: 2 } }, excludes: ['a', 'b'] };
    expect(differences(before, { ...before, budget: { daily: { impressions: 2, clicks: 1 } } })).toEqual([]);
    expect(differences(before, { ...before, excludes: ['b', 'a'], bid_micros: 3 })).toEqual(['excludes', 'bid_micros']);
  });

  it('leaves out what is empty', () => {
    expect(compacted({ ...law, advertiser: '', excludes: [], from: '', bid_micros: 0 })).toEqual({ ...law, bid_micros: 0 });
  });

  it('gets its id from its name', () => {
    expect(slug('  École ouverte, 2026! ')).toBe('ecole-ouverte-2026');
  });
});

describe('times of a zone', () => {
  it('are read and written as its clock shows them', () => {
    expect(fromLocal('2026-12-01T00:00', 'Asia/Kolkata')).toBe('2026-12-01T00:00:00+05:30');
    expect(toLocal('2026-11-30T18:30:00Z', 'Asia/Kolkata')).toBe('2026-12-01T00:00');
    expect(fromLocal('2026-07-01T12:00', 'America/New_York')).toBe('2026-07-01T12:00:00-04:00');
    expect(fromLocal('2026-01-01T12:00', 'UTC')).toBe('2026-01-01T12:00:00Z');
    expect(fromLocal('', 'UTC')).toBeUndefined();
  });

  it('hold over the days on which clocks change', () => {
    // 2026-03-29: Berlin goes from 02:00 to 03:00; 2026-10-25: from 03:00 back to 02:00.
    expect(fromLocal('2026-03-29T01:59', 'Europe/Berlin')).toBe('2026-03-29T01:59:00+01:00');
    expect(fromLocal('2026-03-29T03:00', 'Europe/Berlin')).toBe('2026-03-29T03:00:00+02:00');
    expect(fromLocal('2026-10-25T02:30', 'Europe/Berlin')).toBe('2026-10-25T02:30:00+02:00');
    expect(toLocal('2026-10-25T02:30:00+01:00', 'Europe/Berlin')).toBe('2026-10-25T02:30');
    expect(dayStart('Europe/Berlin', at('2026-10-25T20:00:00Z'))).toBe(at('2026-10-24T22:00:00Z'));
  });
});

describe('targeting', () => {
  const rules = [
    { all: [{ field: 'college' as const, in: ['c1', 'c2'] }, { not: { attribute: 'enrolled', in: ['yes'] } }] },
    { within: { days: ['sat' as const, 'sun' as const], from: '08:00', to: '18:00' } },
    { any: [{ field: 'interest' as const, in: ['category:law, public'] }, { field: 'segment' as const, in: ['s1'] }] },
  ];

  it('means the same after it was read and written', () => {
    for (const rule of rules) expect(writeTargeting(readTargeting(rule))).toEqual(rule);
    expect(writeTargeting(readTargeting({}))).toBeUndefined();
    expect(writeTargeting(readTargeting(undefined))).toBeUndefined();
  });

  it('is said in words, a segment by its title', () => {
    expect(targetingText(rules[0])).toBe('college is c1 or c2, and not enrolled is yes');
    expect(targetingText(rules[1])).toBe('on Sat, Sun 08:00–18:00');
    expect(targetingText(rules[2], (field, value) => (field === 'segment' ? `“${value}”` : value))).toBe('interest is category:law, public, or segment is “s1”');
    expect(targetingText({})).toBe('everyone');
  });

  it('keeps a comma that is part of a value', () => {
    expect(splitValues(joinValues(['a,b', 'c']))).toEqual(['a,b', 'c']);
  });

  it('is not saved with a condition that says nothing', () => {
    expect(hasEmptyCondition(newGroup('all', [newTargetingCondition()]))).toBe(true);
    expect(hasEmptyCondition(newGroup('all', [{ ...newTargetingCondition(), what: 'within' as const }]))).toBe(false);
  });
});

describe('parts of days', () => {
  it('are said shortly', () => {
    expect(dayPartText({})).toBe('every day');
    expect(dayPartText({ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '18:00', zone: 'Asia/Kolkata' })).toBe('Mon–Fri 08:00–18:00 (Asia/Kolkata)');
    expect(dayPartText({ days: ['sun', 'mon'], from: '22:00', to: '06:00' })).toBe('Mon, Sun 22:00–06:00');
  });
});

describe('the address of managed campaigns', () => {
  it('takes any id', () => {
    expect(manageSearch({ site: 'campus', edit: 'a b/ü', copy: 'x' })).toEqual({ site: 'campus', edit: 'a b/ü', copy: 'x' });
    expect(manageSearch({ edit: '', copy: 7 })).toEqual({});
  });
});
