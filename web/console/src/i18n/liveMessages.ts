// The sentences of live segments, which travel with the segments view; among them their rule as a person would say it.
import { hasDays, kindOf, type LiveNode, type LiveProblem, type LiveTree, type LiveWhat } from '../state/liveRule';
import { treeText } from '../state/ruleTree';
import { splitValues } from '../state/targetingTree';
import { format } from './format';

const whats: Readonly<Record<LiveWhat, string>> = {
  category: 'Interest in a category', word: 'Interest in a word', course: 'Interest in a course', page: 'Interest in a page',
  campaign_seen: 'Saw the campaign', campaign_clicked: 'Clicked on the campaign', ad_seen: 'Saw the ad', ad_clicked: 'Clicked on the ad',
  visits: 'Visits', impressions: 'Impressions', clicks: 'Clicks',
  first_seen: 'First seen', last_seen: 'Last seen', last_impression: 'Last impression', last_click: 'Last click',
  college: 'College', program: 'Program', year: 'Year of study', city: 'City', interest: 'Interest', attribute: 'An attribute',
};

const singles: Readonly<Partial<Record<LiveWhat, string>>> = { visits: 'visit', impressions: 'impression', clicks: 'click' };

const spans: Readonly<Record<string, string>> = { '1h': 'hour', '24h': '24 hours', '7d': '7 days', '30d': '30 days' };

function lower(text: string): string {
  return text.charAt(0).toLocaleLowerCase(format.locale) + text.slice(1);
}

function amountText({ isFewer, amount }: LiveNode, byDefault: number): string {
  const value = amount ?? (isFewer ? 1 : byDefault);
  return `${isFewer ? 'fewer than' : 'at least'} ${Number.isInteger(value) ? format.count(value) : format.decimal(value, 1)}`;
}

function conditionText(node: LiveNode): string {
  const { what, text, attribute, days, within } = node;
  const name = lower(whats[what]);
  const kind = kindOf(what);
  if (kind === 'topic') return `${name} ${text.trim() || '…'}, ${amountText(node, 0.5)}`;
  if (kind === 'count') return `${amountText(node, 1)} ${(node.amount ?? 1) === 1 ? (singles[what] ?? name) : name}${days === undefined || !hasDays(what) ? '' : ` in the last ${days === 1 ? 'day' : `${format.count(days)} days`}`}`;
  if (kind === 'moment') return `${name} in the last ${spans[within] ?? within}`;
  const values = splitValues(text);
  return `${what === 'attribute' ? attribute.trim() || '…' : name} is ${values.length === 0 ? '…' : values.join(' or ')}`;
}

/** "Who has: interest in a category law, at least 2, and last seen in the last 7 days". */
export function liveText(root: LiveTree): string {
  return treeText(root, conditionText);
}

export const liveMessages = {
  new: 'Live, by the profile',
  editorNew: 'A new live segment',
  explain:
    'Holds or not at the moment of a decision, by what is known of the user then: campaigns can be targeted at it within a second, reports have no users of it. Interests fade with time; at least a half is some, three is much.',
  rule: 'Who it holds for',
  join: 'It holds for who has',
  reads: 'It holds for who has',
  what: 'What',
  whats,
  text: 'Which',
  textHint: 'as events have it',
  attribute: 'Its name',
  values: 'Is one of',
  amounts: { least: 'at least', fewer: 'fewer than' },
  had: 'How much',
  amount: 'Amount',
  days: 'Over',
  dayChoices: (days: number | undefined) => (days === undefined ? 'all time' : days === 1 ? 'the last day' : `the last ${format.count(days)} days`),
  within: 'In the last',
  span: (text: string) => spans[text] ?? text,
  saved: (title: string) => `${title} is saved, and in force`,
  problems: {
    empty: 'Add at least one condition.',
    noText: 'An interest says of what.',
    noValues: 'A condition has no values yet.',
    noAttribute: 'An attribute has no name yet.',
    badAmount: 'An amount must be more than 0.',
    badDays: 'Days must be 1 to 7.',
    badWithin: 'A time must be as 30m, 24h or 7d.',
    tooMany: 'A live rule may have a hundred conditions at most.',
  } satisfies Record<LiveProblem, string>,
};
