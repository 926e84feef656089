// The sentences of the paths view, which travel with it.
import { format } from './format';
import { messages as m, plural } from './messages';

export const pathsMessages = {
  title: 'Paths',
  intro: 'The ways that sessions take from place to place.',
  newest: 'Newest 7 days',
  by: 'A place is a',
  events: 'Seen by',
  start: 'From',
  anywhere: 'Where sessions begin',
  steps: 'Steps',
  places: 'Places told apart',
  answer: 'The answer',
  main: (places: readonly string[]) => places.join(' → '),
  mainTitle: 'The most trodden way',
  detail: (sessions: string, isStarted: boolean) =>
    isStarted ? `Of ${sessions} sessions that were there, from their first time there on: at each step, where most went next.` : `Of ${sessions} sessions: at each step, where most went next.`,
  sessions: 'Sessions',
  distinct: 'Places',
  ended: 'End after the first place',
  onward: 'Reach the last step',
  picture: 'Ways',
  pictureNote: 'Each column is a step; each band as wide as the sessions that went along it. What ends at a step has no band from there.',
  description: (sessions: string, steps: number, way: string) => `The ways of ${sessions} sessions over ${format.count(steps)} steps. The most trodden: ${way}. The table below holds all numbers.`,
  table: 'All ways',
  tableNote: (count: number) => plural(count, { one: '# way', other: '# ways' }),
  columns: { step: 'Step', from: 'From', to: 'To', sessions: 'Sessions', share: 'Of those there' },
  place: (place: string | undefined) => (place === undefined ? 'all others' : place === '' ? m.noValue : place),
  ends: 'the session ends',
  startAt: (place: string) => `Paths from ${place}`,
  link: (from: string, to: string) => `${from} → ${to}`,
  node: (place: string, step: number) => `${place}, step ${format.count(step)}`,
  exportName: 'Paths',
  emptyTitle: 'No session went anywhere here',
  emptyAdvice: 'No session has such an event in this time, or none was at the place to begin with. Choose other events, another place, or a wider range. To see a site live now, run:',
};
