import { describe, expect, it } from 'vitest';
import { campaignsSearch, ctrSearch, funnelSearch, heatmapSearch, parseAddress, printAddress } from '../src/state/search';
import { dataRange, formatDay, parseDay, resolveRange } from '../src/state/range';
import { splitTokenFragment } from '../src/state/session';

describe('the address of a view', () => {
  it('holds every choice as plain text and reads it back', () => {
    const search = funnelSearch({ site: 'moodle', steps: 'page_view,course_view', within: '7d', order: 'any', last: '24h' });
    const address = printAddress({ ...search });
    expect(address).toBe('?site=moodle&last=24h&steps=page_view,course_view&within=7d&order=any');
    expect(funnelSearch(parseAddress(address))).toEqual(search);
  });

  it('is empty for a view as it opens', () => {
    expect(printAddress({ ...ctrSearch({}) })).toBe('');
  });

  it('drops what it does not understand instead of failing', () => {
    expect(ctrSearch({ site: '../x', by: 'a b', dir: 'up', from: 'yesterday', to: '2019-11-24', extra: '1' })).toEqual({});
    expect(heatmapSearch({ mode: 'sideways', measure: 'beauty' })).toEqual({});
    expect(funnelSearch({ steps: 'click' })).toEqual({});
    expect(campaignsSearch({ interval: 'second', measure: 'ctr' })).toEqual({ measure: 'ctr' });
  });

  it('keeps at most thirty steps', () => {
    expect(funnelSearch({ steps: Array(40).fill('click').join(',') }).steps).toHaveLength(30);
  });

  it('prefers a span over days, and drops reversed days', () => {
    expect(ctrSearch({ last: '1h', from: '2019-11-24', to: '2019-11-25' })).toEqual({ last: '1h' });
    expect(ctrSearch({ from: '2019-11-25', to: '2019-11-24' })).toEqual({});
  });

  it('reads numbers in an address as text', () => {
    expect(ctrSearch(parseAddress('?site=123&by=ad_id')).site).toBe('123');
  });
});

describe('time ranges', () => {
  const day = (text: string) => Date.parse(`${text}T00:00:00Z`);

  it('include the last day', () => {
    expect(resolveRange({ from: '2019-11-24', to: '2019-11-24' }, undefined, 0)).toEqual({ from: day('2019-11-24'), to: day('2019-11-25') });
  });

  it('are the data of the site unless one is chosen', () => {
    const data = dataRange(Date.parse('2019-11-24T00:00:12Z'), Date.parse('2019-11-30T23:59:59Z'));
    expect(data).toEqual({ from: day('2019-11-24'), to: day('2019-12-01') });
    expect(resolveRange({}, data, 0)).toBe(data);
    expect(resolveRange({}, undefined, 0)).toBeUndefined();
  });

  it('hold the last event of a young site', () => {
    const last = Date.parse('2026-01-01T10:30:00Z');
    const range = dataRange(last, last);
    expect(range.to).toBeGreaterThan(last);
    expect(range.to - range.from).toBe(60_000);
  });

  it('end at the next full minute when they end now', () => {
    const range = resolveRange({ last: '1h' }, undefined, Date.parse('2026-01-01T10:30:20Z'));
    expect(range).toEqual({ from: Date.parse('2026-01-01T09:31:00Z'), to: Date.parse('2026-01-01T10:31:00Z') });
  });

  it('refuse days that do not exist', () => {
    expect(parseDay('2019-02-30')).toBeUndefined();
    expect(formatDay(parseDay('2020-02-29') ?? 0)).toBe('2020-02-29');
  });
});

describe('the token in an address', () => {
  it('is taken out and leaves the rest', () => {
    expect(splitTokenFragment('#token=mk_abc')).toEqual({ token: 'mk_abc', rest: '' });
    expect(splitTokenFragment('#token=mk_abc&x=1')).toEqual({ token: 'mk_abc', rest: '#x=1' });
  });

  it('is absent from an ordinary fragment', () => {
    expect(splitTokenFragment('#main')).toEqual({ token: undefined, rest: '#main' });
    expect(splitTokenFragment('#token=')).toEqual({ token: undefined, rest: '#token=' });
  });
});
