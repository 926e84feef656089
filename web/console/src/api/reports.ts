// DRAFT until api/openapi.yaml lands.
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { session } from '../state/session';
import type { TimeRange } from '../state/range';
import type { FunnelOrder, Interval } from '../state/search';
import { ApiError, kindOfStatus } from './errors';
import type { CampaignsReport, CtrReport, FunnelReport, HeatmapReport, Site } from './model';

export const DIMENSIONS = ['college_id', 'program', 'year_of_study', 'city', 'device', 'policy', 'campaign_id', 'ad_id', 'slot_id', 'position', 'page_id'];
export const EVENT_TYPES = ['page_view', 'page_leave', 'impression', 'viewable_impression', 'hover', 'click', 'scroll', 'search', 'course_view', 'course_click', 'conversion', 'exposure', 'custom'];

async function get<T>(path: string, params: Record<string, string | undefined>, signal: AbortSignal): Promise<T> {
  const q = new URLSearchParams(Object.entries(params).filter((e): e is [string, string] => e[1] !== undefined));
  const r = await fetch(`/v1/${path}?${q.toString()}`, { signal, headers: { Authorization: `Bearer ${session.token() ?? ''}` } });
  if (!r.ok) throw new ApiError(kindOfStatus(r.status), await r.text());
  return (await r.json()) as T;
}
const span = (range: TimeRange | undefined) => ({ from: range && new Date(range.from).toISOString(), to: range && new Date(range.to).toISOString() });

export const sitesQuery = () => queryOptions({ queryKey: ['sites'], queryFn: ({ signal }) => get<Site[]>('sites', {}, signal) });
interface P { site: string; range: TimeRange | undefined }
export const ctrQuery = (p: P & { by: string[] }) =>
  queryOptions({ queryKey: ['ctr', p], enabled: p.range !== undefined, placeholderData: keepPreviousData, queryFn: ({ signal }) => get<CtrReport>('reports/ctr', { site: p.site, by: p.by.join(','), ...span(p.range) }, signal) });
export const positionsQuery = (p: P) =>
  queryOptions({ queryKey: ['positions', p], enabled: p.range !== undefined, placeholderData: keepPreviousData, queryFn: ({ signal }) => get<HeatmapReport>('reports/heatmap', { site: p.site, ...span(p.range) }, signal) });
export const cellsQuery = (p: P & { slot: string }) =>
  queryOptions({ queryKey: ['cells', p], enabled: p.range !== undefined, placeholderData: keepPreviousData, queryFn: ({ signal }) => get<HeatmapReport>('reports/heatmap', { site: p.site, mode: 'cells', slot: p.slot, ...span(p.range) }, signal) });
export const funnelQuery = (p: P & { steps: readonly string[]; windowSeconds: number; order: FunnelOrder }) =>
  queryOptions({ queryKey: ['funnel', p], enabled: p.range !== undefined, placeholderData: keepPreviousData, queryFn: ({ signal }) => get<FunnelReport>('reports/funnel', { site: p.site, steps: p.steps.join(','), ...span(p.range) }, signal) });
export const campaignsQuery = (p: P & { interval: Interval }) =>
  queryOptions({ queryKey: ['campaigns', p], enabled: p.range !== undefined, placeholderData: keepPreviousData, queryFn: ({ signal }) => get<CampaignsReport>('reports/campaigns', { site: p.site, interval: p.interval, ...span(p.range) }, signal) });
