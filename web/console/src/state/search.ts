// What each view keeps in the address. Every state a reader can reach is a link: these functions read an address, dropping what
// they do not understand, and the router writes it back. Defaults are left out of the address.
import { isLastSpan, parseDay, type RangeSearch } from './range';

export type RawSearch = Readonly<Record<string, unknown>>;

export interface SiteSearch extends RangeSearch {
  readonly site?: string;
  /** Only events of the users in it: its id. */
  readonly segment?: string;
}

export interface SortSearch {
  readonly sort?: string;
  readonly dir?: 'asc' | 'desc';
}

export interface CtrSearch extends SiteSearch, SortSearch {
  readonly by?: string;
  readonly then?: string;
}

export type HeatMeasure = 'ctr' | 'impressions' | 'clicks' | 'hovers';
export interface HeatmapSearch extends SiteSearch, SortSearch {
  readonly mode?: 'positions' | 'cells';
  readonly measure?: HeatMeasure;
  readonly slot?: string;
}

export type FunnelOrder = 'ordered' | 'strict' | 'any';
export const MOST_FUNNEL_STEPS = 30;
export type FunnelWindow = '30m' | '1h' | '24h' | '7d' | '30d';
export const FUNNEL_WINDOW_SECONDS: Readonly<Record<FunnelWindow, number>> = {
  '30m': 1800, '1h': 3600, '24h': 86_400, '7d': 604_800, '30d': 2_592_000,
};
export interface FunnelSearch extends SiteSearch {
  readonly steps?: readonly string[];
  readonly within?: FunnelWindow;
  readonly order?: FunnelOrder;
}

export type CampaignMeasure = 'impressions' | 'clicks' | 'ctr';
export type Interval = 'minute' | 'hour' | 'day';
export interface CampaignsSearch extends SiteSearch, SortSearch {
  readonly measure?: CampaignMeasure;
  readonly interval?: Interval;
}

export type LiveSearch = Pick<SiteSearch, 'site'>;

/** A saved report's own parameters are kept with it. */
export interface SavedSearch extends SortSearch {
  /** Carried along for the other views. */
  readonly site?: string;
}

export interface PipelineSearch extends SortSearch {
  /** Carried along for the other views. */
  readonly site?: string;
  /** Of the dead letters that are shown. */
  readonly reason?: string;
}

/** `site` and the time are those of the CTR by policy; the model is one for all sites. */
export interface PersonalizationSearch extends SiteSearch, SortSearch {}

export type SegmentKind = 'rule' | 'list' | 'live';
export interface SegmentsSearch extends SiteSearch, SortSearch {
  /** The id of the segment that is edited, or `new`. */
  readonly edit?: string;
  /** Of a new one. */
  readonly kind?: SegmentKind;
}

export interface ManageSearch extends SortSearch {
  readonly site?: string;
  /** The id of the campaign that is edited, or `new`. */
  readonly edit?: string;
  /** Of a new one: the id of what it begins as. */
  readonly copy?: string;
}

export interface ExploreSearch extends SiteSearch, SortSearch {
  readonly metrics?: readonly string[];
  readonly by?: readonly string[];
  /** Filters as reports take them, a semicolon between. */
  readonly where?: string;
}

/** The time and the segment are carried along for the other views. */
export interface SqlSearch extends SiteSearch {
  /** The id of the saved query that is open. */
  readonly saved?: string;
  /** The query as it was asked last, where it is not the saved one. */
  readonly sql?: string;
  /** As state/sqlModel.ts writes it; `none`: no picture. */
  readonly chart?: string;
}

export interface OverviewSearch extends SiteSearch, SortSearch {
  /** What it is compared with; without it, the same hours a week before where there are any. */
  readonly against?: 'week' | 'before';
  /** The dimension by which the change is explained; without it, by all. */
  readonly by?: string;
}

export interface RetentionSearch extends SiteSearch {
  readonly interval?: 'day' | 'week';
  /** Event types that begin, and that count as coming back; without them, any. */
  readonly start?: readonly string[];
  readonly back?: readonly string[];
  readonly show?: 'share' | 'users';
  /** Filters as reports take them, a semicolon between. */
  readonly where?: string;
}

export interface PathsSearch extends SiteSearch, SortSearch {
  readonly by?: string;
  readonly events?: readonly string[];
  /** The place that paths begin at; without it, where sessions begin. */
  readonly start?: string;
  readonly steps?: number;
  readonly places?: number;
  readonly where?: string;
}

export interface AlertsSearch extends SortSearch {
  readonly site?: string;
  readonly tab?: 'deliveries';
  /** The id of what is edited, or `new`. */
  readonly edit?: string;
  /** The saved report that a new delivery is of. */
  readonly report?: string;
  /** The id of the one whose last notices are shown. */
  readonly open?: string;
}

/** `site` and the like are carried along for the other views. */
export interface SettingsSearch extends SiteSearch, SortSearch {
  /** Without it, people. */
  readonly tab?: SettingsTab;
  /** Of the audit log: only theirs. */
  readonly actor?: string;
  /** Id of the site that is edited, or 'new'. */
  readonly edit?: string;
}

export const SETTINGS_TABS = ['people', 'sites', 'privacy', 'audit'] as const;
export type SettingsTab = (typeof SETTINGS_TABS)[number];

const NAME = /^[A-Za-z0-9_.:-]{1,128}$/;

function name(value: unknown): string | undefined {
  return typeof value === 'string' && NAME.test(value) ? value : undefined;
}

/** The id of a campaign may be any text. */
function id(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= 128 ? value : undefined;
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[]): T | undefined {
  return allowed.find((candidate) => candidate === value);
}

/** Leaves out what is undefined, so that the address holds only what was chosen. */
function compact<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

function range(raw: RawSearch): { [K in keyof RangeSearch]-?: RangeSearch[K] | undefined } {
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  const last = text(raw.last);
  if (last !== undefined && isLastSpan(last)) return { last, from: undefined, to: undefined };
  const from = text(raw.from);
  const to = text(raw.to);
  const first = parseDay(from);
  const end = parseDay(to);
  if (first === undefined || end === undefined || first > end) return { last: undefined, from: undefined, to: undefined };
  return { last: undefined, from, to };
}

function sort(raw: RawSearch) {
  return { sort: name(raw.sort), dir: oneOf(raw.dir, ['asc', 'desc'] as const) };
}

function site(raw: RawSearch) {
  return { site: name(raw.site), segment: name(raw.segment), ...range(raw) };
}

export function ctrSearch(raw: RawSearch): CtrSearch {
  return compact<CtrSearch>({ ...site(raw), by: name(raw.by), then: name(raw.then), ...sort(raw) });
}

export function heatmapSearch(raw: RawSearch): HeatmapSearch {
  return compact<HeatmapSearch>({
    ...site(raw),
    mode: oneOf(raw.mode, ['positions', 'cells'] as const),
    measure: oneOf(raw.measure, ['ctr', 'impressions', 'clicks', 'hovers'] as const),
    slot: typeof raw.slot === 'string' && raw.slot.length <= 256 ? raw.slot : undefined,
    ...sort(raw),
  });
}

export function funnelSearch(raw: RawSearch): FunnelSearch {
  const list = typeof raw.steps === 'string' ? raw.steps.split(',') : Array.isArray(raw.steps) ? raw.steps : [];
  const steps = list.map(name).filter((step) => step !== undefined).slice(0, MOST_FUNNEL_STEPS);
  return compact<FunnelSearch>({
    ...site(raw),
    steps: steps.length >= 2 ? steps : undefined,
    within: oneOf(raw.within, ['30m', '1h', '24h', '7d', '30d'] as const),
    order: oneOf(raw.order, ['ordered', 'strict', 'any'] as const),
  });
}

export function campaignsSearch(raw: RawSearch): CampaignsSearch {
  return compact<CampaignsSearch>({
    ...site(raw),
    measure: oneOf(raw.measure, ['impressions', 'clicks', 'ctr'] as const),
    interval: oneOf(raw.interval, ['minute', 'hour', 'day'] as const),
    ...sort(raw),
  });
}

export function liveSearch(raw: RawSearch): LiveSearch {
  return compact<LiveSearch>({ site: name(raw.site) });
}

export function savedListSearch(raw: RawSearch): SavedSearch & SiteSearch {
  return compact<SavedSearch & SiteSearch>({ ...site(raw), ...sort(raw) });
}

export function savedSearch(raw: RawSearch): SavedSearch {
  return compact<SavedSearch>({ site: name(raw.site), ...sort(raw) });
}

export function pipelineSearch(raw: RawSearch): PipelineSearch {
  const reason = typeof raw.reason === 'string' && raw.reason !== '' && raw.reason.length <= 512 ? raw.reason : undefined;
  return compact<PipelineSearch>({ site: name(raw.site), reason, ...sort(raw) });
}

export function personalizationSearch(raw: RawSearch): PersonalizationSearch {
  return compact<PersonalizationSearch>({ ...site(raw), ...sort(raw) });
}

export function segmentsSearch(raw: RawSearch): SegmentsSearch {
  return compact<SegmentsSearch>({ ...site(raw), edit: name(raw.edit), kind: oneOf(raw.kind, ['rule', 'list', 'live'] as const), ...sort(raw) });
}

export function manageSearch(raw: RawSearch): ManageSearch {
  return compact<ManageSearch>({ site: name(raw.site), edit: id(raw.edit), copy: id(raw.copy), ...sort(raw) });
}

export function settingsSearch(raw: RawSearch): SettingsSearch {
  const tab = SETTINGS_TABS.find((one) => one === raw.tab && one !== 'people');
  return compact<SettingsSearch>({ ...site(raw), tab, actor: id(raw.actor), edit: id(raw.edit), ...sort(raw) });
}

function names(value: unknown, most: number): readonly string[] | undefined {
  const list = typeof value === 'string' ? value.split(',') : Array.isArray(value) ? value : [];
  const found = list.map(name).filter((one) => one !== undefined).slice(0, most);
  return found.length === 0 ? undefined : [...new Set(found)];
}

export function exploreSearch(raw: RawSearch): ExploreSearch {
  const where = typeof raw.where === 'string' && raw.where !== '' && raw.where.length <= 2000 ? raw.where : undefined;
  return compact<ExploreSearch>({ ...site(raw), metrics: names(raw.metrics, 10), by: names(raw.by, 3), where, ...sort(raw) });
}

function text(value: unknown, most: number): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= most ? value : undefined;
}

function whole(value: unknown, least: number, most: number): number | undefined {
  const number = typeof value === 'string' || typeof value === 'number' ? Number(value) : NaN;
  return Number.isInteger(number) && number >= least && number <= most ? number : undefined;
}

export function overviewSearch(raw: RawSearch): OverviewSearch {
  return compact<OverviewSearch>({ ...site(raw), against: oneOf(raw.against, ['week', 'before'] as const), by: name(raw.by), ...sort(raw) });
}

export function retentionSearch(raw: RawSearch): RetentionSearch {
  return compact<RetentionSearch>({
    ...site(raw), interval: oneOf(raw.interval, ['day', 'week'] as const), start: names(raw.start, 13), back: names(raw.back, 13),
    show: oneOf(raw.show, ['share', 'users'] as const), where: text(raw.where, 2000),
  });
}

export function pathsSearch(raw: RawSearch): PathsSearch {
  return compact<PathsSearch>({
    ...site(raw), by: name(raw.by), events: names(raw.events, 13), start: text(raw.start, 256), steps: whole(raw.steps, 2, 20),
    places: whole(raw.places, 1, 100), where: text(raw.where, 2000), ...sort(raw),
  });
}

export function alertsSearch(raw: RawSearch): AlertsSearch {
  return compact<AlertsSearch>({ site: name(raw.site), tab: oneOf(raw.tab, ['deliveries'] as const), edit: id(raw.edit), report: id(raw.report), open: id(raw.open), ...sort(raw) });
}

export function sqlSearch(raw: RawSearch): SqlSearch {
  return compact<SqlSearch>({ ...site(raw), saved: name(raw.saved), sql: text(raw.sql, 10_000), chart: text(raw.chart, 500) });
}

/** `?by=policy&steps=a,b`: plain text, so that a person can read and write the address. */
export function parseAddress(query: string): RawSearch {
  return Object.fromEntries(new URLSearchParams(query));
}

export function printAddress(search: RawSearch): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(search)) {
    if (value === undefined || value === null) continue;
    parameters.set(key, Array.isArray(value) ? value.join(',') : typeof value === 'string' ? value : JSON.stringify(value));
  }
  const text = parameters.toString().replaceAll('%2C', ',').replaceAll('%3A', ':');
  return text === '' ? '' : `?${text}`;
}
