// What is read from a query's text: where an error stands in it, and which columns can be meant.
import type { SqlPlace, SqlSchema } from './sqlModel';

/** Of a text as the browser counts it, in UTF-16 units. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const WORD = /[\p{L}\p{N}_.]/u;

function unitsBefore(text: string, codePoints: number): number {
  let units = 0;
  let left = codePoints;
  for (const character of text) {
    if (left === 0) break;
    units += character.length;
    left -= 1;
  }
  return units;
}

/** The word that begins at `from`; a single character where none does. */
function wordAt(text: string, from: number): Span {
  let to = from;
  while (to < text.length && WORD.test(text.charAt(to))) to += 1;
  return { from, to: Math.max(to, Math.min(from + 1, text.length)) };
}

/**
 * Where a query is wrong: as the store tells it; where it only names something (Unknown identifier `x`), the first place of that name.
 * An error at the end of the text is marked at its last character.
 */
export function placeOfError(sql: string, message: string, place: SqlPlace | undefined): Span | undefined {
  if (place !== undefined) {
    const at = unitsBefore(sql, place.offset);
    if (at < sql.length) return wordAt(sql, at);
    const last = sql.trimEnd().length;
    return last === 0 ? undefined : { from: last - 1, to: last };
  }
  for (const [, quoted] of message.matchAll(/[`']([^`']{1,200})[`']/g)) {
    const bare = quoted?.replace(/^.*\./, '') ?? '';
    for (const name of [quoted ?? '', bare]) {
      const at = name === '' ? -1 : indexOfWord(sql, name);
      if (at >= 0) return { from: at, to: at + name.length };
    }
  }
  const named = /(?:Function with name|Unknown function|may not use|may not read) ([\w.]+)/.exec(message)?.[1];
  const at = named === undefined ? -1 : indexOfWord(sql, named);
  return named === undefined || at < 0 ? undefined : { from: at, to: at + named.length };
}

function indexOfWord(text: string, name: string): number {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const before = at === 0 ? '' : text.charAt(at - 1);
    if (!WORD.test(before) && !WORD.test(text.charAt(at + name.length))) return at;
  }
  return -1;
}

/** Line and column of a place, from 1. */
export function lineAndColumn(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at);
  const lineBegin = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: Array.from(before.slice(lineBegin)).length + 1 };
}

/** The tables that stand behind FROM or JOIN; without one, the events: most queries are about them. */
export function tablesInSight(sql: string, schema: SqlSchema): SqlSchema['tables'] {
  const named = [...sql.matchAll(/\b(?:from|join)\s+(?:`?\w+`?\s*\.\s*)?`?(\w+)`?/gi)].map(([, table]) => table);
  const found = schema.tables.filter(({ name }) => named.includes(name));
  return found.length > 0 ? found : schema.tables.filter(({ name }) => name === 'events');
}
