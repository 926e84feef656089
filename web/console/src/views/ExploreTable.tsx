import { getRouteApi } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Exploration } from '../api/explore';
import type { Cell } from '../api/saved';
import { exploreMessages as words } from '../i18n/exploreMessages';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import { cellText } from '../i18n/savedMessages';
import { Table, type Column } from '../ui/Table';
import { useSort } from '../ui/useSort';

const ROWS_SHOWN = 50;
const route = getRouteApi('/explore');

function compareCells(a: Cell, b: Cell): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return format.collator.compare(String(a ?? ''), String(b ?? ''));
}

export function ExploreTable({ exploration }: { exploration: Exploration }) {
  // The report's own order, most first, until a reader chooses another.
  const [sort, setSort] = useSort(route.useSearch(), { column: '', descending: false });
  const { table, bounds } = exploration;
  const rows = useMemo(() => table.rows.map((_, index) => index), [table]);
  const columns = useMemo(
    () =>
      table.columns.map(({ name, type }, column): Column<number> => {
        const isMetric = column >= (table.chart?.value ?? 0);
        const cell = (row: number) => table.rows[row]?.[column] ?? null;
        return {
          id: name,
          header: isMetric ? words.metric(name) : m.dimension(name),
          numeric: isMetric,
          cell: (row) => {
            const within = bounds[row]?.[column];
            return (
              <>
                {cellText(cell(row), type)}
                {within === undefined ? null : <span className="within">{words.interval(cellText(within.low, type), cellText(within.high, type))}</span>}
              </>
            );
          },
          compare: (a, b) => compareCells(cell(a), cell(b)),
        };
      }),
    [table, bounds],
  );
  return <Table caption={words.table} columns={columns} rows={rows} rowKey={String} sort={sort} onSort={setSort} limit={ROWS_SHOWN} />;
}
