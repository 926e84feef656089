// A rule as a tree that a person edits: groups of "all of" and "any of", and conditions, each of which may be turned round. Rules of
// segments and the targeting of campaigns differ in their conditions alone.

export interface Condition {
  readonly kind: 'condition';
  readonly key: number;
  readonly isNot: boolean;
}

export interface GroupNode<C extends Condition> {
  readonly kind: 'group';
  readonly key: number;
  readonly isNot: boolean;
  readonly join: 'all' | 'any';
  readonly nodes: readonly RuleNode<C>[];
}

export type RuleNode<C extends Condition> = C | GroupNode<C>;

/** What the API's rules have in common; the rest is a condition. */
type Junction<R> = { readonly all: readonly R[] } | { readonly any: readonly R[] } | { readonly not: R };

let lastKey = 0;
/** Tells nodes apart while they are edited; it is nowhere kept. */
export function nextKey(): number {
  lastKey += 1;
  return lastKey;
}

export function newGroup<C extends Condition>(join: 'all' | 'any', nodes: readonly RuleNode<C>[]): GroupNode<C> {
  return { kind: 'group', key: nextKey(), isNot: false, join, nodes };
}

export function isGroup<C extends Condition>(node: RuleNode<C>): node is GroupNode<C> {
  return node.kind !== 'condition';
}

function isJunction<R extends object>(rule: R | Junction<R>): rule is Junction<R> {
  return 'all' in rule || 'any' in rule || 'not' in rule;
}

function readNode<R extends object, C extends Condition>(rule: R, leaf: (rule: R) => C): RuleNode<C> {
  if (!isJunction<R>(rule)) return leaf(rule);
  if ('all' in rule) return newGroup('all', rule.all.map((inner) => readNode(inner, leaf)));
  if ('any' in rule) return newGroup('any', rule.any.map((inner) => readNode(inner, leaf)));
  const inner = readNode(rule.not, leaf);
  // Turned round twice: a group holds what is turned round already.
  return inner.isNot ? { ...newGroup('all', [inner]), isNot: true } : { ...inner, isNot: true };
}

/** The root is always a group that is not turned round: a person adds to it. */
export function readTree<R extends object, C extends Condition>(rule: R, leaf: (rule: R) => C): GroupNode<C> {
  const node = readNode(rule, leaf);
  return isGroup(node) && !node.isNot ? node : newGroup('all', [node]);
}

function writeNode<R extends object, C extends Condition>(node: RuleNode<C>, leaf: (condition: C) => R): R | Junction<R> {
  const rule = isGroup(node) ? writeGroup(node, leaf) : leaf(node);
  // Junctions of rules are rules.
  return node.isNot ? { not: rule as R } : rule;
}

function writeGroup<R extends object, C extends Condition>({ join, nodes }: GroupNode<C>, leaf: (condition: C) => R): Junction<R> {
  const rules = nodes.map((node) => writeNode(node, leaf) as R);
  return join === 'all' ? { all: rules } : { any: rules };
}

export function writeTree<R extends object, C extends Condition>(root: GroupNode<C>, leaf: (condition: C) => R): R {
  const [only, ...others] = root.nodes;
  return (only !== undefined && others.length === 0 ? writeNode(only, leaf) : writeGroup(root, leaf)) as R;
}

export function conditionsOf<C extends Condition>(node: RuleNode<C>): readonly C[] {
  return isGroup(node) ? node.nodes.flatMap(conditionsOf) : [node];
}

/** The tree with the node of this key changed, or without it where `change` says undefined. Groups that are left empty go, too. */
export function changed<C extends Condition>(root: GroupNode<C>, key: number, change: (node: RuleNode<C>) => RuleNode<C> | undefined): GroupNode<C> {
  const within = (node: RuleNode<C>): RuleNode<C> | undefined => {
    if (node.key === key) return change(node);
    if (!isGroup(node)) return node;
    const nodes = node.nodes.map(within).filter((inner) => inner !== undefined);
    return nodes.length === 0 ? undefined : { ...node, nodes };
  };
  const next = within(root);
  return next !== undefined && isGroup(next) ? next : { ...root, nodes: [] };
}

/** A rule as a person would say it, its conditions as `leaf` says them. */
export function treeText<C extends Condition>(root: GroupNode<C>, leaf: (condition: C) => string): string {
  const groupText = (group: GroupNode<C>, isInner: boolean): string => {
    const text = group.nodes.map((node) => nodeText(node)).join(group.join === 'all' ? ', and ' : ', or ');
    return isInner && group.nodes.length > 1 ? `(${text})` : text;
  };
  const nodeText = (node: RuleNode<C>): string => {
    const text = isGroup(node) ? groupText(node, true) : leaf(node);
    return node.isNot ? `not ${text}` : text;
  };
  return groupText(root, false);
}
