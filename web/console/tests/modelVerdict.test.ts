import { describe, expect, it } from 'vitest';
import type { CtrGroup } from '../src/api/model';
import type { ModelQuality, Models, ModelVersion } from '../src/api/personalization';
import { personalizationSearch } from '../src/state/search';
import { comparePolicies, liftOf, modelVerdict, toneOfVerdict } from '../src/state/modelVerdict';

const HOUR = 3_600_000;
const good: ModelQuality = { policy: 'learned-17', impressions: 20_000, clicks: 400, calibration: 1.02, normalizedEntropy: 0.81 };

function version(number: number, time: number, rolledBackTo?: number): ModelVersion {
  const rolledBack = rolledBackTo === undefined ? undefined : { from: number - 1, to: rolledBackTo, impressions: 900, normalizedEntropy: 1.2, normalizedEntropyBefore: 0.8 };
  return { policy: `learned-${number}`, version: number, time, examples: 100, impressions: 100, calibration: 1, normalizedEntropy: 0.9, isBegin: false, rolledBack };
}

function models(served: Partial<ModelQuality>, rollBacks: readonly ModelVersion[] = []): Models {
  return { served: { ...good, ...served }, previous: good, versions: [version(17, 10 * HOUR)], rollBacks };
}

describe('what a model comes to', () => {
  it('is good where it predicts better than the average and about as many clicks as come', () => {
    expect(modelVerdict(models({}))).toBe('good');
    expect(toneOfVerdict('good')).toBe('good');
  });

  it('is not judged on a handful of impressions or clicks', () => {
    expect(modelVerdict(models({ impressions: 999, normalizedEntropy: 3 }))).toBe('early');
    expect(modelVerdict(models({ clicks: 29, calibration: 9 }))).toBe('early');
    expect(toneOfVerdict('early')).toBe('quiet');
  });

  it('warns of a model that knows nothing, and of one that is out of scale', () => {
    expect(modelVerdict(models({ normalizedEntropy: 1 }))).toBe('useless');
    expect(modelVerdict(models({ calibration: 1.3 }))).toBe('predictsTooMany');
    expect(modelVerdict(models({ calibration: 0.7 }))).toBe('predictsTooFew');
    expect(toneOfVerdict('predictsTooFew')).toBe('warn');
  });

  it('names a roll-back for an hour, even while all looks well', () => {
    expect(modelVerdict(models({}, [version(16, 9.5 * HOUR, 12)]))).toBe('rolledBack');
    expect(modelVerdict(models({}, [version(16, 8.5 * HOUR, 12)]))).toBe('good');
  });

  it('says so where none serves, or one that has learned nothing', () => {
    expect(modelVerdict(models({ impressions: 0, clicks: 0 }))).toBe('none');
    expect(modelVerdict({ ...models({}), served: { ...good, policy: undefined } })).toBe('none');
  });
});

function group(policy: string, impressions: number, clicks: number): CtrGroup {
  return { keys: [policy], impressions, clicks, ctr: clicks / impressions, low: 0, high: 1 };
}

describe('two policies', () => {
  it('compare by the ratio of their rates, with its interval', () => {
    // By hand: ratio 2, deviation of its logarithm sqrt(1/200 - 1/10000 + 1/100 - 1/10000) = 0.121655.
    const lift = liftOf(group('a', 10_000, 200), group('b', 10_000, 100));
    expect(lift?.ratio).toBeCloseTo(2, 10);
    expect(lift?.low).toBeCloseTo(2 / Math.exp(1.959964 * 0.1216553), 6);
    expect(lift?.high).toBeCloseTo(2 * Math.exp(1.959964 * 0.1216553), 6);
  });

  it('do not compare where one has no click', () => {
    expect(liftOf(group('a', 100, 0), group('b', 100, 3))).toBeUndefined();
  });

  it('are the learned one and chance, whatever else served more', () => {
    const found = comparePolicies([group('bts', 90_000, 900), group('learned', 500, 9), group('uniform', 400, 4), group('', 9, 1)]);
    expect([found?.one.keys[0], found?.chance.keys[0]]).toEqual(['learned', 'uniform']);
    expect(comparePolicies([group('random', 10_000, 46), group('bts', 10_000, 69)])?.one.keys[0]).toBe('bts');
    expect(comparePolicies([group('learned', 500, 9)])).toBeUndefined();
  });
});

describe('the address of personalization', () => {
  it('keeps site, time and order', () => {
    expect(personalizationSearch({ site: 'campus', last: '24h', sort: 'entropy', dir: 'asc', by: 'x' })).toEqual({ site: 'campus', last: '24h', sort: 'entropy', dir: 'asc' });
  });
});
