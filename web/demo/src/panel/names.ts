// What profiles are asked in: the words of the catalogue, those that the visitor typed, and the ads that decisions have told of.
import { CATEGORIES, COURSES, wordsOf } from '../data/courses';
import type { Decision, Names } from '../marquee/demo';

/** The server takes a thousand of each kind. */
const MOST = 1000;

const typed = new Set<string>();
const campaigns = new Map<string, string>();
const ads = new Map<string, string>();
const catalogue = [...new Set(COURSES.flatMap((course) => wordsOf(`${course.title} ${course.words} ${course.category}`)))];

export function learnQuery(query: string): void {
  for (const word of wordsOf(query)) typed.add(word);
}

export function learnDecision(decision: Decision): void {
  for (const placement of decision.placements) {
    for (const one of [...placement.candidates, ...placement.excluded]) {
      campaigns.set(one.campaign_id, one.campaign ?? one.campaign_id);
      ads.set(one.ad_id, one.ad ?? one.ad_id);
    }
  }
}

export function campaignName(id: string): string {
  return campaigns.get(id) ?? id;
}

export function names(): Names {
  return {
    category: Object.keys(CATEGORIES),
    course: COURSES.map((course) => course.id),
    word: [...new Set([...typed, ...catalogue])].slice(0, MOST),
    page: ['home', 'courses', 'search', 'course', 'events', 'exams'],
    campaign: [...campaigns.keys()].slice(0, MOST),
    ad: [...ads.keys()].slice(0, MOST),
  };
}
