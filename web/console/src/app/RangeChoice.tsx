import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useRef, useState } from 'react';
import { messages as m } from '../i18n/messages';
import { rangeLabel, type RangeSearch, type TimeRange } from '../state/range';
import { CalendarIcon, ChevronDown } from '../ui/icons';

const load = () => import('./RangePopover');
const RangePopover = lazy(load);

export function RangeChoice({ search, data }: { search: RangeSearch; data: TimeRange | undefined }) {
  const navigate = useNavigate();
  const trigger = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const label = rangeLabel(search, data);
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
