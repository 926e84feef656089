import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { auditQuery } from '../api/accounts';
import { format } from '../i18n/format';
import { settingsMessages as words } from '../i18n/settingsMessages';
import { Button } from '../ui/Button';
import { Card } from '../ui/Card';
import { Failure, TableSkeleton } from '../ui/states';

/** Who did what; of one who did it, where `actor` is not empty. */
export function AuditCard({ actor }: { actor: string }) {
  const audit = useInfiniteQuery(auditQuery(actor));
  const entries = audit.data?.pages.flat();
  return (
    <Card
      title={words.audit}
      note={words.auditNote}
      flush
      actions={
        actor === '' ? undefined : (
          <Link from="/settings" to="/settings" search={({ actor: _actor, ...others }) => others} resetScroll={false} className="button">
            {words.everyone}
          </Link>
        )
      }
    >
      {audit.error !== null ? (
        <Failure error={audit.error} onRetry={() => void audit.refetch()} />
      ) : entries === undefined ? (
        <TableSkeleton rows={5} />
      ) : entries.length === 0 ? (
        <p className="quiet-line">{words.noEntries}</p>
      ) : (
        <>
          {/* A region that scrolls must be reachable by keyboard. */}
          {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
          <div className="table-scroll" role="region" aria-label={words.auditTable} tabIndex={0}>
            <table className="table audit">
              <caption className="visually-hidden">{words.auditTable}</caption>
              <thead>
                <tr>
                  <th scope="col"><span>{words.when}</span></th>
                  <th scope="col"><span>{words.who}</span></th>
                  <th scope="col"><span>{words.what}</span></th>
                </tr>
              </thead>
              <tbody>
                {entries.map((entry, index) => (
                  <tr key={`${entry.time} ${index}`}>
                    <td><time dateTime={new Date(entry.time).toISOString()}>{format.dayTime(entry.time)}</time></td>
                    <td>
                      <Link from="/settings" to="/settings" search={(others) => ({ ...others, actor: entry.actor })} resetScroll={false} title={words.onlyOf(entry.actor)}>
                        {entry.actor}
                      </Link>
                    </td>
                    <td className="wraps">{entry.what}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {audit.hasNextPage ? (
            <p className="quiet-line">
              <Button disabled={audit.isFetchingNextPage} onPress={() => void audit.fetchNextPage()}>
                {words.older}
              </Button>
            </p>
          ) : null}
        </>
      )}
    </Card>
  );
}
