// The sentences of the campaigns that are managed, which travel with their views; among them targeting as a person would say it.
import type { DayPart, Targeting } from '../api/catalog';
import type { Pace, Standing } from '../state/campaignDraft';
import { treeText } from '../state/ruleTree';
import { readTargeting, splitValues, type TargetingField, type TargetingNode, type TargetingTree } from '../state/targetingTree';
import { format } from './format';
import { plural } from './messages';

const fields: Readonly<Record<TargetingField, string>> = {
  college: 'College', program: 'Program', year: 'Year of study', city: 'City', device: 'Device', page: 'Page', slot: 'Slot',
  course_category: 'Course category', search_term: 'Search has the word', segment: 'Segment', interest: 'Interest',
};

const days = { mon: 'Mon', tue: 'Tue', wed: 'Wed', thu: 'Thu', fri: 'Fri', sat: 'Sat', sun: 'Sun' };
export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** "Mon–Fri 08:00–18:00 (Asia/Kolkata)". */
export function dayPartText({ days: on, from = '00:00', to = '24:00', zone }: DayPart): string {
  const chosen = DAYS.filter((day) => on === undefined || on.includes(day));
  const first = chosen[0] ?? 'mon';
  const last = chosen.at(-1) ?? 'sun';
  const isRun = chosen.length > 2 && DAYS.indexOf(last) - DAYS.indexOf(first) === chosen.length - 1;
  const which = chosen.length === 7 ? 'every day' : isRun ? `${days[first]}–${days[last]}` : chosen.map((day) => days[day]).join(', ');
  const times = from === '00:00' && to === '24:00' ? '' : ` ${from}–${to}`;
  return `${which}${times}${zone === undefined || zone === '' ? '' : ` (${zone})`}`;
}

function conditionText(node: TargetingNode, nameOf: (field: TargetingField, value: string) => string): string {
  if (node.what === 'within') return `on ${dayPartText(node.within)}`;
  const name = node.what === 'field' ? fields[node.field].toLocaleLowerCase(format.locale) : node.attribute || '…';
  const values = splitValues(node.values).map((value) => (node.what === 'field' ? nameOf(node.field, value) : value));
  return `${name} is ${values.length === 0 ? '…' : values.join(' or ')}`;
}

type NameOf = (field: TargetingField, value: string) => string;
const asItIs: NameOf = (_field, value) => value;

export function treeInWords(tree: TargetingTree, nameOf: NameOf = asItIs): string {
  return tree.nodes.length === 0 ? manageMessages.everyone : treeText(tree, (node) => conditionText(node, nameOf));
}

export function targetingText(targeting: Targeting | undefined, nameOf: NameOf = asItIs): string {
  return treeInWords(readTargeting(targeting), nameOf);
}

const MICROS = 1_000_000;

/** In units of the currency, which Marquee does not know. */
export function money(micros: number): string {
  return format.decimal(micros / MICROS, 2);
}

const members: Readonly<Record<string, string>> = {
  name: 'name', status: 'status', tier: 'tier', advertiser: 'advertiser', category: 'category', excludes: 'exclusions', zone: 'time zone', from: 'begin',
  to: 'end', schedule: 'schedule', targeting: 'targeting', caps: 'caps', budget: 'budget', pacing: 'pacing', price: 'price', bid_micros: 'bid',
  share_of_voice: 'share of voice', is_roadblock: 'roadblock', companions: 'companions', ads: 'ads',
};

export const manageMessages = {
  title: 'Manage campaigns',
  intro: 'What is shown, to whom, when and for how much. Every change can be taken back.',
  new: 'New campaign',
  delivery: 'Delivery report',
  manage: 'Manage campaigns',
  table: 'Campaigns',
  tableNote: (running: number, all: number) => `${plural(all, { one: '# campaign', other: '# campaigns' })}, ${format.count(running)} running now`,
  columns: { name: 'Name', status: 'Status and tier', today: "Today's budget", spend: 'Spend', actions: 'Actions' },
  standings: { draft: 'Draft', active: 'Active', paused: 'Paused', ended: 'Ended', scheduled: 'Scheduled', over: 'Over' } satisfies Record<Standing, string>,
  tiers: { sponsorship: 'Sponsorship', guaranteed: 'Guaranteed', standard: 'Standard', house: 'House' },
  units: { impressions: 'impressions', clicks: 'clicks', spend_micros: 'spend' },
  pace: ({ unit, used, limit, dayShare }: Pace) =>
    `${unit === 'spend_micros' ? `${money(used)} of ${money(limit)} spent` : `${format.count(used)} of ${format.count(limit)} ${unit}`}; ${format.percent(dayShare)} of the day is over`,
  noBudget: 'no limit',
  ads: (count: number) => plural(count, { one: '# ad', other: '# ads' }),
  pause: (name: string) => `Pause ${name}`,
  activate: (name: string) => `Activate ${name}`,
  duplicate: (name: string) => `Duplicate ${name}`,
  edit: (name: string) => `Edit ${name}`,
  remove: (name: string) => `Remove ${name}`,
  copyName: (name: string) => `Copy of ${name}`,
  paused: (name: string) => `${name} is paused`,
  activated: (name: string) => `${name} is active`,
  removed: (name: string) => `${name} is removed`,
  saved: (name: string) => `${name} is saved`,
  restored: (name: string) => `${name} is as it was`,
  notChanged: (name: string) => `${name} could not be changed`,
  notUndone: 'It could not be undone',
  conflict: (name: string) => `Somebody else changed ${name} a moment ago. Nothing was overwritten, and you see it as it is now: try again if you still want to`,
  emptyTitle: 'No campaign yet',
  emptyAdvice:
    'A campaign is what somebody wants shown: its ads, to whom, when, how often and for how much. Make the first one here, or keep definitions as files and send them with marquee campaigns put.',
  emptyCommand: 'marquee campaigns put --site campus law.json',
  // The editor
  editorNew: 'A new campaign',
  tabs: { basics: 'Basics', when: 'When', who: 'For whom', budget: 'Budget and price', ads: 'Ads', history: 'History' },
  name: 'Name',
  id: 'Id, as events and reports have it',
  idHint: 'It stays.',
  status: 'Status',
  tier: 'Tier',
  advertiser: 'Advertiser',
  category: 'Category',
  excludes: 'Not on a page with these categories or advertisers, separated by commas',
  zone: 'Time zone',
  zoneUnknown: 'No such time zone; as Asia/Kolkata',
  from: 'From',
  to: 'Until, excluded',
  always: 'Empty: always.',
  schedule: 'Parts of days',
  scheduleNone: 'At any time of any day.',
  addPart: 'Add part of a day',
  part: (index: number) => `Part ${format.count(index)}`,
  removePart: (index: number) => `Remove part ${format.count(index)}`,
  onDays: 'Days',
  days,
  dayFrom: 'From',
  dayTo: 'Until',
  targeting: 'Who sees it',
  everyone: 'everyone',
  inWords: 'In words',
  shownTo: (who: string) => (who === 'everyone' ? 'Everyone.' : `Where ${who}.`),
  join: 'Requests that fit',
  what: 'What',
  whats: { attribute: 'Attribute of the page', within: 'Time of the week' },
  fields,
  attribute: 'Attribute',
  values: 'Is one of, separated by commas',
  addSegment: 'Add a segment',
  daily: 'Each day at most',
  total: 'In all at most',
  impressions: 'Impressions',
  clicks: 'Clicks',
  spend: 'Spend',
  noLimit: 'no limit',
  pacing: 'Through the day',
  pacings: { even: 'Evenly', front_loaded: 'Early', none: 'As it comes' },
  price: 'Paid for',
  prices: { cpm: '1,000 impressions', cpc: 'A click' },
  bid: 'Bid',
  share: 'Share of voice, %',
  caps: 'To one user at most',
  capsNone: 'As often as it comes.',
  addCap: 'Add cap',
  capScopes: { campaign: 'of the campaign', ad: 'of each ad', advertiser: 'of the advertiser' },
  capCount: 'Impressions',
  capScope: 'Counted',
  capWindow: 'Within (as 24h, 7d)',
  removeCap: (index: number) => `Remove cap ${format.count(index)}`,
  roadblock: 'All slots of a page, or none',
  addAd: 'Add ad',
  noAds: 'No ad yet: nothing is shown until there is one.',
  ad: (index: number) => `Ad ${format.count(index)}`,
  removeAd: (name: string) => `Remove ${name}`,
  adId: 'Id',
  adName: 'Name',
  kind: 'Kind',
  kinds: { image: 'Image', text: 'Text', card: 'Card', html: 'HTML' },
  width: 'Width',
  height: 'Height',
  weight: 'Weight',
  adPaused: 'Paused',
  landing: 'Goes to',
  fieldNames: { image: 'Address of the image', alt: 'What the image says', title: 'Title', body: 'Text', html: 'HTML' },
  preview: (name: string) => `Preview of ${name}`,
  previewNote: 'about as a page may draw it',
  noImage: 'Image',
  history: 'History',
  historyNote: 'The last fifty states, newest first.',
  by: (who: string) => `by ${who}`,
  now: 'as it is now',
  first: 'made',
  removal: 'removed',
  changedMembers: (names: readonly string[]) => (names.length === 0 ? 'nothing different' : `changed ${format.list(names.map((name) => members[name] ?? name))}`),
  restore: 'Make it this again',
  restoreOf: (when: string) => `Make it this again: ${when}`,
  conflictTitle: (who: string, when: string) => `${who} changed this campaign ${when}, while you had it open`,
  conflictDetail: (theirs: readonly string[]) => `Nothing was overwritten. They ${manageMessages.changedMembers(theirs)}.`,
  takeTheirs: 'Show theirs, drop mine',
  keepMine: 'Keep mine, over theirs',
  problems: { name: 'Give it a name.', id: 'Give it an id.', targeting: 'A condition of “For whom” has no values yet.', zone: 'The time zone is not known.' },
  unsaved: 'Not saved yet',
};
