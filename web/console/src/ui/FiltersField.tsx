import { useId } from 'react';
import { DIMENSIONS } from '../api/reports';
import { filterMessages as words } from '../i18n/filterMessages';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import type { Filter } from '../state/filters';
import { Button } from './Button';
import { Choice } from './Choice';
import { CloseIcon, PlusIcon } from './icons';
import '../styles/ruleTree.css';

/** Filters as reports take them: all must hold. */
export function FiltersField({ filters, onChange }: { filters: readonly Filter[]; onChange: (filters: readonly Filter[]) => void }) {
  return (
    <div className="condition-filters">
      {filters.map((filter, index) => (
        <FilterRow
          // Filters have no identity but their place.
          key={index}
          filter={filter}
          onChange={(next) => { onChange(filters.flatMap((old, place) => (place === index ? (next === undefined ? [] : [next]) : [old]))); }}
        />
      ))}
      <Button look="quiet" onPress={() => { onChange([...filters, { dimension: 'college_id', isNot: false, values: '' }]); }}>
        <PlusIcon />
        {words.addFilter}
      </Button>
    </div>
  );
}

function FilterRow({ filter, onChange }: { filter: Filter; onChange: (filter: Filter | undefined) => void }) {
  const id = useId();
  const names = DIMENSIONS.includes(filter.dimension) ? DIMENSIONS : [...DIMENSIONS, filter.dimension];
  return (
    <div className="condition-row">
      <Choice
        label={words.filterDimension}
        value={filter.dimension}
        options={names.map((name) => ({ value: name, label: m.dimension(name) })).toSorted((a, b) => format.collator.compare(a.label, b.label))}
        onChange={(dimension) => { onChange({ ...filter, dimension }); }}
      />
      <Choice
        label={words.filterIs}
        value={filter.isNot ? 'not' : 'is'}
        options={[
          { value: 'is', label: words.filterOps.is },
          { value: 'not', label: words.filterOps.not },
        ]}
        onChange={(next) => { onChange({ ...filter, isNot: next === 'not' }); }}
      />
      <div className="field values">
        <label htmlFor={id} className="label">
          {words.values}, {words.valuesHint}
        </label>
        <input id={id} className="input" value={filter.values} autoComplete="off" onChange={(event) => { onChange({ ...filter, values: event.target.value }); }} />
      </div>
      <Button look="quiet" icon aria-label={words.removeFilter} onPress={() => { onChange(undefined); }}>
        <CloseIcon />
      </Button>
    </div>
  );
}
