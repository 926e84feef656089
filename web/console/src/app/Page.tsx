import type { ReactNode } from 'react';
import type { Site } from '../api/model';
import { messages as m } from '../i18n/messages';
import type { RangeSearch, TimeRange } from '../state/range';
import { useRange, useSite } from '../state/useSite';
import { Empty, Failure, Skeleton } from '../ui/states';
import { RangeChoice } from './RangeChoice';

interface PageProps {
  title: string;
  intro: string;
  /** The view's time range; a view without one leaves it out. */
  search?: RangeSearch;
  /** What is shown where no time is chosen; all data, else. */
  byDefault?: string;
  actions?: ReactNode;
  children: (site: Site, range: TimeRange | undefined) => ReactNode;
}

/** A view's title, what it answers, and what it is narrowed by. */
export function PageHead({ title, intro, children }: { title: string; intro: string; children?: ReactNode }) {
  return (
    <header className="page-head">
      <div>
        <h1>{title}</h1>
        <p>{intro}</p>
      </div>
      {children}
    </header>
  );
}

/** What every view of a site shares: its heading, its time range, and what is shown while there is no site to ask about. */
export function Page({ title, intro, search, byDefault, actions, children }: PageProps) {
  const { site, loading, error, retry } = useSite();
  const { range, data } = useRange(search ?? {}, site);
  return (
    <>
      <PageHead title={title} intro={intro}>
        <div className="page-actions">
          {search === undefined ? null : <RangeChoice search={search} data={data} byDefault={byDefault} />}
          {actions}
        </div>
      </PageHead>
      {site !== undefined ? (
        children(site, range)
      ) : loading ? (
        <div className="stack" role="status" aria-label={m.state.loading}>
          <Skeleton height={112} />
          <Skeleton height={360} />
        </div>
      ) : (
        <div className="card">
          {error === null ? (
            <Empty title={m.state.noSites} command={m.commands.run}>
              {m.state.noSitesAdvice}
            </Empty>
          ) : (
            <Failure error={error} onRetry={retry} />
          )}
        </div>
      )}
    </>
  );
}
