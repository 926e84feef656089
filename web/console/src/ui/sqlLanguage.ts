// ClickHouse's SQL for the editor: its words, and completion from what this Marquee has.
import { type Completion, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { sql, SQLDialect, type SQLNamespace } from '@codemirror/lang-sql';
import type { Extension } from '@codemirror/state';
import type { SqlSchema } from '../state/sqlModel';
import { tablesInSight } from '../state/sqlText';

const KEYWORDS =
  'select distinct from prewhere where group by with rollup cube totals having order asc desc nulls first last limit offset ties as and or not in global ' +
  'is null like ilike between case when then else end join inner left right full outer cross any all semi anti asof on using array union except intersect ' +
  'final sample interval over partition rows range unbounded preceding following current row window qualify fill step interpolate explain describe exists format ' +
  'second minute hour day week month quarter year';
const TYPES =
  'int8 int16 int32 int64 int128 int256 uint8 uint16 uint32 uint64 uint128 uint256 float32 float64 decimal bool string fixedstring date date32 datetime datetime64 ' +
  'uuid enum8 enum16 lowcardinality nullable array map tuple json ipv4 ipv6 aggregatefunction simpleaggregatefunction';

export const clickhouse = SQLDialect.define({
  keywords: KEYWORDS,
  types: TYPES,
  builtin: '',
  backslashEscapes: true,
  hashComments: true,
  slashComments: false,
  doubleDollarQuotedStrings: false,
  operatorChars: '*+-%<>!=&|^/?:',
  specialVar: '',
  identifierQuotes: '`"',
  charSetCasts: false,
});

function columnsOf({ columns }: SqlSchema['tables'][number]): readonly Completion[] {
  return columns.map(({ name, type, comment }) => ({ label: name, type: 'property', detail: type.length > 40 ? `${type.slice(0, 39)}…` : type, boost: 2, ...(comment === '' ? {} : { info: comment }) }));
}

function namespaceOf({ database, tables }: SqlSchema): SQLNamespace {
  return {
    [database]: Object.fromEntries(
      tables.map((table) => [table.name, { self: { label: table.name, type: 'class', detail: `${table.columns.length} columns`, boost: 1 }, children: [...columnsOf(table)] }]),
    ),
  };
}

/** Columns of the tables that the query reads, and functions: what the library offers only behind a dot. */
function inSight(schema: SqlSchema) {
  const functions = schema.functions.map((name): Completion => ({ label: name, type: 'function', apply: `${name}(`, boost: -1 }));
  return (context: CompletionContext): CompletionResult | null => {
    const word = context.matchBefore(/[\w.]+/);
    if (word === null ? !context.explicit : word.text.includes('.')) return null;
    // There stands a table, which the library offers.
    if (/\b(?:from|join)\s+$/i.test(context.state.sliceDoc(0, word?.from ?? context.pos))) return null;
    const columns = tablesInSight(context.state.doc.toString(), schema).flatMap(columnsOf);
    return { from: word?.from ?? context.pos, options: [...columns, ...functions], validFor: /^\w*$/ };
  };
}

/** The language, and what it knows; without a schema, its words only. */
export function sqlLanguage(schema: SqlSchema | undefined): Extension {
  if (schema === undefined) return sql({ dialect: clickhouse, upperCaseKeywords: true });
  return [
    sql({ dialect: clickhouse, upperCaseKeywords: true, schema: namespaceOf(schema), defaultSchema: schema.database }),
    clickhouse.language.data.of({ autocomplete: inSight(schema) }),
  ];
}
