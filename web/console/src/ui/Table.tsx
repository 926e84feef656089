import type { ReactNode } from 'react';
import { ArrowDown, ArrowUp } from './icons';
import { messages as m } from '../i18n/messages';

export interface Column<Row> {
  readonly id: string;
  readonly header: string;
  readonly cell: (row: Row) => ReactNode;
  readonly numeric?: boolean;
  /** Present on columns by which a reader may sort. */
  readonly compare?: (a: Row, b: Row) => number;
  readonly footer?: ReactNode;
}

export interface Sort {
  readonly column: string;
  readonly descending: boolean;
}

interface TableProps<Row> {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  sort: Sort;
  onSort: (sort: Sort) => void;
  /** Rows drawn at most; the rest is counted under the table. */
  limit?: number;
  /** Holds the height while rows load, so that nothing below moves. */
  minRows?: number;
}

export function sortRows<Row>(rows: readonly Row[], columns: readonly Column<Row>[], sort: Sort): Row[] {
  const compare = columns.find((column) => column.id === sort.column)?.compare;
  if (compare === undefined) return [...rows];
  return rows.toSorted((a, b) => (sort.descending ? compare(b, a) : compare(a, b)));
}

export function Table<Row>({ caption, columns, rows, rowKey, sort, onSort, limit = 200 }: TableProps<Row>) {
  const sorted = sortRows(rows, columns, sort);
  const shown = sorted.slice(0, limit);
  const hasFooter = columns.some((column) => column.footer !== undefined);
  return (
    <>
      {/* A region that scrolls must be reachable by keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="table-scroll" role="region" aria-label={caption} tabIndex={0}>
        <table className="table">
          <caption className="visually-hidden">{caption}</caption>
          <thead>
            <tr>
              {columns.map((column) => (
                <HeaderCell key={column.id} column={column} sort={sort} onSort={onSort} />
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={rowKey(row)}>
                {columns.map((column, index) => {
                  const className = column.numeric === true ? 'end' : undefined;
                  return index === 0 ? (
                    <th key={column.id} scope="row" className={className}>
                      {column.cell(row)}
                    </th>
                  ) : (
                    <td key={column.id} className={className}>
                      {column.cell(row)}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
          {hasFooter ? (
            <tfoot>
              <tr>
                {columns.map((column) => (
                  <td key={column.id} className={column.numeric === true ? 'end' : undefined}>
                    {column.footer}
                  </td>
                ))}
              </tr>
            </tfoot>
          ) : null}
        </table>
      </div>
      {sorted.length > shown.length ? (
        <p className="table-note">{m.table.truncated(shown.length, sorted.length)}</p>
      ) : null}
    </>
  );
}

function HeaderCell<Row>({ column, sort, onSort }: { column: Column<Row>; sort: Sort; onSort: (sort: Sort) => void }) {
  const className = column.numeric === true ? 'end' : undefined;
  if (column.compare === undefined) {
    return (
      <th scope="col" className={className}>
        <span>{column.header}</span>
      </th>
    );
  }
  const active = sort.column === column.id;
  const direction = sort.descending ? 'descending' : 'ascending';
  // The first press sorts numbers from the largest and names from A.
  const next: Sort = { column: column.id, descending: active ? !sort.descending : column.numeric === true };
  return (
    <th scope="col" className={className} aria-sort={active ? direction : 'none'}>
      <button
        type="button"
        onClick={() => {
          onSort(next);
        }}
      >
        {column.header}
        <span className={active ? undefined : 'sort-idle'}>
          {(active ? sort.descending : next.descending) ? <ArrowDown /> : <ArrowUp />}
        </span>
      </button>
    </th>
  );
}
