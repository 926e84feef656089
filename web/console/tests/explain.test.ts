import { describe, expect, it } from 'vitest';
import type { CtrReport, Rate } from '../src/api/model';
import { clearOnes, differenceInterval, explain, isClear, pOfDifference } from '../src/state/explain';

/** With its Wilson interval, as the API has it. */
function rate(clicks: number, impressions: number): Rate {
  const z = 1.959964;
  const p = impressions === 0 ? 0 : clicks / impressions;
  const n = Math.max(1, impressions);
  const middle = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return { impressions, clicks, ctr: p, low: middle - half, high: middle + half };
}

function report(groups: Readonly<Record<string, readonly [clicks: number, impressions: number]>>, left: readonly [number, number] = [0, 0]): CtrReport {
  const sum = (place: 0 | 1) => Object.values(groups).reduce((all, group) => all + group[place], left[place]);
  return { total: rate(sum(0), sum(1)), groups: Object.entries(groups).map(([key, group]) => ({ keys: [key], ...rate(...group) })) };
}

describe('the interval of a difference', () => {
  it('is that of Newcombe’s paper', () => {
    // Statistics in Medicine 17 (1998), table II, method 10, 56/70 - 48/80.
    const { low, high } = differenceInterval(rate(56, 70), rate(48, 80));
    expect([low.toFixed(4), high.toFixed(4)]).toEqual(['0.0524', '0.3339']);
  });

  it('is clear exactly where p is below one in twenty', () => {
    for (const clicks of [50, 60, 64, 68, 69, 70, 71, 72, 75, 80, 100]) {
      const [now, before] = [rate(clicks, 5000), rate(50, 5000)];
      expect(pOfDifference(now, before) < 0.05).toBe(isClear(differenceInterval(now, before)));
    }
  });
});

describe('a difference of two rates', () => {
  it('is the sum of what the cohorts add, whatever they are', () => {
    let seed = 20_261_128;
    const random = (most: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % (most + 1);
    };
    for (let run = 0; run < 200; run++) {
      const some = () => {
        const groups: Record<string, [number, number]> = {};
        for (let key = 0; key < 6; key++) {
          const impressions = random(1000);
          if (random(3) > 0) groups[`c${key}`] = [random(impressions), impressions];
        }
        groups.always = [random(10), 10];
        const left = random(100);
        return report(groups, [random(left), left]);
      };
      const { difference, effects } = explain(some(), some());
      expect(effects.reduce((sum, { both }) => sum + both, 0)).toBeCloseTo(difference, 10);
      expect(effects.reduce((sum, { beyondEven }) => sum + beyondEven, 0)).toBeCloseTo(0, 10);
    }
  });

  it('is of shares alone where every rate stayed (Simpson)', () => {
    const { effects, difference } = explain(report({ phone: [80, 8000], desk: [100, 2000] }), report({ phone: [20, 2000], desk: [400, 8000] }));
    expect(difference).toBeCloseTo(0.018 - 0.042, 10);
    for (const { byRate, byShare } of effects) {
      expect(byRate).toBe(0);
      expect(byShare).toBeLessThan(0);
    }
  });

  it('is explained by the cohort whose rate fell, not by the largest one', () => {
    const { effects } = explain(report({ large: [800, 8000], small: [20, 2000] }), report({ large: [800, 8000], small: [200, 2000] }));
    const strongest = effects.toSorted((a, b) => a.beyondEven - b.beyondEven)[0];
    expect(strongest?.key).toBe('small');
    expect(strongest?.byRate).toBeCloseTo(0.2 * (0.01 - 0.1), 10);
    expect(strongest?.p).toBeLessThan(1e-6);
    expect(effects.find(({ key }) => key === 'large')?.p).toBe(1);
  });

  it('counts a cohort that came or went as a share', () => {
    const { effects } = explain(report({ old: [100, 10_000], young: [400, 10_000] }), report({ old: [100, 10_000] }));
    const young = effects.find(({ key }) => key === 'young');
    expect([young?.before, young?.byRate, young?.shareBefore]).toEqual([undefined, 0, 0]);
    expect(young?.byShare).toBeGreaterThan(0);
  });

  it('keeps what the report left out as a cohort of its own', () => {
    const { effects } = explain(report({ a: [10, 1000] }, [5, 500]), report({ a: [10, 1000] }));
    expect(effects.find(({ key }) => key === undefined)?.now).toMatchObject({ impressions: 500, clicks: 5 });
  });

  it('is nothing where there was nothing', () => {
    const { difference, effects } = explain(report({}), report({}));
    expect([difference, effects.length]).toEqual([0, 0]);
  });
});

describe('what may be called clear among many', () => {
  it('is as Benjamini and Hochberg have it', () => {
    // Their paper (1995), of fifteen tests at 0.05: the first four.
    const ps = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1];
    expect(clearOnes(ps).filter(Boolean).length).toBe(4);
    expect(clearOnes(ps.toReversed()).slice(-4)).toEqual([true, true, true, true]);
    expect(clearOnes([])).toEqual([]);
    expect(clearOnes([0.2, 0.9])).toEqual([false, false]);
  });
});
