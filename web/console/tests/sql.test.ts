import { describe, expect, it } from 'vitest';
import { bytesText } from '../src/i18n/sqlMessages';
import { formatSql } from '../src/state/formatSql';
import { parseAddress, printAddress, sqlSearch } from '../src/state/search';
import { axesOf, compareSqlCells, drawnTable, fittingChart, isNumeric, kindOfColumn, readSqlChart, usualChart, writeSqlChart, type SqlResult, type SqlSchema } from '../src/state/sqlModel';
import { lineAndColumn, placeOfError, tablesInSight } from '../src/state/sqlText';

function result(columns: readonly [string, string][], rows: SqlResult['rows']): SqlResult {
  return { columns: columns.map(([name, type]) => ({ name, type })), rows, cut: undefined, seconds: 0.1, rowsRead: 1, bytesRead: 1 };
}

describe('the place of an error', () => {
  const sql = 'SELECT a,\n  nonsens€ FROM events';

  it('is the word that begins where the store says', () => {
    expect(placeOfError(sql, 'Syntax error: failed at position 13', { offset: 12, line: 2, column: 3 })).toEqual({ from: 12, to: 19 });
  });

  it('counts characters, not units: a picture before it moves nothing', () => {
    const before = "SELECT '🙂' x y";
    expect(placeOfError(before, '', { offset: 13, line: 1, column: 14 })).toEqual({ from: 14, to: 15 });
  });

  it('at the end of the text is its last character, also where blanks follow', () => {
    expect(placeOfError('SELECT (1 \n', '', { offset: 11, line: 2, column: 1 })).toEqual({ from: 8, to: 9 });
    expect(placeOfError('', '', { offset: 0, line: 1, column: 1 })).toBeUndefined();
  });

  it('where only a name is told is the first place of that name, and of no longer word', () => {
    expect(placeOfError('SELECT clickss, clicks FROM t', 'Unknown expression identifier `clicks` in scope', undefined)).toEqual({ from: 16, to: 22 });
    expect(placeOfError('SELECT 1 FROM marquee.evnts', "Unknown table expression identifier 'marquee.evnts' in scope", undefined)).toEqual({ from: 14, to: 27 });
    expect(placeOfError('SELECT countt()', 'Function with name countt does not exist', undefined)).toEqual({ from: 7, to: 13 });
    expect(placeOfError("SELECT file('/etc/passwd')", 'Not enough privileges. a reader may not use file()', undefined)).toEqual({ from: 7, to: 11 });
    expect(placeOfError('SELECT 1', 'Timeout exceeded', undefined)).toBeUndefined();
  });

  it('is told by line and column', () => {
    expect(lineAndColumn(sql, 12)).toEqual({ line: 2, column: 3 });
    expect(lineAndColumn(sql, 0)).toEqual({ line: 1, column: 1 });
  });
});

describe('completion', () => {
  const table = (name: string) => ({ name, columns: [{ name: `${name}_column`, type: 'String', comment: '' }] });
  const schema: SqlSchema = { database: 'marquee', tables: ['events', 'decisions', 'campaign_hour'].map(table), functions: [] };
  const names = (sql: string) => tablesInSight(sql, schema).map(({ name }) => name);

  it('sees the tables that the query reads', () => {
    expect(names('SELECT  FROM marquee.`decisions` d JOIN campaign_hour USING (x)')).toEqual(['decisions', 'campaign_hour']);
  });

  it('thinks of the events where none is named yet, or none that there is', () => {
    expect(names('SELECT ')).toEqual(['events']);
    expect(names('SELECT 1 FROM nothing')).toEqual(['events']);
  });
});

describe('a column', () => {
  it('is of a kind, whatever it is wrapped in', () => {
    expect(['Nullable(UInt64)', 'LowCardinality(Nullable(String))', 'SimpleAggregateFunction(sum, UInt64)', 'Decimal(18, 4)', 'DateTime64(3, \'UTC\')', 'Date32', 'Bool', 'Array(UInt8)'].map(kindOfColumn))
      .toEqual(['count', 'text', 'count', 'real', 'time', 'day', 'truth', 'text']);
    expect([isNumeric('Float32'), isNumeric('Date'), isNumeric('Array(UInt8)')]).toEqual([true, false, false]);
  });

  it('is ordered by its numbers, also where they are text for their length', () => {
    expect(['9', '10', '100'].toSorted((a, b) => compareSqlCells(a, b, 'UInt64'))).toEqual(['9', '10', '100']);
    expect(['9', '10'].toSorted((a, b) => compareSqlCells(a, b, 'String'))).toEqual(['10', '9']);
  });
});

describe('the picture', () => {
  const byDay = result([['day', 'Date'], ['type', 'String'], ['events', 'UInt64']], [['2026-11-01', 'click', '3'], ['2026-11-02', 'click', '18446744073709551615']]);
  const byName = result([['campaign_id', 'String'], ['clicks', 'UInt64']], [['law', '3'], [null, '4']]);

  it('is of numbers over time where there is time, else of bars', () => {
    expect(usualChart(byDay)).toEqual({ kind: 'lines', x: 'day', y: 'events', by: 'type' });
    expect(usualChart(byName)).toEqual({ kind: 'bars', x: 'campaign_id', y: 'clicks' });
    expect(usualChart(result([['a', 'String'], ['b', 'String']], [['x', 'y'], ['z', 'w']]))).toBeUndefined();
    expect(usualChart(result([['a', 'String'], ['n', 'UInt8']], [['x', 1]]))).toBeUndefined();
  });

  it('is the chosen one as long as the answer has its columns', () => {
    const chosen = { kind: 'bars', x: 'type', y: 'events' } as const;
    expect(fittingChart(byDay, chosen)).toEqual(chosen);
    expect(fittingChart(byName, chosen)).toEqual(usualChart(byName));
    expect(fittingChart(byDay, { kind: 'lines', x: 'day', y: 'events', by: 'gone' })).toEqual({ kind: 'lines', x: 'day', y: 'events' });
    expect(fittingChart(byDay, { kind: 'lines', x: 'type', y: 'events' })).toEqual(usualChart(byDay));
  });

  it('has the numbers of text, times as UTC, and nothing where there is nothing', () => {
    const table = drawnTable(result([['at', 'DateTime64(3)'], ['n', 'Nullable(UInt64)']], [['2026-11-01 10:00:00.000', '3'], ['2026-11-01 11:00:00.000', null]]), { kind: 'lines', x: 'at', y: 'n' });
    expect(table.rows).toEqual([['2026-11-01T10:00:00.000Z', 3], ['2026-11-01T11:00:00.000Z', null]]);
    expect(table.chart).toMatchObject({ kind: 'lines', labels: [], x: 0, value: 1 });
  });

  it('is written into the address and read from it, whatever columns are called', () => {
    for (const chart of [{ kind: 'bars', x: 'a:b', y: 'count()' }, { kind: 'lines', x: 'day', y: 'n', by: 'käse, brot' }] as const) {
      const search = sqlSearch(parseAddress(printAddress({ chart: writeSqlChart(chart) })));
      expect(readSqlChart(search.chart)).toEqual(chart);
    }
    expect(['none', '', 'lines', 'pie:a:b', '%:a:b'].map(readSqlChart)).toEqual([undefined, undefined, undefined, undefined, undefined]);
  });

  it('offers for a line only what is a time', () => {
    expect(axesOf(byDay.columns, 'lines').map(({ name }) => name)).toEqual(['day']);
    expect(axesOf(byDay.columns, 'bars')).toHaveLength(3);
  });
});

describe('a query', () => {
  it('stays in the address as it was written', () => {
    const sql = "SELECT 'a&b', 1 + 2\nFROM events -- all";
    expect(sqlSearch(parseAddress(printAddress({ sql }))).sql).toBe(sql);
  });

  it('is laid out as ClickHouse reads it', () => {
    const text = formatSql("SELECT campaign_id, countIf(event_type = 'click') AS n FROM events PREWHERE site_id IN ('x') GROUP BY 1 LIMIT 3 BY campaign_id");
    expect(text).toContain('SELECT\n  campaign_id,');
    expect(text).toContain("countIf(event_type = 'click') AS n");
    expect(text).toContain("PREWHERE\n  site_id IN ('x')");
    // A name that is also a keyword of somebody's keeps its letters.
    expect(text).toMatch(/FROM\s+events/);
    expect(formatSql(text)).toBe(text);
  });

  it('that is none cannot be laid out', () => {
    expect(() => formatSql('SELECT (')).toThrow();
  });

  it('tells what it read', () => {
    expect([bytesText(999), bytesText(1_234_567), bytesText(98_765_432_100)].map((text) => text.replaceAll('\u00a0', ' '))).toEqual(['999 byte', '1.2 MB', '99 GB']);
  });
});
