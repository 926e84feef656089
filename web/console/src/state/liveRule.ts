// The conditions of a live segment's rule as a person edits them; see ruleTree.ts and docs/campaigns.md.
import type { components } from '../api/schema';
import { conditionsOf, nextKey, readTree, writeTree, type Condition, type GroupNode } from './ruleTree';
import { joinValues, splitValues } from './targetingTree';

export type LiveRule = components['schemas']['LiveRule'];

/** What a profile keeps of a text: "category:law". */
export const TOPICS = ['category', 'word', 'course', 'page', 'campaign_seen', 'campaign_clicked', 'ad_seen', 'ad_clicked'] as const;
export const COUNTS = ['visits', 'impressions', 'clicks'] as const;
export const MOMENTS = ['first_seen', 'last_seen', 'last_impression', 'last_click'] as const;
export const LIVE_FIELDS = ['college', 'program', 'year', 'city', 'interest'] as const;

type Topic = (typeof TOPICS)[number];
type Count = (typeof COUNTS)[number];
type Moment = (typeof MOMENTS)[number];
type Field = (typeof LIVE_FIELDS)[number];
export type LiveWhat = Topic | Count | Moment | Field | 'attribute';

export interface LiveNode extends Condition {
  readonly what: LiveWhat;
  /** Of a topic, its text; of a field or an attribute, values separated by commas. */
  readonly text: string;
  readonly attribute: string;
  readonly isFewer: boolean;
  /** Undefined: a half of a topic, 1 of a count. */
  readonly amount: number | undefined;
  /** Of impressions and clicks; undefined: in all. */
  readonly days: number | undefined;
  readonly within: string;
}

export type LiveTree = GroupNode<LiveNode>;

const MOST_CONDITIONS = 100;
const WITHIN = /^[0-9]+[smhd]$/;

function isOf<T extends string>(all: readonly T[], what: string): what is T {
  return (all as readonly string[]).includes(what);
}

export function kindOf(what: LiveWhat): 'topic' | 'count' | 'moment' | 'values' {
  if (isOf(TOPICS, what)) return 'topic';
  if (isOf(COUNTS, what)) return 'count';
  return isOf(MOMENTS, what) ? 'moment' : 'values';
}

/** Whether it may be asked of the last days alone. */
export function hasDays(what: LiveWhat): boolean {
  return what === 'impressions' || what === 'clicks';
}

export function newLiveCondition(): LiveNode {
  return { kind: 'condition', key: nextKey(), isNot: false, what: 'category', text: '', attribute: '', isFewer: false, amount: undefined, days: undefined, within: '7d' };
}

function readCondition(rule: LiveRule): LiveNode {
  const node = newLiveCondition();
  if ('field' in rule) return { ...node, what: rule.field, text: joinValues(rule.in) };
  if ('attribute' in rule) return { ...node, what: 'attribute', attribute: rule.attribute, text: joinValues(rule.in) };
  if ('within' in rule) return { ...node, what: rule.profile, within: rule.within };
  if (!('profile' in rule)) return node;
  const colon = rule.profile.indexOf(':');
  const what = colon < 0 ? rule.profile : rule.profile.slice(0, colon);
  return {
    ...node,
    what: isOf(TOPICS, what) || isOf(COUNTS, what) ? what : node.what,
    text: colon < 0 ? '' : rule.profile.slice(colon + 1),
    isFewer: rule.fewer_than !== undefined,
    amount: rule.fewer_than ?? rule.at_least,
    days: rule.days,
  };
}

function writeCondition(node: LiveNode): LiveRule {
  const { what, text, attribute, isFewer, amount, days, within } = node;
  if (isOf(MOMENTS, what)) return { profile: what, within };
  if (isOf(LIVE_FIELDS, what)) return { field: what, in: splitValues(text) };
  if (what === 'attribute') return { attribute: attribute.trim(), in: splitValues(text) };
  return {
    profile: isOf(TOPICS, what) ? `${what}:${text.trim()}` : what,
    ...(isFewer ? { fewer_than: amount ?? 1 } : amount === undefined ? {} : { at_least: amount }),
    ...(days === undefined || !hasDays(what) ? {} : { days }),
  };
}

export function readLiveRule(rule: LiveRule): LiveTree {
  return readTree(rule, readCondition);
}

export function writeLiveRule(root: LiveTree): LiveRule {
  return writeTree<LiveRule, LiveNode>(root, writeCondition);
}

export type LiveProblem = 'empty' | 'noText' | 'noValues' | 'noAttribute' | 'badAmount' | 'badDays' | 'badWithin' | 'tooMany';

function problemOf({ what, text, attribute, amount, days, within }: LiveNode): LiveProblem | undefined {
  const kind = kindOf(what);
  if (kind === 'moment') return WITHIN.test(within) ? undefined : 'badWithin';
  if (kind === 'topic' && text.trim() === '') return 'noText';
  if (kind === 'values') {
    if (what === 'attribute' && attribute.trim() === '') return 'noAttribute';
    return splitValues(text).length === 0 ? 'noValues' : undefined;
  }
  if (amount !== undefined && !(Number.isFinite(amount) && amount > 0)) return 'badAmount';
  return days !== undefined && hasDays(what) && !(Number.isInteger(days) && days >= 1 && days <= 7) ? 'badDays' : undefined;
}

/** What keeps the rule from being saved, first things first. */
export function liveProblem(root: LiveTree): LiveProblem | undefined {
  const conditions = conditionsOf(root);
  if (conditions.length === 0) return 'empty';
  if (conditions.length > MOST_CONDITIONS) return 'tooMany';
  return conditions.map(problemOf).find((problem) => problem !== undefined);
}
