// Campaigns as somebody keeps them; the API's spelling ends here, but for a definition, whose members docs/campaigns.md tells.
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { TimeRange } from '../state/range';
import { answered, api, done } from './client';
import { ApiError } from './errors';
import type { components } from './schema';

type Schemas = components['schemas'];
type Full = Schemas['Campaign'];

/** What is left out has a default, which Marquee fills in. */
export type Campaign = Pick<Full, 'id' | 'name'> & Partial<Omit<Full, 'id' | 'name' | 'ads'>> & { readonly ads?: readonly Ad[] };
type FullAd = Schemas['Ad'];
export type Creative = Pick<FullAd['creative'], 'kind' | 'landing_url'> & Partial<FullAd['creative']>;
export type Ad = Pick<FullAd, 'id' | 'name'> & Partial<Omit<FullAd, 'id' | 'name' | 'creative'>> & { readonly creative: Creative };
export type CampaignStatus = Full['status'];
export type Tier = Full['tier'];
export type DayPart = Partial<Schemas['DayPart']>;
export type BudgetLimits = Schemas['BudgetLimits'];
export type Cap = NonNullable<Full['caps']>[number];
export type Targeting = Schemas['Targeting'];

export interface KeptCampaign {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly changed: number;
  readonly changedBy: string;
  readonly definition: Campaign;
}

export interface CampaignState {
  readonly version: number;
  readonly changed: number;
  readonly changedBy: string;
  readonly isRemoval: boolean;
  readonly definition: Campaign;
}

export interface Delivered {
  readonly impressions: number;
  readonly clicks: number;
  /** In units of the currency. */
  readonly spend: number;
  readonly ctr: number | undefined;
}

function keptOf({ id, name, version, changed, changed_by, definition }: Schemas['KeptCampaign']): KeptCampaign {
  return { id, name, version, changed: Date.parse(changed), changedBy: changed_by, definition };
}

/** Defaults may be left out of what is sent, which the generated type does not know. */
function bodyOf(definition: Campaign): Full {
  return definition as Full;
}

function tag(version: number): string {
  return `"${version}"`;
}

/** Whether somebody else was first. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.status === 412;
}

export function keptCampaignsQuery(site: string) {
  return queryOptions({
    queryKey: ['catalog', site, 'campaigns'],
    queryFn: async ({ signal }): Promise<readonly KeptCampaign[]> =>
      (await answered(api.GET('/v1/campaigns', { params: { query: { site } }, signal }))).campaigns.map(keptOf),
  });
}

export function keptCampaignQuery(site: string, id: string) {
  return queryOptions({
    queryKey: ['catalog', site, 'campaign', id],
    queryFn: async ({ signal }): Promise<KeptCampaign> => keptOf(await answered(api.GET('/v1/campaigns/{id}', { params: { path: { id }, query: { site } }, signal }))),
  });
}

export function campaignHistoryQuery(site: string, id: string) {
  return queryOptions({
    queryKey: ['catalog', site, 'history', id],
    staleTime: 0,
    queryFn: async ({ signal }): Promise<readonly CampaignState[]> => {
      const { history } = await answered(api.GET('/v1/campaigns/{id}/history', { params: { path: { id }, query: { site } }, signal }));
      return history.map((state) => ({
        version: state.version,
        changed: Date.parse(state.changed),
        changedBy: state.changed_by,
        isRemoval: state.is_removal,
        definition: state.definition,
      }));
    },
  });
}

export async function makeCampaign(site: string, definition: Campaign): Promise<KeptCampaign> {
  return keptOf(await answered(api.POST('/v1/campaigns', { params: { query: { site } }, body: bodyOf(definition) })));
}

/** Fails with a conflict where it is not of this version any more. */
export async function putCampaign(site: string, definition: Campaign, version: number): Promise<KeptCampaign> {
  const params = { path: { id: definition.id }, query: { site }, header: { 'If-Match': tag(version) } };
  return keptOf(await answered(api.PUT('/v1/campaigns/{id}', { params, body: bodyOf(definition) })));
}

export async function removeCampaign(site: string, id: string, version: number): Promise<void> {
  await done(api.DELETE('/v1/campaigns/{id}', { params: { path: { id }, query: { site }, header: { 'If-Match': tag(version) } } }));
}

/** Makes it what it was at `version`; with `seen`, only where it is of that version now. */
export async function restoreCampaign(site: string, id: string, version: number, seen?: number): Promise<KeptCampaign> {
  const params = { path: { id }, query: { site }, ...(seen === undefined ? {} : { header: { 'If-Match': tag(seen) } }) };
  return keptOf(await answered(api.POST('/v1/campaigns/{id}/restore', { params, body: { version } })));
}

/** By campaign. */
export function deliveredQuery(site: string, range: TimeRange | undefined, every?: number) {
  return queryOptions({
    queryKey: ['delivered', site, range],
    enabled: range !== undefined,
    placeholderData: keepPreviousData,
    ...(every === undefined ? {} : { refetchInterval: every }),
    queryFn: async ({ signal }): Promise<ReadonlyMap<string, Delivered>> => {
      const times = range === undefined ? {} : { from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() };
      const query = { site, ...times, metrics: 'impressions,clicks,spend,ctr', by: 'campaign_id', limit: 10_000 };
      const { rows } = await answered(api.GET('/v1/reports/metrics', { params: { query }, signal }));
      return new Map(
        rows.map(({ keys, values }) => {
          const [impressions, clicks, spend, ctr] = values.map(({ value }) => value);
          return [keys[0] ?? '', { impressions: impressions ?? 0, clicks: clicks ?? 0, spend: spend ?? 0, ctr: ctr ?? undefined }];
        }),
      );
    },
  });
}
