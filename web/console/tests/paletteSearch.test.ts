import { describe, expect, it } from 'vitest';
import { find } from '../src/state/paletteSearch';
import { savedListSearch } from '../src/state/search';

const items = [
  { name: 'CTR', group: 'Pages' },
  { name: 'Campaigns', group: 'Pages' },
  { name: 'Manage campaigns', group: 'Pages' },
  { name: 'Campus', group: 'Sites' },
  { name: 'École: CTR by day', group: 'Saved reports' },
];
const names = (typed: string) => find(items, typed).map(({ name }) => name);

describe('the palette', () => {
  it('shows everything in its order while nothing is typed', () => {
    expect(names('  ')).toEqual(items.map(({ name }) => name));
  });

  it('puts what begins with it before what has it further back', () => {
    expect(names('camp')).toEqual(['Campaigns', 'Campus', 'Manage campaigns']);
    expect(names('ctr')).toEqual(['CTR', 'École: CTR by day']);
  });

  it('takes words in any order, without accents, and those of a group', () => {
    expect(names('day ecole')).toEqual(['École: CTR by day']);
    expect(names('sites cam')).toEqual(['Campus']);
    expect(names('ampai')).toEqual(['Campaigns', 'Manage campaigns']);
    expect(names('nowhere')).toEqual([]);
  });
});

describe('the address of saved reports', () => {
  it('keeps site and order', () => {
    expect(savedListSearch({ site: 'campus', sort: 'changed', dir: 'desc', x: '1' })).toEqual({ site: 'campus', sort: 'changed', dir: 'desc' });
  });
});
