import { useId } from 'react';
import { DIMENSIONS, EVENT_TYPES } from '../api/reports';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import { segmentMessages as words } from '../i18n/segmentMessages';
import {
  changed, MOST_DEEP, newCondition, newGroup, type ConditionNode, type EventType, type Filter, type GroupNode, type RuleNode, type Times,
} from '../state/segmentRule';
import { Button } from '../ui/Button';
import { Choice, Segments } from '../ui/Choice';
import { CloseIcon, PlusIcon } from '../ui/icons';

interface BuilderProps {
  root: GroupNode;
  onChange: (root: GroupNode) => void;
}

/** A rule as boxes in boxes: each a group or a condition, each with its own words. */
export function RuleBuilder({ root, onChange }: BuilderProps) {
  return (
    <Group
      group={root}
      depth={0}
      name={words.rule}
      change={(key, with_) => { onChange(key === root.key ? rootOf(with_(root), root) : changed(root, key, with_)); }}
    />
  );
}

function rootOf(next: RuleNode | undefined, before: GroupNode): GroupNode {
  return next?.kind === 'group' ? next : { ...before, nodes: [] };
}

/** Changes the node of a key wherever it is. */
type Change = (key: number, change: (node: RuleNode) => RuleNode | undefined) => void;

function asGroup(node: RuleNode, change: (group: GroupNode) => GroupNode): RuleNode {
  return node.kind === 'group' ? change(node) : node;
}

function Group({ group, depth, name, change }: { group: GroupNode; depth: number; name: string; change: Change }) {
  const add = (node: RuleNode) => { change(group.key, (now) => asGroup(now, (one) => ({ ...one, nodes: [...one.nodes, node] }))); };
  return (
    <fieldset className={depth === 0 ? 'rule-group root' : 'rule-group'}>
      <legend className="visually-hidden">{name}</legend>
      <div className="rule-head">
        <Segments
          label={words.join}
          hideLabel={depth > 0}
          value={group.join}
          options={[
            { value: 'all', label: words.joins.all },
            { value: 'any', label: words.joins.any },
          ]}
          onChange={(join) => { change(group.key, (now) => asGroup(now, (one) => ({ ...one, join }))); }}
        />
        {depth === 0 ? null : <NodeTools node={group} name={name} change={change} />}
      </div>
      <ol className="rule-nodes">
        {group.nodes.map((node, index) => (
          <li key={node.key}>
            {node.kind === 'group' ? (
              <Group group={node} depth={depth + 1} name={words.group(index + 1)} change={change} />
            ) : (
              <Condition node={node} name={words.condition(index + 1)} change={change} />
            )}
          </li>
        ))}
      </ol>
      <div className="rule-add">
        <Button onPress={() => { add(newCondition()); }}>
          <PlusIcon />
          {words.addCondition}
        </Button>
        {depth >= MOST_DEEP ? null : (
          <Button look="quiet" onPress={() => { add(newGroup(group.join === 'all' ? 'any' : 'all', [newCondition()])); }}>
            <PlusIcon />
            {words.addGroup}
          </Button>
        )}
      </div>
    </fieldset>
  );
}

function NodeTools({ node, name, change }: { node: RuleNode; name: string; change: Change }) {
  return (
    <span className="node-tools">
      <label className="toggle">
        <input type="checkbox" checked={node.isNot} onChange={(event) => { change(node.key, (now) => ({ ...now, isNot: event.target.checked })); }} />
        <span>{words.not}</span>
      </label>
      <Button look="quiet" icon aria-label={words.removeNode(name)} onPress={() => { change(node.key, () => undefined); }}>
        <CloseIcon />
      </Button>
    </span>
  );
}

function Condition({ node, name, change }: { node: ConditionNode; name: string; change: Change }) {
  const set = (fields: Partial<Omit<ConditionNode, 'kind' | 'key'>>) => {
    change(node.key, (now) => (now.kind === 'condition' ? { ...now, ...fields } : now));
  };
  return (
    <fieldset className={node.isNot ? 'rule-condition is-not' : 'rule-condition'}>
      <legend className="visually-hidden">{name}</legend>
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
        <TypesField types={node.types} onChange={(types) => { set({ types }); }} />
        <TimesField times={node.times} onChange={(times) => { set({ times }); }} />
        <NodeTools node={node} name={name} change={change} />
      </div>
      <Filters filters={node.filters} onChange={(filters) => { set({ filters }); }} />
    </fieldset>
  );
}

function TypesField({ types, onChange }: { types: readonly EventType[]; onChange: (types: readonly EventType[]) => void }) {
  const rest = EVENT_TYPES.filter((type) => !types.includes(type));
  return (
    <div className="types">
      <Choice
        label={words.types}
        value=""
        options={[{ value: '', label: types.length === 0 ? words.anyType : words.addType }, ...rest.map((type) => ({ value: type, label: m.eventType(type) }))]}
        onChange={(next) => {
          const type = rest.find((one) => one === next);
          if (type !== undefined) onChange([...types, type]);
        }}
      />
      {types.map((type) => (
        <span key={type} className="chip removable">
          {m.eventType(type)}
          <button type="button" aria-label={words.removeType(m.eventType(type))} onClick={() => { onChange(types.filter((one) => one !== type)); }}>
            <CloseIcon />
          </button>
        </span>
      ))}
    </div>
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

function Filters({ filters, onChange }: { filters: readonly Filter[]; onChange: (filters: readonly Filter[]) => void }) {
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
