import { describe, expect, it } from 'vitest';
import { dropOffOf } from '../src/api/segments';
import { ruleText } from '../src/i18n/segmentMessages';
import { segmentsSearch } from '../src/state/search';
import { changed, conditionsOf, newGroup } from '../src/state/ruleTree';
import { newCondition, readKeys, readRule, ruleProblem, writeRule, type Rule } from '../src/state/segmentRule';

const RULES: readonly Rule[] = [
  { types: ['click'] },
  {},
  { types: ['click', 'conversion'], filter: ['college_id=c1,c2', 'props.grade!=a\\,b'], at_least: 3, last: '7d' },
  { types: ['impression'], fewer_than: 1, from: '2026-11-01', to: '2026-11-08T12:00:00Z' },
  { not: { types: ['click'] } },
  { not: { not: { types: ['click'] } } },
  { not: { any: [{ types: ['click'] }, { not: { types: ['hover'], last: '12w' } }] } },
  { any: [{ all: [{ types: ['search'] }, { types: ['click'], at_least: 2 }] }, { not: { all: [{ types: ['page_view'] }] } }] },
];

describe('the rule of a segment', () => {
  it('means the same after it was read and written', () => {
    for (const rule of RULES) {
      const again = writeRule(readRule(rule));
      // A rule in a group of its own, and one turned round twice, are written as they are meant.
      expect(again, JSON.stringify(rule)).toEqual('not' in rule && 'not' in rule.not ? { not: { all: [{ not: { types: ['click'] } }] } } : rule);
    }
  });

  it('is said in words', () => {
    expect(ruleText(readRule(RULES[2] ?? {}))).toBe('Users with at least 3 × click or conversion where college is one of c1, c2 and props.grade is not a,b in the last 7 days');
    expect(ruleText(readRule(RULES[7] ?? {}))).toBe('Users with (at least one search, and at least 2 × click), or not at least one page view');
    expect(ruleText(readRule(RULES[3] ?? {}))).toBe('Users with fewer than 1 × impression from 2026-11-01 until 2026-11-08T12:00:00Z');
  });

  it('loses a condition, and a group that is left empty', () => {
    const inner = newCondition(['hover']);
    const outer = newCondition(['click']);
    const root = newGroup('all', [outer, newGroup('any', [inner])]);
    expect(conditionsOf(root)).toEqual([outer, inner]);
    expect(writeRule(changed(root, inner.key, () => undefined))).toEqual({ types: ['click'] });
    const empty = changed(changed(root, inner.key, () => undefined), outer.key, () => undefined);
    expect([empty.kind, empty.nodes.length, ruleProblem(empty)]).toEqual(['group', 0, 'empty']);
  });

  it('changes where it is changed only', () => {
    const one = newCondition(['click']);
    const other = newCondition(['hover']);
    const next = changed(newGroup('any', [one, other]), other.key, (node) => ({ ...node, isNot: true }));
    expect(writeRule(next)).toEqual({ any: [{ types: ['click'] }, { not: { types: ['hover'] } }] });
    expect(next.nodes[0]).toBe(one);
  });

  it('is not saved with what the API would refuse', () => {
    const within = (fields: object) => ruleProblem(newGroup('all', [{ ...newCondition(), ...fields }]));
    expect(within({})).toBeUndefined();
    expect(within({ filters: [{ dimension: 'city', isNot: false, values: ' ' }] })).toBe('noValues');
    expect(within({ count: NaN })).toBe('badCount');
    expect(within({ count: 0 })).toBe('badCount');
    expect(within({ times: { kind: 'between', from: '2026-11-02', to: '2026-11-02' } })).toBe('reversed');
    expect(ruleProblem(newGroup('all', Array.from({ length: 51 }, () => newCondition())))).toBe('tooMany');
  });
});

describe('a list of keys', () => {
  it('is read out of whatever was pasted, each once, and names what is none', () => {
    const { keys, bad } = readKeys('user_key\n"00000000000000AF", 00000000000000af;\t1234567890abcdef 12');
    expect(keys).toEqual(['00000000000000af', '1234567890abcdef']);
    expect(bad).toEqual(['user_key', '12']);
  });
});

describe('who leaves a funnel', () => {
  const asked = { site: 'moodle', title: 't', steps: ['page_view', 'click'], windowSeconds: 3600, order: 'ordered' as const, after: 1 };

  it('is kept with the times that the page shows, so that a span goes on', () => {
    const funnel = (search: object) => {
      const definition = dropOffOf({ ...asked, search });
      return definition.kind === 'drop_off' ? definition.funnel : undefined;
    };
    const shared = { steps: [{ types: ['page_view'] }, { types: ['click'] }], window_seconds: 3600, order: 'ordered', dropped_after: 1 };
    expect(funnel({})).toEqual(shared);
    expect(funnel({ last: '7d', segment: 's1' })).toEqual({ ...shared, last: '7d', filter: ['segment=s1'] });
    expect(funnel({ from: '2026-11-01', to: '2026-11-01' })).toEqual({ ...shared, from: '2026-11-01T00:00:00.000Z', to: '2026-11-02T00:00:00.000Z' });
  });
});

describe('the address of segments', () => {
  it('says what is edited', () => {
    expect(segmentsSearch({ site: 'campus', edit: 'new', kind: 'list' })).toEqual({ site: 'campus', edit: 'new', kind: 'list' });
    expect(segmentsSearch({ edit: '../x', kind: 'drop_off' })).toEqual({});
  });
});
