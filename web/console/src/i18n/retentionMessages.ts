// The sentences of the retention view, which travel with it.
import { format } from './format';
import { messages as m, plural } from './messages';
import type { RetentionInterval } from '../state/retention';

const one: Readonly<Record<RetentionInterval, string>> = { day: 'day', week: 'week' };

function typesText(types: readonly string[]): string {
  return types.length === 0 ? '' : types.map((type) => m.eventType(type).toLocaleLowerCase(format.locale)).join(' or ');
}

export const retentionMessages = {
  title: 'Retention',
  intro: 'Who of those that began on one day, or in one week, came back in the ones after.',
  newest: (count: number, interval: RetentionInterval) => (interval === 'day' ? `Newest ${format.count(count)} days` : `Newest ${format.count(count)} weeks`),
  interval: 'Cohorts by',
  intervals: { day: 'Day', week: 'Week' },
  start: 'They began with',
  back: 'They came back with',
  show: 'Show',
  shows: { share: 'Shares', users: 'Users' },
  answer: 'The answer',
  cameBack: (share: string, interval: RetentionInterval) => `${share} came back the next ${one[interval]}`,
  tooEarly: 'Too early to tell who comes back',
  tooEarlyDetail: (interval: RetentionInterval) => `No ${one[interval]} after that of a cohort is over yet.`,
  detail: (cohorts: number, users: string, interval: RetentionInterval, start: readonly string[], back: readonly string[]) =>
    `${users} users in ${plural(cohorts, { one: '# cohort', other: '# cohorts' })}, each by the ${one[interval]} of ${start.length === 0 ? 'its first event' : `its first ${typesText(start)}`} in this time. ${back.length === 0 ? 'Any event' : `A ${typesText(back)}`} counts as coming back.`,
  users: 'Users',
  usersNote: (cohorts: number) => plural(cohorts, { one: 'in # cohort', other: 'in # cohorts' }),
  at: (k: number, interval: RetentionInterval) => (interval === 'day' ? `Day ${format.count(k)}` : `Week ${format.count(k)}`),
  atNote: (back: string, users: string) => `${back} of ${users}`,
  curve: 'All cohorts together',
  curveNote: 'Of each cohort only what is over.',
  description: (share: string, last: string, k: string) => `Share of users that came back, by time since they began: ${share} at first, ${last} at ${k}. The table below holds all numbers.`,
  table: 'Cohorts',
  tableNote: (isCut: boolean, most: number) => `Cells in italics are of a time that is not over.${isCut ? ` The newest ${format.count(most)} cohorts of this time.` : ''}`,
  cohort: 'Began',
  weekOf: (day: string) => `Week of ${day}`,
  all: 'All',
  cell: (back: string, users: string, at: string, isOpen: boolean) => `${at}: ${back} of ${users}${isOpen ? ', until now' : ''}`,
  exportName: 'Retention',
  emptyTitle: 'Nobody began in this time',
  emptyAdvice: 'A cohort is who did something for the first time in this range. Choose other events to begin with, or a wider range. To see a site live now, run:',
};
