// Every number, date and duration that the console shows is made here, in the reader's locale.
// Times are shown in UTC, the zone in which Marquee's reports cut their days and hours.

export interface Formats {
  readonly locale: string;
  /** 1234567 -> "1,234,567" ("12,34,567" in en-IN). */
  count(value: number): string;
  /** 1234567 -> "1.2M" ("12L" in en-IN), for axes and tight places. */
  compact(value: number): string;
  /** 0.00460 -> "0.460%": enough digits that two close rates stay apart. */
  rate(ratio: number): string;
  /** A rate on an axis: no more digits than it needs. */
  axisRate(ratio: number): string;
  /** Whole percent, for funnel bars. */
  percent(ratio: number): string;
  decimal(value: number, digits: number): string;
  rateInterval(low: number, high: number): string;
  day(time: number): string;
  dayTime(time: number): string;
  /** A label of a time axis whose buckets are `bucketSeconds` wide. */
  bucket(time: number, bucketSeconds: number): string;
  clock(time: number): string;
  dayRange(from: number, to: number): string;
  /** 95_000 ms -> "1m 35s". */
  duration(milliseconds: number): string;
  /** 3_000 ms ago -> "3 seconds ago". */
  ago(milliseconds: number): string;
  list(values: readonly string[]): string;
  readonly collator: Intl.Collator;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function rateDigits(ratio: number): number {
  const percent = Math.abs(ratio) * 100;
  if (percent === 0 || percent >= 10) return 1;
  return percent >= 1 ? 2 : 3;
}

export function makeFormats(locale: string): Formats {
  const date = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...options });
  const countFormat = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const compactFormat = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 });
  const percents = [0, 1, 2, 3].map(
    (digits) =>
      new Intl.NumberFormat(locale, { style: 'percent', minimumFractionDigits: digits, maximumFractionDigits: digits }),
  );
  const axisPercent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 3 });
  const percentOf = (ratio: number, digits: number) => (percents[digits] ?? countFormat).format(ratio);
  const dayFormat = date({ day: 'numeric', month: 'short', year: 'numeric' });
  const dayTimeFormat = date({ day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' });
  const bucketDay = date({ day: 'numeric', month: 'short' });
  const bucketHour = date({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
  const bucketMinute = date({ hour: '2-digit', minute: '2-digit' });
  const clockFormat = date({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const listFormat = new Intl.ListFormat(locale, { type: 'conjunction' });
  const unit = (name: string, digits = 0) =>
    new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay: 'narrow', maximumFractionDigits: digits });
  const units = {
    ms: unit('millisecond'),
    s: unit('second'),
    tenths: unit('second', 1),
    min: unit('minute'),
    h: unit('hour'),
    d: unit('day'),
  };

  function duration(milliseconds: number): string {
    if (milliseconds < SECOND) return units.ms.format(Math.round(milliseconds));
    if (milliseconds < 10 * SECOND) return units.tenths.format(milliseconds / SECOND);
    if (milliseconds < MINUTE) return units.s.format(Math.floor(milliseconds / SECOND));
    const pair = (large: Intl.NumberFormat, size: number, small: Intl.NumberFormat, part: number) => {
      const rest = Math.floor((milliseconds % size) / part);
      const head = large.format(Math.floor(milliseconds / size));
      return rest === 0 ? head : `${head} ${small.format(rest)}`;
    };
    if (milliseconds < HOUR) return pair(units.min, MINUTE, units.s, SECOND);
    if (milliseconds < DAY) return pair(units.h, HOUR, units.min, MINUTE);
    return pair(units.d, DAY, units.h, HOUR);
  }

  function ago(milliseconds: number): string {
    if (milliseconds < MINUTE) return relative.format(-Math.round(milliseconds / SECOND), 'second');
    if (milliseconds < HOUR) return relative.format(-Math.round(milliseconds / MINUTE), 'minute');
    if (milliseconds < DAY) return relative.format(-Math.round(milliseconds / HOUR), 'hour');
    return relative.format(-Math.round(milliseconds / DAY), 'day');
  }

  return {
    locale,
    count: (value) => countFormat.format(value),
    compact: (value) => compactFormat.format(value),
    rate: (ratio) => percentOf(ratio, rateDigits(ratio)),
    axisRate: (ratio) => axisPercent.format(ratio),
    percent: (ratio) => percentOf(ratio, ratio > 0 && ratio < 0.1 ? 1 : 0),
    decimal: (value, digits) =>
      value.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }),
    rateInterval: (low, high) => {
      const digits = Math.max(rateDigits(low), rateDigits(high));
      return `${percentOf(low, digits)} – ${percentOf(high, digits)}`;
    },
    day: (time) => dayFormat.format(time),
    dayTime: (time) => dayTimeFormat.format(time),
    bucket: (time, bucketSeconds) => {
      if (bucketSeconds >= 86_400) return bucketDay.format(time);
      if (bucketSeconds >= 3600 && time % DAY === 0) return bucketDay.format(time);
      return bucketSeconds >= 3600 ? bucketHour.format(time) : bucketMinute.format(time);
    },
    clock: (time) => clockFormat.format(time),
    dayRange: (from, to) => dayFormat.formatRange(from, to),
    duration,
    ago,
    list: (values) => listFormat.format(values),
    collator: new Intl.Collator(locale, { numeric: true, sensitivity: 'base' }),
  };
}

function browserLocale(): string {
  if (typeof navigator === 'undefined') return 'en';
  return navigator.languages.find((language) => Intl.NumberFormat.supportedLocalesOf(language).length > 0) ?? 'en';
}

export const format: Formats = makeFormats(browserLocale());
