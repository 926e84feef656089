import { useMutation } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { downloadSql } from '../api/sql';
import { Chart } from '../charts/Chart';
import { usePalette } from '../charts/palette';
import { savedPicture } from '../charts/savedOption';
import { sqlMessages as words } from '../i18n/sqlMessages';
import { axesOf, compareSqlCells, drawnTable, fittingChart, isNumeric, kindOfColumn, numbersOf, sqlCellText, type SqlChart, type SqlResult } from '../state/sqlModel';
import { tellFailure } from '../state/toasts';
import { Button } from '../ui/Button';
import { Card } from '../ui/Card';
import { Choice } from '../ui/Choice';
import { Empty } from '../ui/states';
import { Table, type Column, type Sort } from '../ui/Table';

const ROWS_SHOWN = 300;
const FORMS = ['csv', 'parquet'] as const;
const NONE = '';

interface AnswerProps {
  sql: string;
  result: SqlResult;
  chosen: SqlChart | undefined;
  isChartless: boolean;
  onChart: (chart: SqlChart | undefined) => void;
}

export function SqlAnswer({ sql, result, chosen, isChartless, onChart }: AnswerProps) {
  return (
    <>
      <ChartCard result={result} chart={isChartless ? undefined : fittingChart(result, chosen)} onChart={onChart} />
      <Card title={words.answer} note={words.cost(result.rows.length, result.seconds, result.rowsRead, result.bytesRead)} actions={<Exports sql={sql} />} flush>
        {result.cut === undefined ? null : <p className="sql-cut" role="status">{words.cut[result.cut](result.rows.length)}</p>}
        {result.rows.length === 0 ? <Empty title={words.nothing}>{words.nothingAdvice}</Empty> : <ResultTable key={result.columns.map(({ name }) => name).join('\n')} result={result} />}
      </Card>
    </>
  );
}

function Exports({ sql }: { sql: string }) {
  const file = useMutation({
    mutationFn: (form: (typeof FORMS)[number]) => downloadSql(sql, words.fileName, form),
    onError: (error) => { tellFailure(words.notExported, error); },
  });
  return (
    <div className="exports" role="group" aria-label={words.export}>
      {FORMS.map((form) => (
        <Button key={form} disabled={file.isPending} onPress={() => { file.mutate(form); }}>
          {words.formats[form]}
        </Button>
      ))}
    </div>
  );
}

/** Two columns may have one name: they are told apart by their place. */
function ResultTable({ result: { columns, rows } }: { result: SqlResult }) {
  // The query's own order, until a reader chooses another.
  const [sort, setSort] = useState<Sort>({ column: '', descending: false });
  const drawn = useMemo(
    () =>
      columns.map(({ name, type }, at): Column<number> => {
        const cell = (row: number) => rows[row]?.[at];
        return {
          id: String(at),
          header: name,
          numeric: isNumeric(type),
          cell: (row) => (cell(row) === null ? <span className="cell-faint">NULL</span> : <span className="sql-cell">{sqlCellText(cell(row))}</span>),
          compare: (a, b) => compareSqlCells(cell(a), cell(b), type),
        };
      }),
    [columns, rows],
  );
  const places = useMemo(() => rows.map((_, index) => index), [rows]);
  return <Table caption={words.answer} columns={drawn} rows={places} rowKey={String} sort={sort} onSort={setSort} limit={ROWS_SHOWN} />;
}

function ChartCard({ result, chart, onChart }: { result: SqlResult; chart: SqlChart | undefined; onChart: (chart: SqlChart | undefined) => void }) {
  const palette = usePalette();
  const picture = useMemo(() => (chart === undefined ? undefined : savedPicture(drawnTable(result, chart), palette)), [result, chart, palette]);
  const numbers = numbersOf(result.columns);
  if (result.rows.length === 0 || numbers.length === 0) return null;
  const named = (columns: readonly { readonly name: string }[]) => columns.map(({ name }) => ({ value: name, label: name }));
  const choose = (kind: 'none' | SqlChart['kind']) => {
    if (kind === 'none') { onChart(undefined); return; }
    const x = axesOf(result.columns, kind)[0]?.name;
    const y = chart?.y ?? numbers.find(({ name }) => name !== x)?.name ?? numbers[0]?.name;
    if (x !== undefined && y !== undefined) onChart({ kind, x, y });
  };
  const kinds = (['none', 'lines', 'bars'] as const).filter((kind) => kind === 'none' || axesOf(result.columns, kind).length > 0);
  return (
    <Card
      title={words.chart}
      actions={
        <div className="sql-chart-choices">
          <Choice label={words.kind} value={chart?.kind ?? 'none'} options={kinds.map((kind) => ({ value: kind, label: words.kinds[kind] }))} onChange={choose} />
          {chart === undefined ? null : (
            <>
              <Choice label={words.y} value={chart.y} options={named(numbers)} onChange={(y) => { onChart({ ...chart, y }); }} />
              <Choice label={words.x} value={chart.x} options={named(axesOf(result.columns, chart.kind))} onChange={(x) => { onChart({ ...chart, x }); }} />
              {chart.kind === 'lines' ? (
                <Choice
                  label={words.by}
                  value={chart.by ?? NONE}
                  options={[{ value: NONE, label: words.noBy }, ...named(result.columns.filter(({ name, type }) => name !== chart.x && kindOfColumn(type) === 'text'))]}
                  onChange={(by) => { onChart({ kind: chart.kind, x: chart.x, y: chart.y, ...(by === NONE ? {} : { by }) }); }}
                />
              ) : null}
            </>
          )}
        </div>
      }
    >
      {chart === undefined || picture === undefined ? null : (
        <>
          {picture.legend === undefined ? null : (
            <ul className="legend">
              {picture.legend.map(({ name, color }) => (
                <li key={name}>
                  <i className="swatch" style={{ background: color }} />
                  {name}
                </li>
              ))}
            </ul>
          )}
          <Chart key={picture.kind} kind={picture.kind} testId="sql-chart" option={picture.option} height={picture.height} description={words.description(chart.y, chart.x, result.rows.length)} />
        </>
      )}
    </Card>
  );
}
