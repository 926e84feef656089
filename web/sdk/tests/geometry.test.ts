import { describe, expect, it } from 'vitest';
import { permyriad, queryOf } from '../src/geometry';

describe('positions', () => {
  it('are 1/10,000 of the whole, never beyond it', () => {
    expect(permyriad(150, 300)).toBe(5000);
    expect(permyriad(-1, 300)).toBe(0);
    expect(permyriad(301, 300)).toBe(10_000);
    expect(permyriad(1, 3)).toBe(3333);
    expect(permyriad(5, 0)).toBe(0);
  });

  it('are a query for the addresses of an ad', () => {
    expect(queryOf({ page_x: 1, page_y: 10_000 })).toBe('?page_x=1&page_y=10000');
  });
});
