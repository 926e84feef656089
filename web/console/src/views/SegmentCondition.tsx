import { segmentMessages as words } from '../i18n/segmentMessages';
import type { ConditionNode, Times } from '../state/segmentRule';
import { Choice } from '../ui/Choice';
import { FiltersField } from '../ui/FiltersField';
import type { ConditionProps } from '../ui/RuleTreeField';
import { TypesField } from '../ui/TypesField';

/** A condition of a segment: how often which events, where and when. */
export function SegmentCondition({ node, set, tools }: ConditionProps<ConditionNode>) {
  return (
    <>
      <div className="condition-row">
        <Choice
          label={words.had}
          value={node.isFewer ? 'fewer' : 'least'}
          options={[
            { value: 'least', label: words.amounts.least },
            { value: 'fewer', label: words.amounts.fewer },
          ]}
          onChange={(next) => { set({ isFewer: next === 'fewer' }); }}
        />
        <label className="field count">
          <span className="label">{words.count}</span>
          <input className="input" type="number" min={1} step={1} value={Number.isNaN(node.count) ? '' : node.count} onChange={(event) => { set({ count: event.target.valueAsNumber }); }} />
        </label>
        <TypesField label={words.types} types={node.types} onChange={(types) => { set({ types }); }} />
        <TimesField times={node.times} onChange={(times) => { set({ times }); }} />
        {tools}
      </div>
      <FiltersField filters={node.filters} onChange={(filters) => { set({ filters }); }} />
    </>
  );
}

const SPANS = ['24h', '7d', '30d', '90d'];

function TimesField({ times, onChange }: { times: Times; onChange: (times: Times) => void }) {
  const spans = times.kind === 'last' && !SPANS.includes(times.last) ? [...SPANS, times.last] : SPANS;
  const days = (fields: { from?: string; to?: string }) => {
    if (times.kind === 'between') onChange({ ...times, ...fields });
  };
  return (
    <>
      <Choice
        label={words.times}
        value={times.kind === 'last' ? times.last : times.kind}
        options={[
          { value: 'ever', label: words.timesKinds.ever },
          ...spans.map((last) => ({ value: last, label: words.span(last) })),
          { value: 'between', label: words.timesKinds.between },
        ]}
        onChange={(next) => {
          onChange(next === 'ever' ? { kind: 'ever' } : next === 'between' ? { kind: 'between', from: '', to: '' } : { kind: 'last', last: next });
        }}
      />
      {times.kind === 'between' ? (
        <>
          <label className="field">
            <span className="label">{words.from}</span>
            <input className="input" type="date" value={times.from.slice(0, 10)} onChange={(event) => { days({ from: event.target.value }); }} />
          </label>
          <label className="field">
            <span className="label">{words.to}</span>
            <input className="input" type="date" value={times.to.slice(0, 10)} onChange={(event) => { days({ to: event.target.value }); }} />
          </label>
        </>
      ) : null}
    </>
  );
}
