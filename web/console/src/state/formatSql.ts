// A query laid out anew; loaded when it is asked for.
import { clickhouse, formatDialect } from 'sql-formatter';

const { tokenizerOptions } = clickhouse;
const words = new Set([...tokenizerOptions.reservedKeywords, ...tokenizerOptions.reservedClauses, ...tokenizerOptions.reservedSelect].map((word) => word.toUpperCase()));

/** What a bracket follows is a function: the library does not know countIf and the like, which are made of two. */
function functionsIn(sql: string): readonly string[] {
  return [...new Set([...sql.matchAll(/\b([A-Za-z_]\w*)\(/g)].map(([, name]) => name ?? ''))].filter((name) => !words.has(name.toUpperCase()));
}

/** Words stay as they are written: ClickHouse tells small letters from capitals, and some of its keywords are names of tables. Throws where the text cannot be read as SQL. */
export function formatSql(sql: string): string {
  const dialect = { ...clickhouse, tokenizerOptions: { ...tokenizerOptions, reservedFunctionNames: [...tokenizerOptions.reservedFunctionNames, ...functionsIn(sql)] } };
  return formatDialect(sql, { dialect, keywordCase: 'preserve', tabWidth: 2, expressionWidth: 80 });
}
