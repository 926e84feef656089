import { describe, expect, it } from 'vitest';
import { makeFormats } from '../src/i18n/format';

const en = makeFormats('en-US');
const india = makeFormats('en-IN');
const german = makeFormats('de-DE');

describe('counts', () => {
  it('are grouped as the reader groups them', () => {
    expect(en.count(12_345_678)).toBe('12,345,678');
    expect(india.count(12_345_678)).toBe('1,23,45,678');
    expect(german.count(12_345_678)).toBe('12.345.678');
  });

  it('are shortened in lakh and crore in India', () => {
    expect(en.compact(1_250_000)).toBe('1.3M');
    expect(india.compact(1_250_000)).toBe('12.5L');
    expect(india.compact(30_000_000)).toBe('3Cr');
  });
});

describe('rates', () => {
  it('keep enough digits to tell close rates apart', () => {
    expect(en.rate(46 / 10_000)).toBe('0.460%');
    expect(en.rate(69 / 10_000)).toBe('0.690%');
    expect(en.rate(0.0345)).toBe('3.45%');
    expect(en.rate(0.345)).toBe('34.5%');
    expect(en.rate(0)).toBe('0.0%');
  });

  it('show both ends of an interval with the same digits', () => {
    expect(en.rateInterval(0.00345, 0.00613)).toBe('0.345% – 0.613%');
    expect(en.rateInterval(0, 0.00038)).toBe('0.000% – 0.038%');
  });
});

describe('times', () => {
  const time = Date.UTC(2019, 10, 24, 23, 30, 5);

  it('are in UTC whatever the zone of the machine', () => {
    expect(en.day(time)).toBe('Nov 24, 2019');
    expect(german.day(time)).toBe('24. Nov. 2019');
    expect(en.dayTime(time)).toContain('11:30');
  });

  it('name a bucket as finely as it is wide', () => {
    expect(en.bucket(time, 86_400)).toBe('Nov 24');
    expect(en.bucket(time, 3600)).toContain('Nov 24');
    expect(en.bucket(Date.UTC(2019, 10, 24), 3600)).toBe('Nov 24');
    expect(en.bucket(time, 60)).toBe('11:30 PM');
  });
});

describe('durations', () => {
  it.each([
    [0, '0ms'],
    [250, '250ms'],
    [1500, '1.5s'],
    [59_999, '59s'],
    [95_000, '1m 35s'],
    [3_600_000, '1h'],
    [90_000_000, '1d 1h'],
  ])('%d ms is %s', (milliseconds, text) => {
    expect(en.duration(milliseconds)).toBe(text);
  });
});
