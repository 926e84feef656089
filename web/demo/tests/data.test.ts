import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import definitions from '../campaigns.json';
import { COURSES, courseOf, searchCourses, wordsOf } from '../src/data/courses';
import { STUDENTS, isMinor } from '../src/data/students';

const ads = definitions.campaigns.flatMap((campaign) => campaign.ads);

describe('the catalogue', () => {
  it('has every id once', () => {
    expect(new Set(COURSES.map((course) => course.id)).size).toBe(COURSES.length);
  });

  it('finds courses by words of title, subject and summary, those with them in the title first', () => {
    expect(searchCourses('law').length).toBeGreaterThanOrEqual(4);
    expect(searchCourses('PYTHON')[0]?.id).toBe('course-3');
    expect(searchCourses('film scr')[0]?.id).toBe('course-27');
    expect(searchCourses('law', 'medicine')).toEqual([]);
    expect(searchCourses('')).toHaveLength(COURSES.length);
    expect(searchCourses('zzz')).toEqual([]);
  });

  it('cuts a query into words as the server does: lower case, letters and digits', () => {
    expect(wordsOf('Moot-court, 2027!')).toEqual(['moot', 'court', '2027']);
  });
});

describe('the students', () => {
  it('are called by letters alone, as the server asks', () => {
    for (const student of STUDENTS) expect(student.key).toMatch(/^[a-z]{1,32}$/);
  });

  it('have one among them who is under age', () => {
    expect(STUDENTS.filter(isMinor)).toHaveLength(1);
  });
});

describe('the campaigns', () => {
  it('lead to courses that there are', () => {
    for (const ad of ads) {
      const course = /^\/demo\/courses\/([\w-]+)\?from=/.exec(ad.creative.landing_url)?.[1] ?? '';
      expect(courseOf(course), ad.id).toBeDefined();
    }
  });

  it('have pictures that there are', () => {
    const pictures = ads.flatMap((ad) => ('image' in ad.creative.fields ? [ad.creative.fields.image] : []));
    expect(pictures.length).toBeGreaterThan(40);
    for (const picture of pictures) expect(existsSync(new URL(picture.replace('/demo/', '../public/'), import.meta.url)), picture).toBe(true);
  });

  it('have something for every slot, so that none stays empty', () => {
    const open = definitions.campaigns.filter((campaign) => campaign.tier === 'standard' && !('targeting' in campaign));
    for (const slot of definitions.slots) {
      const fitting = open.flatMap((campaign) => campaign.ads).filter((ad) => slot.kinds.includes(ad.creative.kind));
      expect(fitting.length, slot.id).toBeGreaterThan(3);
    }
  });
});
