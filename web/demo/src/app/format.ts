// Numbers and dates in the reader's own form.
const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', timeZone: 'UTC' });
const month = new Intl.DateTimeFormat(undefined, { month: 'short', timeZone: 'UTC' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long', timeZone: 'UTC' });
const whole = new Intl.NumberFormat();
const percent = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 });
const small = new Intl.NumberFormat(undefined, { style: 'percent', maximumSignificantDigits: 2 });
const weight = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

const at = (iso: string): Date => new Date(`${iso}T00:00:00Z`);
export const dateText = (iso: string): string => date.format(at(iso));
export const dayText = (iso: string): string => day.format(at(iso));
export const monthText = (iso: string): string => month.format(at(iso));
export const weekdayText = (iso: string): string => weekday.format(at(iso));
export const countText = (count: number): string => whole.format(count);
/** 0.0312 as "3.1%", 0.00042 as "0.042%". */
export const chanceText = (chance: number): string => (chance >= 0.1 ? percent : small).format(chance);
export const weightText = (value: number): string => weight.format(value);
