// The words of sites, keys, retention and erasures in the settings, which travel with them.
import { format } from './format';
import { plural } from './messages';

const events = (count: number) => plural(count, { one: '# event', other: '# events' });

export const siteSettingsMessages = {
  sites: 'Sites',
  sitesNote: (count: number) => plural(count, { one: '# site sends events', other: '# sites send events' }),
  sitesTable: 'Sites and what they may send',
  siteColumns: { name: 'Site', id: 'Id', origins: 'Browsers send from', consent: 'Without consent', events: 'Events', actions: 'Actions' },
  anyOrigin: 'anywhere',
  consent: { true: 'kept without who it was', false: 'kept as sent' },
  change: 'Change',
  addSite: 'Add a site',
  editSite: (name: string) => `Change ${name}`,
  siteId: 'Id',
  siteIdHint: 'Lower-case letters, digits and -. It stays.',
  siteName: 'Name',
  origins: 'Browsers may send from',
  originsHint: 'Origins, separated by commas, as https://campus.example. * is anywhere.',
  consentRequired: 'Events that do not say "full" consent are kept without who it was',
  siteAdded: (name: string) => `${name} may send now: make it a key.`,
  siteChanged: (name: string) => `${name} is changed.`,
  keys: (site: string) => `Write keys of ${site}`,
  keysNote: 'Who has one may send events and ask for ads. Marquee keeps no key, so each is told once, when it is made.',
  keysTable: (site: string) => `Write keys of ${site}`,
  keyColumns: { label: 'For', id: 'Id', made: 'Made', by: 'By', actions: 'Actions' },
  ownKey: 'Marquee’s own, for imports',
  noLabel: 'not said',
  unknown: 'not known',
  keyLabel: 'What it is for',
  keyLabelHint: 'The portal, the app, an importer.',
  makeKey: 'Make a key',
  keyMade: (label: string) => (label === '' ? 'The new key' : `The key for ${label}`),
  keyMadeText: 'Copy it now: it is not shown again.',
  keyDone: 'I have it',
  endKey: (label: string) => `End the key ${label}`,
  keyEnded: (label: string) => `The key ${label} opens nothing any more.`,
  keyNotEnded: (label: string) => `The key ${label} was not ended`,
  retention: 'How long what is kept',
  retentionNote: 'Set in the configuration (retention), and taken on when Marquee starts. Sums that name nobody stay.',
  byHand: 'The tables of a cluster are given their terms there.',
  retentionOf: { events: 'Events', decisions: 'Decisions', deadLetters: 'Dead letters' },
  kind: (type: string) => `Events: ${type}`,
  days: (days: number) => (days === 0 ? 'for ever' : plural(days, { one: '# day', other: '# days' })),
  person: 'A person’s own data',
  personNote: 'Look up what is known of somebody by the id that the site gives them, hand it over, or erase it.',
  user: 'Id of the person',
  userHint: (site: string) => `As ${site} names them. It is not kept, here or in Marquee.`,
  lookUp: 'Look up',
  known: ({ events: seen, decisions, segments, notLoaded, hasProfile }: { events: number; decisions: number; segments: number; notLoaded: number; hasProfile: boolean }) => {
    const parts = [
      seen > 0 ? events(seen) : '',
      decisions > 0 ? plural(decisions, { one: '# decision', other: '# decisions' }) : '',
      segments > 0 ? plural(segments, { one: '# segment', other: '# segments' }) : '',
      notLoaded > 0 ? plural(notLoaded, { one: '# dead letter', other: '# dead letters' }) : '',
      hasProfile ? 'a profile' : '',
    ].filter((part) => part !== '');
    return parts.length === 0 ? 'Nothing is known of this person.' : `Known: ${format.list(parts)}.`;
  },
  download: 'Download all of it',
  erase: 'Erase for good',
  eraseHint: 'It cannot be taken back. What comes later is of someone new.',
  eraseAsked: 'Being erased.',
  erasures: 'Erasures',
  erasuresNote: 'A receipt names nobody.',
  erasuresTable: 'Erasures and their receipts',
  noErasures: 'Nobody was erased yet.',
  erasureColumns: { asked: 'Asked for', site: 'Site', state: 'State', receipt: 'What went' },
  states: { waiting: 'Waiting', running: 'Under way', done: 'Done' },
  steps: {
    forgetting: 'profile and caps', log: 'the logs', landing: 'what is on its way', counting: 'counting', rows: 'tables', dead_letters: 'dead letters',
    rollups: 'sums are counted again', old_parts: 'waiting until old files are gone', looking_again: 'looking again', marks: 'the last marks',
  } as Readonly<Record<string, string>>,
  progress: (done: number, total: number) => `${format.count(done)} of ${format.count(total)} parts`,
  receipt: (receipt: Readonly<Record<string, number>>) => {
    const names: Readonly<Record<string, (count: number) => string>> = {
      events,
      decisions: (count) => plural(count, { one: '# decision', other: '# decisions' }),
      segment_users: (count) => plural(count, { one: '# segment', other: '# segments' }),
      dead_letters: (count) => plural(count, { one: '# dead letter', other: '# dead letters' }),
      profiles: () => 'a profile',
      log_records: (count) => plural(count, { one: '# record of the logs', other: '# records of the logs' }),
      days_rebuilt: (count) => plural(count, { one: '# day counted again', other: '# days counted again' }),
    };
    const parts = Object.entries(names).flatMap(([name, say]) => ((receipt[name] ?? 0) > 0 ? [say(receipt[name] ?? 0)] : []));
    return parts.length === 0 ? 'nothing' : format.list(parts);
  },
};
