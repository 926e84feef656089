// Filters of events as the API takes them, `<dimension>=<value>,<value>` or `!=`, and as a person edits them.

export interface Filter {
  readonly dimension: string;
  readonly isNot: boolean;
  /** As it is written, values separated by commas. */
  readonly values: string;
}

export function readFilter(text: string): Filter {
  const match = /^([^=!]+)(!?=)(.*)$/s.exec(text);
  return { dimension: match?.[1] ?? text, isNot: match?.[2] === '!=', values: match?.[3] ?? '' };
}

export function writeFilter({ dimension, isNot, values }: Filter): string {
  return `${dimension}${isNot ? '!=' : '='}${values}`;
}

/** Several in one text, a semicolon between; a backslash makes one part of a value. */
export function readFilters(text: string | undefined): readonly Filter[] {
  if (text === undefined || text === '') return [];
  return text.split(/(?<!\\);/).map((one) => readFilter(one.replaceAll('\\;', ';')));
}

export function writeFilters(filters: readonly Filter[]): string | undefined {
  return filters.length === 0 ? undefined : filters.map((filter) => writeFilter(filter).replaceAll(';', '\\;')).join(';');
}
