// The questions that the views ask, as TanStack queries; the API's spelling ends here.
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { TimeRange } from '../state/range';
import type { FunnelOrder, Interval } from '../state/search';
import { answered, api } from './client';
import type { CampaignsReport, CtrReport, FunnelReport, HeatmapReport, Rate, Site } from './model';
import type { components } from './schema';

type Schemas = components['schemas'];

export const EVENT_TYPES: readonly Schemas['EventType'][] = [
  'page_view', 'page_leave', 'impression', 'viewable_impression', 'hover', 'click', 'scroll', 'search', 'course_view',
  'course_click', 'conversion', 'exposure', 'custom',
];

/** What a CTR report can be grouped by; the first ones are what people ask for most. */
export const DIMENSIONS: readonly string[] = [
  'college_id', 'program', 'year_of_study', 'city', 'device', 'policy', 'campaign_id', 'ad_id', 'slot_id', 'position', 'page_id',
];

const CAMPAIGN_SECONDS: Readonly<Record<Interval, number>> = { minute: 60, hour: 3600, day: 86_400 };

interface Asked {
  readonly site: string;
  /** undefined: the site has no data, and nothing is asked. */
  readonly range: TimeRange | undefined;
  readonly segment?: string | undefined;
}

function asked({ site, range, segment }: Asked) {
  const of = segment === undefined ? { site } : { site, filter: [`segment=${segment}`] };
  return range === undefined ? of : { ...of, from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() };
}

function timeOf(text: string | null): number | undefined {
  return text === null ? undefined : Date.parse(text);
}

function rateOf({ impressions, clicks, ctr, low, high }: Schemas['Rate']): Rate {
  return { impressions, clicks, ctr, low, high };
}

/** What all reports share: not asked without a range, and the last answer stays on the screen while the next is on its way. */
function shared(range: TimeRange | undefined) {
  return { enabled: range !== undefined, placeholderData: keepPreviousData } as const;
}

export function sitesQuery() {
  return queryOptions({
    queryKey: ['sites'],
    queryFn: async ({ signal }): Promise<Site[]> => {
      const { sites } = await answered(api.GET('/v1/sites', { signal }));
      return sites.map(({ id, name, allowed_origin, consent_required, events, first_event, last_event }) => ({
        id,
        name: name === '' ? id : name,
        allowedOrigin: allowed_origin,
        consentRequired: consent_required,
        events,
        first: timeOf(first_event),
        last: timeOf(last_event),
      }));
    },
  });
}

export function ctrQuery(question: Asked & { by: readonly string[] }) {
  return queryOptions({
    queryKey: ['ctr', question],
    ...shared(question.range),
    queryFn: async ({ signal }): Promise<CtrReport> => {
      const query = { ...asked(question), by: question.by.join(',') };
      const { total, rows } = await answered(api.GET('/v1/reports/ctr', { params: { query }, signal }));
      return { total: rateOf(total), groups: rows.map((row) => ({ keys: row.keys, ...rateOf(row) })) };
    },
  });
}

function heatmapQuery(question: Asked, cells: { mode: 'cells'; slot: string } | { mode: 'positions' }) {
  return queryOptions({
    queryKey: ['heatmap', question.site, question.range, question.segment, cells],
    ...shared(question.range),
    queryFn: async ({ signal }): Promise<HeatmapReport> => {
      const query = { ...asked(question), ...cells };
      return { cells: (await answered(api.GET('/v1/reports/heatmap', { params: { query }, signal }))).cells };
    },
  });
}

export function positionsQuery(question: Asked) {
  return heatmapQuery(question, { mode: 'positions' });
}

export function cellsQuery({ slot, ...question }: Asked & { slot: string }) {
  return heatmapQuery(question, { mode: 'cells', slot });
}

export function funnelQuery(question: Asked & { steps: readonly string[]; windowSeconds: number; order: FunnelOrder }) {
  return queryOptions({
    queryKey: ['funnel', question],
    ...shared(question.range),
    queryFn: async ({ signal }): Promise<FunnelReport> => {
      const query = { ...asked(question), steps: question.steps.join(','), window_seconds: question.windowSeconds, order: question.order };
      const report = await answered(api.GET('/v1/reports/funnel', { params: { query }, signal }));
      return {
        steps: report.steps.map((step) => ({
          name: step.name,
          users: step.users,
          fromPrevious: step.from_previous ?? undefined,
          fromFirst: step.from_first,
          medianFromPrevious: step.median_ms_from_previous ?? undefined,
        })),
        medianTotal: report.median_ms_total ?? undefined,
        p90Total: report.p90_ms_total ?? undefined,
      };
    },
  });
}

export function campaignsQuery(question: Asked & { interval: Interval }) {
  return queryOptions({
    queryKey: ['campaigns', question],
    ...shared(question.range),
    queryFn: async ({ signal }): Promise<CampaignsReport> => {
      const query = { ...asked(question), interval: question.interval };
      const { total, interval, campaigns } = await answered(api.GET('/v1/reports/campaigns', { params: { query }, signal }));
      return {
        total: rateOf(total),
        bucketSeconds: CAMPAIGN_SECONDS[interval],
        campaigns: campaigns.map((campaign) => ({
          id: campaign.id,
          name: campaign.name === '' ? campaign.id : campaign.name,
          points: campaign.points.map((point) => ({ time: Date.parse(point.time), ...rateOf(point) })),
          ...rateOf(campaign),
        })),
      };
    },
  });
}
