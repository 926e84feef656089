import { useState, type RefObject } from 'react';
import { Dialog, I18nProvider, Popover } from 'react-aria-components';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import { formatDay, LAST_SPANS, parseDay, type LastSpan, type RangeSearch, type TimeRange } from '../state/range';
import { Button } from '../ui/Button';

const spans = Object.keys(LAST_SPANS) as LastSpan[];

interface RangePopoverProps {
  trigger: RefObject<HTMLButtonElement | null>;
  search: RangeSearch;
  data: TimeRange | undefined;
  byDefault: string | undefined;
  onClose: () => void;
  onChoose: (next: RangeSearch) => void;
}

export default function RangePopover({ trigger, search, data, byDefault, onClose, onChoose }: RangePopoverProps) {
  return (
    <I18nProvider locale={format.locale}>
      <Popover
        className="popover"
        placement="bottom end"
        offset={4}
        triggerRef={trigger}
        isOpen
        onOpenChange={(open) => {
          if (!open) onClose();
        }}
      >
        <Dialog className="range-dialog" aria-label={m.range.label}>
          <RangePresets search={search} byDefault={byDefault} onChoose={onChoose} />
          <RangeDays search={search} data={data} onChoose={onChoose} />
        </Dialog>
      </Popover>
    </I18nProvider>
  );
}

function RangePresets({ search, byDefault, onChoose }: Pick<RangePopoverProps, 'search' | 'byDefault' | 'onChoose'>) {
  const presets: readonly { label: string; next: RangeSearch; chosen: boolean }[] = [
    { label: byDefault ?? m.range.all, next: {}, chosen: search.last === undefined && search.from === undefined },
    ...spans.map((last) => ({ label: m.range.last[last], next: { last }, chosen: search.last === last })),
  ];
  return (
    <div className="range-presets">
      {presets.map(({ label, next, chosen }) => (
        <button key={label} type="button" className="preset" aria-current={chosen} onClick={() => { onChoose(next); }}>
          {label}
        </button>
      ))}
    </div>
  );
}

function RangeDays({ search, data, onChoose }: Pick<RangePopoverProps, 'search' | 'data' | 'onChoose'>) {
  const [from, setFrom] = useState(search.from ?? (data === undefined ? '' : formatDay(data.from)));
  const [to, setTo] = useState(search.to ?? (data === undefined ? '' : formatDay(data.to - 1)));
  const first = parseDay(from);
  const last = parseDay(to);
  const reversed = first !== undefined && last !== undefined && first > last;
  const complete = first !== undefined && last !== undefined && !reversed;
  return (
    <form
      className="range-days"
      onSubmit={(event) => {
        event.preventDefault();
        if (complete) onChoose({ from, to });
      }}
    >
      <label className="field">
        <span className="label">{m.range.from}</span>
        <input className="input" type="date" value={from} onChange={(event) => { setFrom(event.target.value); }} />
      </label>
      <label className="field">
        <span className="label">{m.range.to}</span>
        <input className="input" type="date" value={to} onChange={(event) => { setTo(event.target.value); }} />
      </label>
      <p className="label" role="status">
        {reversed ? m.range.reversed : m.range.utc}
      </p>
      <Button look="primary" type="submit" disabled={!complete}>
        {m.action.apply}
      </Button>
    </form>
  );
}
