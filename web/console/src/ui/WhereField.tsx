import { useEffect, useState } from 'react';
import { readFilters, writeFilters, type Filter } from '../state/filters';
import { FiltersField } from './FiltersField';

/** A report's filters, kept in the address. What is typed asks nothing until it rests. */
export function WhereField({ where, onChange }: { where: string | undefined; onChange: (where: string | undefined) => void }) {
  const [filters, setFilters] = useState<readonly Filter[]>(() => readFilters(where));
  const next = writeFilters(filters.filter(({ values }) => values.trim() !== ''));
  useEffect(() => {
    if (next === where) return;
    const timer = setTimeout(() => { onChange(next); }, 400);
    return () => {
      clearTimeout(timer);
    };
  }, [next, where, onChange]);
  return <FiltersField filters={filters} onChange={setFilters} />;
}
