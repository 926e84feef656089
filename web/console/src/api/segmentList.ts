// Named sets of users: what every view needs of them, which is little, as the first chart waits for it.
import { queryOptions } from '@tanstack/react-query';
import { answered, api } from './client';
import type { components } from './schema';

type Schemas = components['schemas'];
export type SegmentDefinition = Schemas['SegmentDefinition'];

export interface Segment {
  readonly id: string;
  readonly site: string;
  readonly title: string;
  readonly definition: SegmentDefinition;
  /** When its users were last found. */
  readonly refreshed: number;
  readonly size: number;
}

export function segmentOf({ id, site, title, definition, refreshed, size }: Schemas['Segment']): Segment {
  return { id, site, title, definition, refreshed: Date.parse(refreshed), size };
}

export function segmentsQuery(site: string) {
  return queryOptions({
    queryKey: ['segments', site],
    queryFn: async ({ signal }): Promise<readonly Segment[]> =>
      (await answered(api.GET('/v1/segments', { params: { query: { site } }, signal }))).segments.map(segmentOf),
  });
}
