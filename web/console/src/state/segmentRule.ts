// A segment's rule as a tree that a person edits: groups of "all of" and "any of", conditions, each of which may be turned round. The
// API's rule (api/openapi.yaml, SegmentRule) is read into it and written back; what was not touched stays what it was.
import type { components } from '../api/schema';

type Schemas = components['schemas'];
export type Rule = Schemas['SegmentRule'];
export type EventType = Schemas['EventType'];
type ApiCondition = Schemas['SegmentCondition'];

/** Of the API: conditions in all, and rules within each other. */
export const MOST_CONDITIONS = 50;
export const MOST_DEEP = 8;

export interface Filter {
  readonly dimension: string;
  readonly isNot: boolean;
  /** As it is written, values separated by commas. */
  readonly values: string;
}

export type Times =
  | { readonly kind: 'ever' }
  | { readonly kind: 'last'; readonly last: string }
  /** Either may be left out; `to` is excluded. */
  | { readonly kind: 'between'; readonly from: string; readonly to: string };

export interface ConditionNode {
  readonly kind: 'condition';
  readonly key: number;
  readonly isNot: boolean;
  readonly types: readonly EventType[];
  readonly filters: readonly Filter[];
  readonly isFewer: boolean;
  readonly count: number;
  readonly times: Times;
}

export interface GroupNode {
  readonly kind: 'group';
  readonly key: number;
  readonly isNot: boolean;
  readonly join: 'all' | 'any';
  readonly nodes: readonly RuleNode[];
}

export type RuleNode = ConditionNode | GroupNode;

let lastKey = 0;
/** Tells nodes apart while they are edited; it is nowhere kept. */
function nextKey(): number {
  lastKey += 1;
  return lastKey;
}

export function newCondition(types: readonly EventType[] = ['click']): ConditionNode {
  return { kind: 'condition', key: nextKey(), isNot: false, types, filters: [], isFewer: false, count: 1, times: { kind: 'ever' } };
}

export function newGroup(join: 'all' | 'any', nodes: readonly RuleNode[]): GroupNode {
  return { kind: 'group', key: nextKey(), isNot: false, join, nodes };
}

function readFilter(text: string): Filter {
  const match = /^([^=!]+)(!?=)(.*)$/s.exec(text);
  return { dimension: match?.[1] ?? text, isNot: match?.[2] === '!=', values: match?.[3] ?? '' };
}

function readTimes({ from, to, last }: ApiCondition): Times {
  if (last !== undefined) return { kind: 'last', last };
  return from === undefined && to === undefined ? { kind: 'ever' } : { kind: 'between', from: from ?? '', to: to ?? '' };
}

function readNode(rule: Rule): RuleNode {
  if ('all' in rule) return newGroup('all', rule.all.map(readNode));
  if ('any' in rule) return newGroup('any', rule.any.map(readNode));
  if ('not' in rule) {
    const inner = readNode(rule.not);
    // Turned round twice: a group holds what is turned round already.
    return inner.isNot ? { ...newGroup('all', [inner]), isNot: true } : { ...inner, isNot: true };
  }
  return {
    ...newCondition(rule.types ?? []),
    filters: (rule.filter ?? []).map(readFilter),
    isFewer: rule.fewer_than !== undefined,
    count: rule.fewer_than ?? rule.at_least ?? 1,
    times: readTimes(rule),
  };
}

/** The root is always a group that is not turned round: a person adds to it. */
export function readRule(rule: Rule): GroupNode {
  const node = readNode(rule);
  return node.kind === 'group' && !node.isNot ? node : newGroup('all', [node]);
}

function writeTimes(times: Times): Pick<ApiCondition, 'from' | 'to' | 'last'> {
  if (times.kind === 'last') return { last: times.last };
  if (times.kind === 'ever') return {};
  return { ...(times.from === '' ? {} : { from: times.from }), ...(times.to === '' ? {} : { to: times.to }) };
}

function writeNode(node: RuleNode): Rule {
  const rule = node.kind === 'group' ? writeGroup(node) : writeCondition(node);
  return node.isNot ? { not: rule } : rule;
}

function writeGroup({ join, nodes }: GroupNode): Rule {
  const rules = nodes.map(writeNode);
  return join === 'all' ? { all: rules } : { any: rules };
}

function writeCondition(node: ConditionNode): ApiCondition {
  const filter = node.filters.map(({ dimension, isNot, values }) => `${dimension}${isNot ? '!=' : '='}${values}`);
  return {
    ...(node.types.length === 0 ? {} : { types: [...node.types] }),
    ...(filter.length === 0 ? {} : { filter }),
    ...(node.isFewer ? { fewer_than: node.count } : node.count === 1 ? {} : { at_least: node.count }),
    ...writeTimes(node.times),
  };
}

export function writeRule(root: GroupNode): Rule {
  const [only, ...others] = root.nodes;
  return only !== undefined && others.length === 0 ? writeNode(only) : writeGroup(root);
}

export function countConditions(node: RuleNode): number {
  return node.kind === 'condition' ? 1 : node.nodes.reduce((sum, inner) => sum + countConditions(inner), 0);
}

/** The tree with the node of this key changed, or without it where `change` says undefined. Groups that are left empty go, too. */
export function changed(root: GroupNode, key: number, change: (node: RuleNode) => RuleNode | undefined): GroupNode {
  const within = (node: RuleNode): RuleNode | undefined => {
    if (node.key === key) return change(node);
    if (node.kind === 'condition') return node;
    const nodes = node.nodes.map(within).filter((inner) => inner !== undefined);
    return nodes.length === 0 ? undefined : { ...node, nodes };
  };
  const next = within(root);
  return next?.kind === 'group' ? next : { ...root, nodes: [] };
}

export type RuleProblem = 'empty' | 'noValues' | 'badCount' | 'reversed' | 'tooMany';

/** What keeps the rule from being saved, first things first. */
export function ruleProblem(root: GroupNode): RuleProblem | undefined {
  if (countConditions(root) === 0) return 'empty';
  if (countConditions(root) > MOST_CONDITIONS) return 'tooMany';
  return problemOf(root);
}

function problemOf(node: RuleNode): RuleProblem | undefined {
  if (node.kind === 'group') {
    for (const inner of node.nodes) {
      const problem = problemOf(inner);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  if (node.filters.some(({ values }) => values.trim() === '')) return 'noValues';
  if (!Number.isInteger(node.count) || node.count < 1) return 'badCount';
  const { times } = node;
  return times.kind === 'between' && times.from !== '' && times.to !== '' && times.from >= times.to ? 'reversed' : undefined;
}

const KEY = /^[0-9a-fA-F]{16}$/;

/** Users' keys out of a text that somebody pasted: separated by anything, each once. */
export function readKeys(text: string): { readonly keys: readonly string[]; readonly bad: readonly string[] } {
  const parts = text.split(/[\s,;"']+/).filter((part) => part !== '');
  return { keys: [...new Set(parts.filter((part) => KEY.test(part)).map((part) => part.toLowerCase()))], bad: parts.filter((part) => !KEY.test(part)) };
}
