import type { UseQueryResult } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { Notice } from '../api/notifications';
import { alertMessages as words } from '../i18n/alertMessages';
import { format } from '../i18n/format';
import { Card } from '../ui/Card';
import { Failure, TableSkeleton } from '../ui/states';

const route = getRouteApi('/alerts');
const TONES = { waiting: 'warn', sent: 'good', failed: 'bad' } as const;

/** What became of the last notices of one. */
export function NoticesCard({ name, query }: { name: string; query: UseQueryResult<readonly Notice[]> }) {
  const { open: _open, ...others } = route.useSearch();
  const names = words.noticeColumns;
  return (
    <Card
      title={words.notices(name)}
      note={words.noticesNote}
      actions={
        <Link to="/alerts" search={others} resetScroll={false} className="button">
          {words.closeNotices}
        </Link>
      }
      flush
    >
      {query.data === undefined && query.error !== null ? (
        <Failure error={query.error} onRetry={() => void query.refetch()} />
      ) : query.data === undefined ? (
        <TableSkeleton rows={3} />
      ) : query.data.length === 0 ? (
        <p className="quiet-line">{words.noNotices}</p>
      ) : (
        // A region that scrolls must be reachable by keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <div className="table-scroll" role="region" aria-label={words.notices(name)} tabIndex={0}>
          <table className="table" data-testid="notices">
            <caption className="visually-hidden">{words.notices(name)}</caption>
            <thead>
              <tr>
                <th scope="col"><span>{names.event}</span></th>
                <th scope="col"><span>{names.outcome}</span></th>
                <th scope="col"><span>{names.due}</span></th>
                <th scope="col" className="end"><span>{names.tries}</span></th>
                <th scope="col"><span>{names.answer}</span></th>
              </tr>
            </thead>
            <tbody>
              {query.data.map((notice) => (
                <tr key={notice.id}>
                  <th scope="row">{words.event(notice.event)}</th>
                  <td><span className={`chip tone ${TONES[notice.status]}`}>{words.outcomes[notice.status]}</span></td>
                  <td><time dateTime={new Date(notice.due).toISOString()}>{format.dayTime(notice.due)}</time></td>
                  <td className="end">{format.count(notice.tries)}</td>
                  <td className="notice-answer" title={notice.error}>{[notice.httpStatus === undefined ? '' : String(notice.httpStatus), notice.error].filter((part) => part !== '').join(' · ') || '–'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}
