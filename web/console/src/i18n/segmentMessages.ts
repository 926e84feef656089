// The sentences of the segments view, which travel with it; among them a rule as a person would say it.
import { treeText } from '../state/ruleTree';
import type { Filter } from '../state/filters';
import type { ConditionNode, RuleProblem, RuleTree, Times } from '../state/segmentRule';
import { format } from './format';
import { messages as m, plural } from './messages';

const spans: Readonly<Record<string, string>> = {
  '24h': 'the last 24 hours', '7d': 'the last 7 days', '30d': 'the last 30 days', '90d': 'the last 90 days',
};

function spanText(last: string): string {
  return spans[last] ?? `the last ${last}`;
}

function timesText(times: Times): string {
  if (times.kind === 'ever') return '';
  if (times.kind === 'last') return ` in ${spanText(times.last)}`;
  if (times.from === '') return times.to === '' ? '' : ` before ${times.to}`;
  return times.to === '' ? ` since ${times.from}` : ` from ${times.from} until ${times.to}`;
}

function filterText({ dimension, isNot, values }: Filter): string {
  const parts = values.split(/(?<!\\),/).map((value) => value.replaceAll('\\,', ',').trim() || m.noValue);
  const list = parts.length === 1 ? (parts[0] ?? '') : `${isNot ? 'any of ' : 'one of '}${parts.join(', ')}`;
  return `${m.dimension(dimension).toLocaleLowerCase(format.locale)} is ${isNot ? 'not ' : ''}${list}`;
}

function conditionText({ types, filters, isFewer, count, times }: ConditionNode): string {
  const of = types.length === 0 ? 'event' : types.map((type) => m.eventType(type).toLocaleLowerCase(format.locale)).join(' or ');
  const where = filters.length === 0 ? '' : ` where ${filters.map(filterText).join(' and ')}`;
  const amount = isFewer ? `fewer than ${format.count(count)} × ` : count === 1 ? 'at least one ' : `at least ${format.count(count)} × `;
  return `${amount}${of}${where}${timesText(times)}`;
}

/** "Users with at least 3 × click where college is c1, and not at least one conversion in the last 7 days". */
export function ruleText(root: RuleTree): string {
  return `Users with ${treeText(root, conditionText)}`;
}

export const segmentMessages = {
  title: 'Segments',
  intro: 'Sets of users, to filter reports by and to target campaigns at.',
  new: 'New segment',
  newList: 'From a list',
  newRule: 'By a rule',
  kinds: { rule: 'Rule', drop_off: 'Drop-off', list: 'List', live: 'Live rule' },
  atEachDecision: 'At each decision',
  table: 'All segments',
  tableNote: (count: number) => plural(count, { one: '# segment', other: '# segments' }),
  columns: { title: 'Title', kind: 'Kind', size: 'Users', active: 'Active in this time', found: 'Found', actions: 'Actions' },
  refresh: (title: string) => `Find the users of ${title} again`,
  edit: (title: string) => `Edit ${title}`,
  remove: (title: string) => `Remove ${title}`,
  seeCtr: (title: string) => `CTR of ${title}`,
  seeCtrShort: 'CTR',
  refreshed: (title: string, count: number) => `${title}: ${plural(count, { one: '# user', other: '# users' })} found`,
  removed: (title: string) => `${title} is removed`,
  notRemoved: (title: string) => `${title} could not be removed`,
  notRefreshed: (title: string) => `The users of ${title} could not be found`,
  saved: (title: string, count: number) => `${title} is saved: ${plural(count, { one: '# user', other: '# users' })}`,
  notUndone: 'It could not be undone',
  overlaps: 'Overlaps',
  overlapsNote: (shown: number, all: number) =>
    shown < all
      ? `How many of the users of the row are in the column, too, in this time. The ${format.count(shown)} largest of ${format.count(all)}.`
      : 'How many of the users of the row are in the column, too, in this time.',
  overlapCell: (a: string, b: string, share: string, users: number) => `${share} of ${a} are in ${b}: ${plural(users, { one: '# user', other: '# users' })}`,
  overlapsTwo: 'With a second segment, this shows how many users they share.',
  emptyTitle: 'No segment yet',
  emptyAdvice:
    'A segment is a set of users by what they did: those who clicked three times this week, or who saw a course and left. Make one by a rule or from a list of keys, or keep those who leave a funnel at a step.',
  emptyFunnel: 'Open the funnel',
  // The editor
  editorNew: { rule: 'A new segment, by a rule', list: 'A new segment, from a list' },
  editorOf: (title: string) => `Edit ${title}`,
  titleLabel: 'Title',
  titleHint: 'as reports and campaigns call it',
  rule: 'Who is in it',
  ruleReads: 'In words',
  join: 'Users who fit',
  had: 'Had',
  amounts: { least: 'at least', fewer: 'fewer than' },
  count: 'How often',
  types: 'Of these events',
  times: 'When',
  span: (last: string) => spanText(last),
  timesKinds: { ever: 'ever', between: 'between days' },
  from: 'From',
  to: 'Until, excluded',
  problems: {
    empty: 'Add at least one condition.',
    noValues: 'A filter has no values yet.',
    badCount: 'A count must be a whole number, 1 at least.',
    reversed: 'A time ends before it begins.',
    tooMany: 'A rule may have fifty conditions at most.',
  } satisfies Record<RuleProblem, string>,
  noTitle: 'Give it a title.',
  noKeys: 'Paste at least one key.',
  keys: "Users' keys",
  keysHint: 'As reports tell them: sixteen digits and letters a to f, separated by spaces, commas or lines.',
  keysRead: (count: number) => plural(count, { one: '# key', other: '# keys' }),
  keysBad: (bad: readonly string[]) =>
    `${plural(bad.length, { one: '# is no key', other: '# are no keys' })}: ${bad.slice(0, 3).join(', ')}${bad.length > 3 ? ' …' : ''}`,
  dropOff: 'Who left a funnel',
  dropOffText: (steps: readonly string[], after: string) => `Users who reached “${after}” in the funnel ${steps.join(' → ')}, and went no further. Its steps are the funnel's; here it can be renamed.`,
  finding: 'Finding its users',
};
