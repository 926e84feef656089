import { useMemo, type CSSProperties } from 'react';
import type { Segment } from '../api/segmentList';
import type { SegmentsReport } from '../api/segments';
import { format } from '../i18n/format';
import { segmentMessages as words } from '../i18n/segmentMessages';
import { Card } from '../ui/Card';
import { TableSkeleton } from '../ui/states';

const MOST = 10;

/** Of each segment's users, how many are in each other: a table whose cells are shaded by it. */
export function OverlapsCard({ segments, report }: { segments: readonly Segment[]; report: SegmentsReport | undefined }) {
  const shown = useMemo(() => segments.toSorted((a, b) => b.size - a.size).slice(0, MOST), [segments]);
  return (
    <Card title={words.overlaps} note={words.overlapsNote(shown.length, segments.length)} flush>
      {segments.length < 2 ? (
        <p className="quiet-line">{words.overlapsTwo}</p>
      ) : report === undefined ? (
        <TableSkeleton rows={shown.length} />
      ) : (
        <OverlapsTable segments={shown} report={report} />
      )}
    </Card>
  );
}

/** React's type of a style has no room for a property of one's own. */
function shade(share: number): CSSProperties {
  return { '--shade': `${Math.round(share * 100)}%` } as CSSProperties;
}

function OverlapsTable({ segments, report }: { segments: readonly Segment[]; report: SegmentsReport }) {
  const share = (a: Segment, b: Segment): { share: number; users: number } => {
    const found = report.overlaps.find((one) => (one.a === a.id && one.b === b.id) || (one.a === b.id && one.b === a.id));
    if (found === undefined) return { share: 0, users: 0 };
    return { share: found.a === a.id ? found.shareOfA : found.shareOfB, users: found.users };
  };
  return (
    // A region that scrolls must be reachable by keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="table-scroll" role="region" aria-label={words.overlaps} tabIndex={0}>
      <table className="table overlaps" data-testid="overlaps">
        <caption className="visually-hidden">{words.overlaps}</caption>
        <thead>
          <tr>
            <td />
            {segments.map(({ id, title }) => (
              <th key={id} scope="col" className="end">
                <span>{title}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {segments.map((row) => (
            <tr key={row.id}>
              <th scope="row">{row.title}</th>
              {segments.map((column) => {
                if (column.id === row.id) return <td key={column.id} className="end cell-faint">–</td>;
                const cell = share(row, column);
                return (
                  <td
                    key={column.id}
                    className="end shade"
                    style={shade(cell.share)}
                    title={words.overlapCell(row.title, column.title, format.percent(cell.share), cell.users)}
                  >
                    {format.percent(cell.share)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
