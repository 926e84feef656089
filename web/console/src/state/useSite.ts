import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';
import type { Site } from '../api/model';
import { sitesQuery } from '../api/reports';
import { dataRange, resolveRange, type RangeSearch, type TimeRange } from './range';

const NO_SITES: readonly Site[] = [];

export interface ChosenSite {
  readonly sites: readonly Site[];
  /** The address's site, else the first; undefined while loading or when there is none. */
  readonly site: Site | undefined;
  readonly loading: boolean;
  readonly error: Error | null;
  readonly retry: () => void;
}

export function useSite(): ChosenSite {
  const wanted = useSearch({ strict: false, select: (search: { site?: string }) => search.site });
  const query = useQuery(sitesQuery());
  const sites = query.data ?? NO_SITES;
  return {
    sites,
    site: sites.find((candidate) => candidate.id === wanted) ?? sites[0],
    loading: query.isPending,
    error: query.error,
    retry: () => void query.refetch(),
  };
}

/** The time, to the minute, while `wanted`: a range that ends now moves on. */
function useMinute(wanted: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!wanted) return;
    const timer = setInterval(() => {
      setNow(Date.now());
    }, 60_000);
    return () => {
      clearInterval(timer);
    };
  }, [wanted]);
  return now;
}

/** The times that a view asks for. */
export function useRange(search: RangeSearch, site: Site | undefined): { range: TimeRange | undefined; data: TimeRange | undefined } {
  const first = site?.first;
  const last = site?.last;
  const { last: span, from, to } = search;
  const now = useMinute(span !== undefined);
  return useMemo(() => {
    const data = first === undefined || last === undefined ? undefined : dataRange(first, last);
    const wanted: RangeSearch = {
      ...(span === undefined ? {} : { last: span }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    };
    return { data, range: resolveRange(wanted, data, now) };
  }, [first, last, span, from, to, now]);
}
