import { describe, expect, it } from 'vitest';
import { explorationOf, type ReportModel } from '../src/api/explore';
import { readFilters, writeFilters } from '../src/state/filters';
import { exploreSearch, parseAddress, printAddress } from '../src/state/search';

const model: ReportModel = {
  metrics: [
    { name: 'ctr', unit: 'proportion', description: '' },
    { name: 'impressions', unit: 'count', description: '' },
    { name: 'spend', unit: 'money', description: '' },
  ],
  dimensions: [],
};

function report(by: string[], fields: object = {}) {
  return {
    site: 'campus', from: '2026-11-01T00:00:00Z', to: null, metrics: ['ctr', 'impressions', 'spend'], by, source: 'events' as const, sample: null, hidden_rows: 0,
    is_cut: false, total: { values: [{ value: 0.01, low: 0.008, high: 0.012 }, { value: 200 }, { value: null }], previous: null },
    rows: [{ keys: by.map((_, index) => `k${index}`), values: [{ value: 0.02, low: 0.01, high: 0.03 }, { value: 100 }, { value: 1.5 }], previous: null }],
    ...fields,
  };
}

describe('an exploration', () => {
  it('is a table of dimensions and metrics, each of its type', () => {
    const { table, bounds, total, sample } = explorationOf(report(['day', 'policy']), model);
    expect(table.columns).toEqual([
      { name: 'day', type: 'day' }, { name: 'policy', type: 'text' }, { name: 'ctr', type: 'share' }, { name: 'impressions', type: 'count' }, { name: 'spend', type: 'real' },
    ]);
    expect(table.rows).toEqual([['k0', 'k1', 0.02, 100, 1.5]]);
    expect(bounds).toEqual([[undefined, undefined, { low: 0.01, high: 0.03 }, undefined, undefined]]);
    expect(total[2]).toEqual({ value: undefined, bounds: undefined });
    expect(sample).toBeUndefined();
    expect([table.from, table.to]).toEqual([Date.parse('2026-11-01T00:00:00Z'), undefined]);
  });

  it('is drawn as lines over time, else as bars, and as figures without dimension', () => {
    expect(explorationOf(report(['policy', 'hour']), model).table.chart).toMatchObject({ kind: 'lines', x: 1, labels: [0], value: 2 });
    expect(explorationOf(report(['policy']), model).table.chart).toMatchObject({ kind: 'bars', labels: [0], value: 1 });
    expect(explorationOf(report([]), model).table.chart).toMatchObject({ kind: 'figures' });
  });

  it('says of an estimate what it was counted from', () => {
    expect(explorationOf(report(['day'], { sample: 0.05 }), model).sample).toBe(0.05);
  });
});

describe('filters in an address', () => {
  it('are read as they were written, whatever is in a value', () => {
    const filters = [{ dimension: 'college_id', isNot: false, values: 'c1,c2' }, { dimension: 'props.note', isNot: true, values: 'a;b=c!=d\\,e' }];
    expect(readFilters(writeFilters(filters))).toEqual(filters);
    expect([writeFilters([]), readFilters(undefined)]).toEqual([undefined, []]);
  });
});

describe('the address of an exploration', () => {
  it('holds metrics, dimensions and filters as plain text', () => {
    const search = exploreSearch({ site: 'campus', metrics: 'ctr,spend', by: 'day,policy', where: 'city=Pune,Delhi;device!=mobile' });
    const address = printAddress({ ...search });
    expect(address).toContain('metrics=ctr,spend&by=day,policy');
    expect(exploreSearch(parseAddress(address))).toEqual(search);
  });

  it('drops what is no name, what is twice, and what is too much', () => {
    expect(exploreSearch({ metrics: 'a b,ctr,ctr', by: 'a,b,c,d' })).toEqual({ metrics: ['ctr'], by: ['a', 'b', 'c'] });
  });
});
