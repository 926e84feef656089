// What is known of a person, its erasure, and how long what is kept; the API's spelling ends here.
import { queryOptions } from '@tanstack/react-query';
import { answered, api } from './client';

export interface Retention {
  /** Days; 0: for ever. */
  readonly events: number;
  readonly kinds: Readonly<Record<string, number>>;
  readonly decisions: number;
  readonly deadLetters: number;
}

/** How much is known, and all of it as a file. */
export interface Known {
  readonly events: number;
  readonly decisions: number;
  readonly segments: number;
  readonly notLoaded: number;
  readonly hasProfile: boolean;
  readonly file: Blob;
}

export interface Erasure {
  readonly id: string;
  readonly site: string;
  readonly state: 'waiting' | 'running' | 'done';
  readonly asked: number;
  readonly done: number | undefined;
  readonly step: string;
  readonly partsDone: number;
  readonly partsTotal: number;
  readonly error: string;
  readonly receipt: Readonly<Record<string, number>>;
}

/** Null: the tables of a cluster, whose terms are given there. */
export function retentionQuery() {
  return queryOptions({
    queryKey: ['retention'],
    queryFn: async ({ signal }): Promise<Retention | null> => {
      const { is_by_hand: isByHand, events_days: events = 0, kinds = {}, decisions_days: decisions = 0, dead_letters_days: deadLetters = 0 } = await answered(
        api.GET('/v1/retention', { signal }),
      );
      return isByHand ? null : { events, kinds, decisions, deadLetters };
    },
  });
}

export async function lookUp(site: string, user: string): Promise<Known> {
  const known = await answered(api.GET('/v1/users/{user_id}/export', { params: { path: { user_id: user }, query: { site } } }));
  return {
    events: known.events.length,
    decisions: known.decisions.length,
    segments: known.segments.length,
    notLoaded: known.not_loaded.length,
    hasProfile: known.profile !== null,
    file: new Blob([JSON.stringify(known, null, 2)], { type: 'application/json' }),
  };
}

export async function eraseUser(site: string, user: string): Promise<void> {
  await answered(api.DELETE('/v1/users/{user_id}', { params: { path: { user_id: user }, query: { site } } }));
}

const ASK_EVERY = 1000;

/** Newest first; asked for again and again while one is under way. */
export function erasuresQuery() {
  return queryOptions({
    queryKey: ['erasures'],
    staleTime: 0,
    queryFn: async ({ signal }): Promise<readonly Erasure[]> =>
      (await answered(api.GET('/v1/erasures', { signal }))).erasures.map(
        ({ asked_time: asked, done_time: done, parts_done: partsDone, parts_total: partsTotal, ...rest }) => ({
          ...rest, partsDone, partsTotal, asked: Date.parse(asked), done: done === null ? undefined : Date.parse(done),
        }),
      ),
    refetchInterval: (query) => (query.state.data?.some(({ state }) => state !== 'done') === true ? ASK_EVERY : false),
  });
}
