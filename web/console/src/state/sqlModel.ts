// What a query's result is: its columns' types, which of them can be drawn, and what completion knows.
import type { Cell, ColumnType, ReportTable } from '../api/saved';

/** As the store has it in JSON: 64-bit numbers and decimals are text, so that no digit is lost; arrays and the like are themselves. */
export type SqlCell = unknown;

export interface SqlColumn {
  readonly name: string;
  /** ClickHouse's. */
  readonly type: string;
}

export interface SqlResult {
  readonly columns: readonly SqlColumn[];
  readonly rows: readonly (readonly SqlCell[])[];
  /** Why rows are missing behind these. */
  readonly cut: 'rows' | 'bytes' | undefined;
  readonly seconds: number;
  readonly rowsRead: number;
  readonly bytesRead: number;
}

export interface SqlPlace {
  /** Characters (code points) before it. */
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

export interface SqlSchema {
  readonly database: string;
  readonly tables: readonly { readonly name: string; readonly columns: readonly { readonly name: string; readonly type: string; readonly comment: string }[] }[];
  readonly functions: readonly string[];
}

/** `Nullable(LowCardinality(String))` is `String`. */
function bare(type: string): string {
  const inner = /^(?:Nullable|LowCardinality|SimpleAggregateFunction\(\w+,)\s*\(?(.*)\)$/.exec(type);
  return inner?.[1] === undefined ? type : bare(inner[1].trim());
}

export function kindOfColumn(type: string): ColumnType {
  const plain = bare(type);
  if (/^U?Int\d+$/.test(plain)) return 'count';
  if (/^(Float|BFloat|Decimal)/.test(plain)) return 'real';
  if (plain === 'Bool') return 'truth';
  if (/^Date(32)?$/.test(plain)) return 'day';
  return plain.startsWith('DateTime') ? 'time' : 'text';
}

export function isNumeric(type: string): boolean {
  const kind = kindOfColumn(type);
  return kind === 'count' || kind === 'real';
}

export function sqlCellText(cell: SqlCell): string {
  return typeof cell === 'string' ? cell : JSON.stringify(cell);
}

/** A number as the store wrote it, or none. */
function numberOf(cell: SqlCell): number | null {
  if (typeof cell === 'number') return cell;
  const number = typeof cell === 'string' && cell !== '' ? Number(cell) : NaN;
  return Number.isFinite(number) ? number : null;
}

export function compareSqlCells(a: SqlCell, b: SqlCell, type: string): number {
  if (isNumeric(type)) {
    const [first, second] = [numberOf(a), numberOf(b)];
    if (first !== null && second !== null && first !== second) return first - second;
  }
  const [left, right] = [sqlCellText(a), sqlCellText(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

export interface SqlChart {
  readonly kind: 'lines' | 'bars';
  /** Names of columns. */
  readonly x: string;
  readonly y: string;
  /** What tells lines apart. */
  readonly by?: string;
}

/** Of the address and of what is kept: `lines:day:clicks`, names encoded. */
export function writeSqlChart({ kind, x, y, by }: SqlChart): string {
  return [kind, x, y, ...(by === undefined ? [] : [by])].map(encodeURIComponent).join(':');
}

export function readSqlChart(text: string | undefined): SqlChart | undefined {
  let parts: string[];
  try {
    parts = (text ?? '').split(':').map(decodeURIComponent);
  } catch {
    return undefined;
  }
  const [kind, x, y, by] = parts;
  if ((kind !== 'lines' && kind !== 'bars') || x === undefined || y === undefined) return undefined;
  return { kind, x, y, ...(by === undefined ? {} : { by }) };
}

export function numbersOf(columns: readonly SqlColumn[]): readonly SqlColumn[] {
  return columns.filter(({ type }) => isNumeric(type));
}

/** What can stand along the bottom, or name a bar. */
export function axesOf(columns: readonly SqlColumn[], kind: SqlChart['kind']): readonly SqlColumn[] {
  return kind === 'bars' ? columns : columns.filter(({ type }) => ['day', 'time'].includes(kindOfColumn(type)));
}

/** The picture that the columns suggest: numbers over time, or numbers by the first column. */
export function usualChart({ columns, rows }: SqlResult): SqlChart | undefined {
  if (rows.length < 2) return undefined;
  const time = axesOf(columns, 'lines')[0];
  const number = numbersOf(columns).find(({ name }) => name !== columns[0]?.name) ?? undefined;
  if (number === undefined) return undefined;
  if (time !== undefined) {
    const by = columns.find(({ name, type }) => name !== time.name && kindOfColumn(type) === 'text');
    return { kind: 'lines', x: time.name, y: number.name, ...(by === undefined ? {} : { by: by.name }) };
  }
  const first = columns[0];
  return first === undefined ? undefined : { kind: 'bars', x: first.name, y: number.name };
}

/** The chosen picture where the result has what it needs, else the usual one. */
export function fittingChart(result: SqlResult, chosen: SqlChart | undefined): SqlChart | undefined {
  const has = (columns: readonly SqlColumn[], name: string) => columns.some((column) => column.name === name);
  const fits = chosen !== undefined && has(axesOf(result.columns, chosen.kind), chosen.x) && has(numbersOf(result.columns), chosen.y);
  if (!fits) return usualChart(result);
  return chosen.by === undefined || has(result.columns, chosen.by) ? chosen : { kind: chosen.kind, x: chosen.x, y: chosen.y };
}

/** A time as RFC 3339: the store writes `2026-01-31 08:00:00` in UTC. */
function timeText(text: string): string {
  return text.includes(' ') ? `${text.replace(' ', 'T')}Z` : text;
}

function drawnCell(cell: SqlCell, kind: ColumnType): Cell {
  if (cell === null || cell === undefined) return null;
  if (kind === 'count' || kind === 'real') return numberOf(cell);
  if (kind === 'truth') return cell === true;
  return kind === 'time' ? timeText(sqlCellText(cell)) : sqlCellText(cell);
}

/** As the console's pictures take it. */
export function drawnTable({ columns, rows }: SqlResult, { kind, x, y, by }: SqlChart): ReportTable {
  const at = (name: string) => columns.findIndex((column) => column.name === name);
  const kinds = columns.map(({ type }) => kindOfColumn(type));
  return {
    site: '',
    from: undefined,
    to: undefined,
    columns: columns.map(({ name }, index) => ({ name, type: kinds[index] ?? 'text' })),
    rows: rows.map((row) => row.map((cell, index) => drawnCell(cell, kinds[index] ?? 'text'))),
    chart: { kind, labels: kind === 'bars' ? [at(x)] : by === undefined ? [] : [at(by)], x: at(x), value: at(y), isGrid: false, rows: rows.length },
  };
}
