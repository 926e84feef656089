import type { ReactNode } from 'react';
import { treeMessages as words } from '../i18n/treeMessages';
import { changed, isGroup, newGroup, type Condition, type GroupNode, type RuleNode } from '../state/ruleTree';
import { Button } from './Button';
import { Segments } from './Choice';
import { CloseIcon, PlusIcon } from './icons';
import '../styles/ruleTree.css';

const MOST_DEEP = 8;

export interface ConditionProps<C extends Condition> {
  node: C;
  set: (fields: Partial<Omit<C, 'kind' | 'key'>>) => void;
  /** Turns it round, and removes it: to be put at its end. */
  tools: ReactNode;
}

interface FieldProps<C extends Condition> {
  root: GroupNode<C>;
  onChange: (root: GroupNode<C>) => void;
  name: string;
  /** What stands before "all of these". */
  joinLabel: string;
  newCondition: () => C;
  renderCondition: (props: ConditionProps<C>) => ReactNode;
}

/** Changes the node of a key, wherever it is. */
type Change<C extends Condition> = (key: number, change: (node: RuleNode<C>) => RuleNode<C> | undefined) => void;

interface PartProps<C extends Condition> extends Pick<FieldProps<C>, 'joinLabel' | 'newCondition' | 'renderCondition'> {
  change: Change<C>;
}

/** A rule as boxes in boxes: each a group or a condition. */
export function RuleTreeField<C extends Condition>({ root, onChange, name, ...parts }: FieldProps<C>) {
  return <Group group={root} depth={0} name={name} change={(key, change) => { onChange(changed(root, key, change)); }} {...parts} />;
}

function Group<C extends Condition>({ group, depth, name, ...parts }: PartProps<C> & { group: GroupNode<C>; depth: number; name: string }) {
  const { change, newCondition, joinLabel } = parts;
  const set = (fields: (group: GroupNode<C>) => Partial<GroupNode<C>>) => { change(group.key, (now) => (isGroup(now) ? { ...now, ...fields(now) } : now)); };
  const add = (node: RuleNode<C>) => { set((now) => ({ nodes: [...now.nodes, node] })); };
  return (
    <fieldset className={depth === 0 ? 'rule-group root' : 'rule-group'}>
      <legend className="visually-hidden">{name}</legend>
      <div className="rule-head">
        <Segments
          label={joinLabel}
          hideLabel={depth > 0}
          value={group.join}
          options={[
            { value: 'all', label: words.joins.all },
            { value: 'any', label: words.joins.any },
          ]}
          onChange={(join) => { set(() => ({ join })); }}
        />
        {depth === 0 ? null : <NodeTools node={group} name={name} change={change} />}
      </div>
      <ol className="rule-nodes">
        {group.nodes.map((node, index) => (
          <li key={node.key}>
            {isGroup(node) ? (
              <Group group={node} depth={depth + 1} name={words.group(index + 1)} {...parts} />
            ) : (
              <ConditionBox node={node} name={words.condition(index + 1)} {...parts} />
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
          <Button look="quiet" onPress={() => { add(newGroup<C>(group.join === 'all' ? 'any' : 'all', [newCondition()])); }}>
            <PlusIcon />
            {words.addGroup}
          </Button>
        )}
      </div>
    </fieldset>
  );
}

function ConditionBox<C extends Condition>({ node, name, change, renderCondition }: PartProps<C> & { node: C; name: string }) {
  return (
    <fieldset className={node.isNot ? 'rule-condition is-not' : 'rule-condition'}>
      <legend className="visually-hidden">{name}</legend>
      {renderCondition({
        node,
        set: (fields) => { change(node.key, (now) => ({ ...now, ...fields })); },
        tools: <NodeTools node={node} name={name} change={change} />,
      })}
    </fieldset>
  );
}

function NodeTools<C extends Condition>({ node, name, change }: { node: RuleNode<C>; name: string; change: Change<C> }) {
  return (
    <span className="node-tools">
      <label className="toggle">
        <input type="checkbox" checked={node.isNot} onChange={(event) => { change(node.key, (now) => ({ ...now, isNot: event.target.checked })); }} />
        <span>{words.not}</span>
      </label>
      <Button look="quiet" icon aria-label={words.remove(name)} onPress={() => { change(node.key, () => undefined); }}>
        <CloseIcon />
      </Button>
    </span>
  );
}
