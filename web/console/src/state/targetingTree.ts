// The conditions of a campaign's targeting as a person edits them; see ruleTree.ts and docs/campaigns.md.
import type { DayPart, Targeting } from '../api/catalog';
import type { components } from '../api/schema';
import { conditionsOf, newGroup, nextKey, readTree, writeTree, type Condition, type GroupNode } from './ruleTree';

type Rule = components['schemas']['TargetingCondition'];
type FieldRule = Extract<Rule, { field: unknown }>;
export type TargetingField = FieldRule['field'];

export const FIELDS: readonly TargetingField[] = [
  'college', 'program', 'year', 'city', 'device', 'page', 'slot', 'course_category', 'search_term', 'segment', 'interest',
];

export interface TargetingNode extends Condition {
  readonly what: 'field' | 'attribute' | 'within';
  readonly field: TargetingField;
  readonly attribute: string;
  /** Separated by commas; a backslash before a comma makes it part of a value. */
  readonly values: string;
  readonly within: DayPart;
}

export type TargetingTree = GroupNode<TargetingNode>;

export function newTargetingCondition(): TargetingNode {
  return { kind: 'condition', key: nextKey(), isNot: false, what: 'field', field: 'college', attribute: '', values: '', within: {} };
}

export function splitValues(text: string): string[] {
  return text.split(/(?<!\\),/).map((value) => value.replaceAll('\\,', ',').trim()).filter((value) => value !== '');
}

export function joinValues(values: readonly string[]): string {
  return values.map((value) => value.replaceAll(',', '\\,')).join(', ');
}

function readCondition(rule: Rule): TargetingNode {
  const node = newTargetingCondition();
  if ('within' in rule) return { ...node, what: 'within', within: rule.within };
  if ('field' in rule) return { ...node, field: rule.field, values: joinValues(rule.in) };
  if ('attribute' in rule) return { ...node, what: 'attribute', attribute: rule.attribute, values: joinValues(rule.in) };
  return node;
}

function writeCondition({ what, field, attribute, values, within }: TargetingNode): Rule {
  // A part of a day may leave out what the generated type has for needed, as it has a default.
  if (what === 'within') return { within: within as components['schemas']['DayPart'] };
  return what === 'field' ? { field, in: splitValues(values) } : { attribute, in: splitValues(values) };
}

export function readTargeting(targeting: Targeting | undefined): TargetingTree {
  if (targeting === undefined || Object.keys(targeting).length === 0) return newGroup('all', []);
  return readTree(targeting as Rule, readCondition);
}

/** Undefined: everyone. */
export function writeTargeting(tree: TargetingTree): Targeting | undefined {
  return conditionsOf(tree).length === 0 ? undefined : writeTree<Rule, TargetingNode>(tree, writeCondition);
}

/** A condition that says nothing yet. */
export function hasEmptyCondition(tree: TargetingTree): boolean {
  return conditionsOf(tree).some(({ what, attribute, values }) => what !== 'within' && (splitValues(values).length === 0 || (what === 'attribute' && attribute.trim() === '')));
}
