import { useNavigate } from '@tanstack/react-router';
import type { SortSearch } from '../state/search';
import type { Sort } from './Table';

/** A table's order, kept in the address; the default is left out of it. */
export function useSort(search: SortSearch, byDefault: Sort): [Sort, (sort: Sort) => void] {
  const navigate = useNavigate();
  const sort: Sort = search.sort === undefined ? byDefault : { column: search.sort, descending: search.dir !== 'asc' };
  function set(next: Sort) {
    const isDefault = next.column === byDefault.column && next.descending === byDefault.descending;
    void navigate({
      to: '.',
      replace: true,
      resetScroll: false,
      search: ({ sort: _sort, dir: _dir, ...others }) =>
        isDefault ? others : { ...others, sort: next.column, dir: next.descending ? ('desc' as const) : ('asc' as const) },
    });
  }
  return [sort, set];
}
