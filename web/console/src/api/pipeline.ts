// How the pipeline stands, and its dead letters; the API's spelling ends here.
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { answered, api } from './client';
import type { DeadLetters, Pipeline, PipelineMoment, PipelinePartition, Replay } from './model';
import type { components } from './schema';

type Schemas = components['schemas'];

/** Marquee looks at its log and its store once a second for everybody, so that asking costs it little. */
const ASK_EVERY = 2000;
const LETTERS_SHOWN = 50;
/** Marquee tries at most 10,000 letters at once. */
const MOST_TURNS = 100;

const SECOND = 1000;

function momentOf(moment: Schemas['PipelineMoment']): PipelineMoment {
  return {
    time: Date.parse(moment.time),
    waiting: moment.lag_events,
    landingPerSecond: moment.events_per_second,
    arrivingPerSecond: moment.arriving_per_second,
  };
}

function milliseconds(seconds: number | null): number | undefined {
  return seconds === null ? undefined : seconds * SECOND;
}

function partitionOf(one: Schemas['PipelinePartition']): PipelinePartition {
  return {
    partition: one.partition,
    state: one.state,
    waiting: one.lag_events,
    oldest: one.lag_seconds * SECOND,
    landingPerSecond: one.events_per_second,
    arrivingPerSecond: one.arriving_per_second,
    doneIn: milliseconds(one.done_in_seconds),
    batchRows: one.batch_rows,
    deadLetters: one.dead_letters,
    loader: one.loader,
    hasLoader: one.has_loader ?? undefined,
    told: one.seen === null ? undefined : Date.parse(one.seen),
    lastError: one.last_error,
  };
}

export function pipelineQuery() {
  return queryOptions({
    queryKey: ['pipeline'],
    refetchInterval: ASK_EVERY,
    staleTime: ASK_EVERY,
    queryFn: async ({ signal }): Promise<Pipeline> => {
      const answer = await answered(api.GET('/v1/pipeline', { signal }));
      return {
        ...momentOf(answer),
        logKind: answer.log_kind,
        logAnswers: answer.log_answers,
        storeAnswers: answer.store_answers,
        oldest: answer.lag_seconds * SECOND,
        doneIn: milliseconds(answer.done_in_seconds),
        maxBatchRows: answer.max_batch_rows,
        partitions: answer.partitions.map(partitionOf),
        history: answer.history.map(momentOf),
      };
    },
  });
}

export function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

/** @param known how many letters the pipeline counts: another number is another question. */
export function deadLettersQuery(reason: string | undefined, known: number) {
  return queryOptions({
    queryKey: ['dead-letters', reason, known],
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<DeadLetters> => {
      const query = { limit: LETTERS_SHOWN, ...(reason === undefined ? {} : { reason }) };
      const { count, unreplayed, by_reason, letters } = await answered(api.GET('/v1/dead-letters', { params: { query }, signal }));
      return {
        count,
        unreplayed,
        reasons: by_reason.map((one) => ({ ...one, newest: Date.parse(one.newest) })),
        letters: letters.map(({ bytes_base64, replayed, time, ...letter }) => ({
          ...letter,
          time: Date.parse(time),
          bytes: bytesOf(bytes_base64),
          replayed: replayed === null ? undefined : Date.parse(replayed),
        })),
      };
    },
  });
}

/** Sends what can be read by now into the log again; a dry run only counts it. */
export async function replay(reason: string | undefined, dryRun: boolean): Promise<Replay> {
  let sum: Replay = { tried: 0, replayed: 0, alreadyCounted: 0, unreadable: 0 };
  let after: string | null = null;
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const body: Schemas['ReplayRequest'] = {
      dry_run: dryRun,
      ...(reason === undefined ? {} : { reason }),
      ...(after === null ? {} : { after }),
    };
    const answer: Schemas['ReplayAnswer'] = await answered(api.POST('/v1/dead-letters/replay', { body }));
    sum = {
      tried: sum.tried + answer.tried,
      replayed: sum.replayed + answer.replayed,
      alreadyCounted: sum.alreadyCounted + answer.already_counted,
      unreadable: sum.unreadable + answer.unreadable.length + answer.unreadable_not_named,
    };
    after = answer.next;
    if (after === null) break;
  }
  return sum;
}
