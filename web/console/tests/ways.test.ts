import { describe, expect, it } from 'vitest';
import { mainWay, placesOf, waysOf, type Ways } from '../src/state/ways';

const ways: Ways = {
  by: 'page_id',
  sessions: 100,
  nodes: [
    { step: 1, place: 'home', sessions: 70, ended: 10 },
    { step: 1, place: undefined, sessions: 90, ended: 0 },
    { step: 2, place: 'course', sessions: 40, ended: 35 },
    { step: 2, place: undefined, sessions: 50, ended: 0 },
    { step: 3, place: 'home', sessions: 5, ended: 0 },
  ],
  links: [
    { from: 0, to: 3, sessions: 35 },
    { from: 0, to: 2, sessions: 25 },
    { from: 1, to: 2, sessions: 15 },
    { from: 2, to: 4, sessions: 5 },
    { from: 9, to: 2, sessions: 1 },
  ],
};

describe('ways', () => {
  it('are the links and the ends of sessions, by step, most first', () => {
    expect(waysOf(ways).map(({ step, from, to, sessions }) => [step, from.place, to === undefined ? 'end' : to.place, sessions])).toEqual([
      [1, 'home', undefined, 35], [1, 'home', 'course', 25], [1, undefined, 'course', 15], [1, 'home', 'end', 10], [2, 'course', 'end', 35], [2, 'course', 'home', 5],
    ]);
    expect(waysOf(ways)[1]?.share).toBeCloseTo(25 / 70, 10);
  });

  it('have one that is trodden most, of places that are told apart, until most end', () => {
    expect(mainWay(ways).map(({ place }) => place)).toEqual(['home', 'course']);
    expect(mainWay({ ...ways, nodes: [], links: [] })).toEqual([]);
  });

  it('begin at any place that is told apart, the most visited first', () => {
    expect(placesOf(ways)).toEqual(['home', 'course']);
  });
});
