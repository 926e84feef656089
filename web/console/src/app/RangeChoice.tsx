import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useRef, useState } from 'react';
import { messages as m } from '../i18n/messages';
import { rangeLabel, type RangeSearch, type TimeRange } from '../state/range';
import { CalendarIcon, ChevronDown } from '../ui/icons';

const load = () => import('./RangePopover');
const RangePopover = lazy(load);

export function RangeChoice({ search, data, byDefault }: { search: RangeSearch; data: TimeRange | undefined; byDefault?: string | undefined }) {
  const navigate = useNavigate();
  const trigger = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const isChosen = search.last !== undefined || search.from !== undefined;
  const label = isChosen ? rangeLabel(search, data) : (byDefault ?? rangeLabel(search, data));
  return (
    <>
      <button
        ref={trigger}
        type="button"
        className="button select-button range-button"
        aria-label={`${m.range.label}: ${label}`}
        aria-haspopup="dialog"
        aria-expanded={open}
        onPointerEnter={() => void load()}
        onFocus={() => void load()}
        onClick={() => {
          setOpen(true);
        }}
      >
        <CalendarIcon />
        <span>{label}</span>
        <ChevronDown />
      </button>
      {open ? (
        <Suspense>
          <RangePopover
            trigger={trigger}
            search={search}
            data={data}
            byDefault={byDefault}
            onClose={() => {
              setOpen(false);
            }}
            onChoose={(next) => {
              setOpen(false);
              void navigate({ to: '.', search: ({ from: _from, to: _to, last: _last, ...others }) => ({ ...others, ...next }) });
            }}
          />
        </Suspense>
      ) : null}
    </>
  );
}
