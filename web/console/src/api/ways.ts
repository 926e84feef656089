// Retention and paths; the API's spelling ends here.
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { Cohort, RetentionInterval } from '../state/retention';
import type { Ways } from '../state/ways';
import { answered, api } from './client';

/** As the API takes them; also a saved report's. */
export type RetentionParameters = Readonly<{
  site: string; from: string; to: string; interval: RetentionInterval; start?: string; back?: string; filter?: string[];
}>;

export interface Retention {
  readonly cohorts: readonly Cohort[];
  readonly interval: RetentionInterval;
}

export function retentionQuery(parameters: RetentionParameters | undefined) {
  return queryOptions({
    queryKey: ['retention', parameters],
    enabled: parameters !== undefined,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<Retention> => {
      if (parameters === undefined) throw new Error('retention: nothing to ask');
      const { cohorts, interval } = await answered(api.GET('/v1/reports/retention', { params: { query: parameters }, signal }));
      return { interval, cohorts: cohorts.map(({ time, users, back }) => ({ time: Date.parse(time), users, back })) };
    },
  });
}

export type PathsParameters = Readonly<{
  site: string; from: string; to: string; by: string; events: string; start?: string; steps: number; places: number; filter?: string[];
}>;

export function waysQuery(parameters: PathsParameters | undefined) {
  return queryOptions({
    queryKey: ['paths', parameters],
    enabled: parameters !== undefined,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<Ways> => {
      if (parameters === undefined) throw new Error('paths: nothing to ask');
      const { by, sessions, nodes, links } = await answered(api.GET('/v1/reports/paths', { params: { query: parameters }, signal }));
      return {
        by,
        sessions,
        nodes: nodes.map(({ step, place, sessions: of, ended }) => ({ step, place: place ?? undefined, sessions: of, ended })),
        links: links.map(({ from, to, sessions: of }) => ({ from, to, sessions: of })),
      };
    },
  });
}
