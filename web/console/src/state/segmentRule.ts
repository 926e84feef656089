// The conditions of a segment's rule as a person edits them. The API's rule (api/openapi.yaml, SegmentRule) is read into a tree of them
// and written back; what was not touched stays what it was.
import type { components } from '../api/schema';
import { readFilter, writeFilter, type Filter } from './filters';
import { conditionsOf, nextKey, readTree, writeTree, type Condition, type GroupNode } from './ruleTree';

type Schemas = components['schemas'];
export type Rule = Schemas['SegmentRule'];
export type EventType = Schemas['EventType'];
type ApiCondition = Schemas['SegmentCondition'];

/** Of the API. */
const MOST_CONDITIONS = 50;

export type Times =
  | { readonly kind: 'ever' }
  | { readonly kind: 'last'; readonly last: string }
  /** Either may be left out; `to` is excluded. */
  | { readonly kind: 'between'; readonly from: string; readonly to: string };

export interface ConditionNode extends Condition {
  readonly types: readonly EventType[];
  readonly filters: readonly Filter[];
  readonly isFewer: boolean;
  readonly count: number;
  readonly times: Times;
}

export type RuleTree = GroupNode<ConditionNode>;

export function newCondition(types: readonly EventType[] = ['click']): ConditionNode {
  return { kind: 'condition', key: nextKey(), isNot: false, types, filters: [], isFewer: false, count: 1, times: { kind: 'ever' } };
}

function readTimes({ from, to, last }: ApiCondition): Times {
  if (last !== undefined) return { kind: 'last', last };
  return from === undefined && to === undefined ? { kind: 'ever' } : { kind: 'between', from: from ?? '', to: to ?? '' };
}

function readCondition(rule: Rule): ConditionNode {
  // The tree takes junctions out before.
  const condition = rule as ApiCondition;
  return {
    ...newCondition(condition.types ?? []),
    filters: (condition.filter ?? []).map(readFilter),
    isFewer: condition.fewer_than !== undefined,
    count: condition.fewer_than ?? condition.at_least ?? 1,
    times: readTimes(condition),
  };
}

export function readRule(rule: Rule): RuleTree {
  return readTree(rule, readCondition);
}

function writeTimes(times: Times): Pick<ApiCondition, 'from' | 'to' | 'last'> {
  if (times.kind === 'last') return { last: times.last };
  if (times.kind === 'ever') return {};
  return { ...(times.from === '' ? {} : { from: times.from }), ...(times.to === '' ? {} : { to: times.to }) };
}

function writeCondition(node: ConditionNode): Rule {
  const filter = node.filters.map(writeFilter);
  return {
    ...(node.types.length === 0 ? {} : { types: [...node.types] }),
    ...(filter.length === 0 ? {} : { filter }),
    ...(node.isFewer ? { fewer_than: node.count } : node.count === 1 ? {} : { at_least: node.count }),
    ...writeTimes(node.times),
  };
}

export function writeRule(root: RuleTree): Rule {
  return writeTree(root, writeCondition);
}

export type RuleProblem = 'empty' | 'noValues' | 'badCount' | 'reversed' | 'tooMany';

/** What keeps the rule from being saved, first things first. */
export function ruleProblem(root: RuleTree): RuleProblem | undefined {
  const conditions = conditionsOf(root);
  if (conditions.length === 0) return 'empty';
  if (conditions.length > MOST_CONDITIONS) return 'tooMany';
  return conditions.map(problemOf).find((problem) => problem !== undefined);
}

function problemOf({ filters, count, times }: ConditionNode): RuleProblem | undefined {
  if (filters.some(({ values }) => values.trim() === '')) return 'noValues';
  if (!Number.isInteger(count) || count < 1) return 'badCount';
  return times.kind === 'between' && times.from !== '' && times.to !== '' && times.from >= times.to ? 'reversed' : undefined;
}

const KEY = /^[0-9a-fA-F]{16}$/;

/** Users' keys out of a text that somebody pasted: separated by anything, each once. */
export function readKeys(text: string): { readonly keys: readonly string[]; readonly bad: readonly string[] } {
  const parts = text.split(/[\s,;"']+/).filter((part) => part !== '');
  return { keys: [...new Set(parts.filter((part) => KEY.test(part)).map((part) => part.toLowerCase()))], bad: parts.filter((part) => !KEY.test(part)) };
}
