// What is asked and done about segments; the API's spelling ends here, but for a rule, which state/segmentRule.ts reads.
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { parseDay, type TimeRange } from '../state/range';
import type { FunnelOrder, FunnelSearch } from '../state/search';
import { session } from '../state/session';
import { answered, api, done } from './client';
import { segmentOf, type Segment, type SegmentDefinition } from './segmentList';

const DAY = 86_400_000;

export interface SegmentUsers {
  readonly id: string;
  readonly users: number;
  readonly share: number;
}

export interface Overlap {
  readonly a: string;
  readonly b: string;
  readonly users: number;
  readonly shareOfA: number;
  readonly shareOfB: number;
}

export interface SegmentsReport {
  readonly siteUsers: number;
  readonly segments: readonly SegmentUsers[];
  readonly overlaps: readonly Overlap[];
}

/** With the users of a list, which the list of segments leaves out. */
export function segmentQuery(id: string) {
  return queryOptions({
    queryKey: ['segment', id],
    queryFn: async ({ signal }): Promise<Segment> => segmentOf(await answered(api.GET('/v1/segments/{id}', { params: { path: { id } }, signal }))),
  });
}

/** @param known what the segments are now: others are another question. */
export function segmentsReportQuery(site: string, range: TimeRange | undefined, known: string) {
  return queryOptions({
    queryKey: ['segments-report', site, range, known],
    enabled: range !== undefined && known !== '',
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<SegmentsReport> => {
      const times = range === undefined ? {} : { from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() };
      const report = await answered(api.GET('/v1/reports/segments', { params: { query: { site, ...times } }, signal }));
      return {
        siteUsers: report.site_users,
        segments: report.segments.map(({ id, users, share }) => ({ id, users, share })),
        overlaps: report.overlaps.map(({ a, b, users, share_of_a, share_of_b }) => ({ a, b, users, shareOfA: share_of_a, shareOfB: share_of_b })),
      };
    },
  });
}

export interface SegmentDraft {
  readonly site: string;
  readonly title: string;
  readonly definition: SegmentDefinition;
}

/** Only what may be sent: what is given may be more than a draft. */
function bodyOf({ site, title, definition }: SegmentDraft): SegmentDraft {
  return { site, title, definition };
}

export async function makeSegment(draft: SegmentDraft): Promise<Segment> {
  const body = bodyOf(draft);
  return segmentOf(await answered(api.POST('/v1/segments', { body })));
}

interface DropOff {
  readonly site: string;
  readonly title: string;
  readonly search: FunnelSearch;
  readonly steps: readonly string[];
  readonly windowSeconds: number;
  readonly order: FunnelOrder;
  /** The number of the step that they reached. */
  readonly after: number;
}

/** Who leaves a funnel after a step: of the times that the funnel is asked for, so that `last` goes on. */
export function dropOffOf({ search, steps, windowSeconds, order, after }: DropOff): SegmentDefinition {
  const from = parseDay(search.from);
  const to = parseDay(search.to);
  const times =
    search.last !== undefined
      ? { last: search.last }
      : from === undefined || to === undefined
        ? {}
        : { from: new Date(from).toISOString(), to: new Date(to + DAY).toISOString() };
  const funnel = {
    steps: steps.map((step) => ({ types: [step] })),
    window_seconds: windowSeconds,
    order,
    ...(search.segment === undefined ? {} : { filter: [`segment=${search.segment}`] }),
    ...times,
    dropped_after: after,
  };
  // The document leaves open what a funnel holds, which its generated type takes for nothing.
  return { kind: 'drop_off', funnel: funnel as unknown as Record<string, never> };
}

export function keepDropOff(dropOff: DropOff): Promise<Segment> {
  return makeSegment({ site: dropOff.site, title: dropOff.title, definition: dropOffOf(dropOff) });
}

export async function changeSegment(id: string, draft: SegmentDraft): Promise<Segment> {
  const body = bodyOf(draft);
  return segmentOf(await answered(api.PUT('/v1/segments/{id}', { params: { path: { id } }, body })));
}

export async function refreshSegment(id: string): Promise<Segment> {
  return segmentOf(await answered(api.POST('/v1/segments/{id}/refresh', { params: { path: { id } } })));
}

export async function forgetSegment(id: string): Promise<void> {
  await done(api.DELETE('/v1/segments/{id}', { params: { path: { id } } }));
}

/** The same while the page goes away, when nobody waits for an answer any more. */
export function forgetSegmentLeaving(id: string): void {
  void fetch(`/v1/segments/${encodeURIComponent(id)}`, {
    method: 'DELETE',
    keepalive: true,
    headers: session.headers(),
  }).catch(() => undefined);
}
