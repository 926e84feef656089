// marquee.js in this page: who the visitor is, which page it is, and what the page hears of it.
import marquee from '../../../sdk/src/index';
import type { Fields, PageFields, SlotStep } from '../../../sdk/src/index';
import { courseOf } from '../data/courses';
import type { Student } from '../data/students';
import { beginVisit } from './demo';
import type { Visit } from './demo';
import { keepVisit, keptVisit } from './kept';

export type { SlotStep };

/** An event that the page has sent, as people read it. */
export interface Sent {
  at: number;
  type: string;
  about: string;
}

const listeners = new Set<(sent: Sent) => void>();

export function onSent(listener: (sent: Sent) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function aboutOf(event: Fields): string {
  const { search_query, course_id, slot_id, page_id, scroll_depth } = event;
  const course = typeof course_id === 'string' ? courseOf(course_id)?.title : undefined;
  const depth = typeof scroll_depth === 'number' ? `${textOf(page_id)}, ${Math.round(scroll_depth / 100)}%` : undefined;
  return textOf(search_query) || (course ?? textOf(slot_id)) || (depth ?? textOf(page_id));
}

function hear(event: Fields): undefined {
  const type = textOf(event.type);
  // Profiles take the category of a course from the event; the site's own pages know it.
  if (type.startsWith('course_') && typeof event.course_id === 'string') event.category = courseOf(event.course_id)?.category;
  const sent = { at: Date.now(), type, about: aboutOf(event) };
  for (const listener of listeners) listener(sent);
}

/** Do Not Track, or Global Privacy Control: marquee.js then sends nothing of the user, whatever was agreed to. */
export function isSignalled(): boolean {
  return navigator.doNotTrack === '1' || (navigator as Navigator & { globalPrivacyControl?: boolean }).globalPrivacyControl === true;
}

/** Under which a student of this visit is known; undefined for who is nobody. */
export function userIdOf(visit: Visit, who: Student | undefined): string | undefined {
  return who === undefined ? undefined : `${visit.visit}.${who.key}`;
}

function be(visit: Visit, who: Student | undefined): void {
  if (who === undefined) {
    marquee.identify(null);
    marquee.consent('contextual');
    return;
  }
  marquee.identify(userIdOf(visit, who) ?? null, { age: who.age, college_id: who.college, program: who.program, year_of_study: who.year, city: who.city });
  marquee.consent('full');
}

/** What a slot shows where no ad comes. */
function house(): Node {
  const box = document.createElement('p');
  box.className = 'house';
  box.textContent = 'Enrolment for the spring term is open until 31 December.';
  return box;
}

/** Goes on with the visit that the browser has kept, with a key that is good now. */
export async function begin(who: Student | undefined): Promise<Visit> {
  const fresh = await beginVisit();
  const visit = { ...fresh, visit: keptVisit() ?? fresh.visit };
  keepVisit(visit.visit);
  marquee.init({ site: visit.site, key: visit.key, url: location.origin, consent: 'contextual', page: false, spa: false, house });
  marquee.use(({ each }) => {
    each(hear);
  });
  be(visit, who);
  return visit;
}

export function become(visit: Visit, who: Student | undefined): void {
  be(visit, who);
}

/** As somebody of whom nothing is known yet: ids of another visit. */
export async function beginAfresh(who: Student | undefined): Promise<Visit> {
  const visit = await beginVisit();
  keepVisit(visit.visit);
  be(visit, who);
  return visit;
}

export function openPage(fields: PageFields): void {
  marquee.page(fields);
}

export function convert(fields: Fields): void {
  marquee.conversion(fields);
}
