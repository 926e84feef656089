// What a campaign's definition comes to, and what is done to it while somebody edits it.
import type { Ad, BudgetLimits, Campaign, CampaignStatus, Delivered } from '../api/catalog';

/** As people speak of it: an active campaign may not have begun, or be over. */
export type Standing = CampaignStatus | 'scheduled' | 'over';

export function standingOf({ status = 'draft', from, to }: Campaign, now: number): Standing {
  if (status !== 'active') return status;
  if (from !== undefined && now < Date.parse(from)) return 'scheduled';
  return to !== undefined && now >= Date.parse(to) ? 'over' : 'active';
}

function partsIn(zone: string, time: number): Readonly<Record<string, number>> {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
  }).formatToParts(time);
  return Object.fromEntries(parts.map(({ type, value }) => [type, Number(value)]));
}

export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Milliseconds that a zone's clock is ahead of UTC at a time. */
function offset(zone: string, time: number): number {
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = partsIn(zone, time);
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(time / 1000) * 1000;
}

/** What a zone's clock shows, as an <input type="datetime-local"> has it. */
export function toLocal(iso: string | undefined, zone: string): string {
  if (iso === undefined) return '';
  const time = Date.parse(iso);
  return Number.isNaN(time) ? '' : new Date(time + offset(zone, time)).toISOString().slice(0, 16);
}

/** The moment at which a zone's clock shows this; of an hour that the clock shows twice, the first; undefined for an empty text. */
export function fromLocal(local: string, zone: string): string | undefined {
  const wall = Date.parse(`${local}Z`);
  if (local === '' || Number.isNaN(wall)) return undefined;
  const time = [wall - offset(zone, wall - DAY), wall - offset(zone, wall + DAY)].find((one) => one + offset(zone, one) === wall) ?? wall - offset(zone, wall);
  const ahead = Math.round(offset(zone, time) / MINUTE);
  if (ahead === 0) return `${local}:00Z`;
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `${new Date(time + ahead * MINUTE).toISOString().slice(0, 19)}${ahead < 0 ? '-' : '+'}${two(Math.abs(ahead) / 60)}:${two(Math.abs(ahead) % 60)}`;
}

/** When the zone's day began. */
export function dayStart(zone: string, now: number): number {
  const local = toLocal(new Date(now).toISOString(), zone).slice(0, 10);
  return Date.parse(fromLocal(`${local}T00:00`, zone) ?? '');
}

export interface Pace {
  readonly unit: keyof BudgetLimits;
  readonly used: number;
  readonly limit: number;
  /** Share of the budget that is used, and of the day that is over. */
  readonly share: number;
  readonly dayShare: number;
}

const MICROS = 1_000_000;
const units: readonly (keyof BudgetLimits)[] = ['impressions', 'clicks', 'spend_micros'];

/** How today's budget goes, by what is nearest to its end; undefined without a daily budget. */
export function paceOf({ budget, zone = 'UTC' }: Campaign, today: Delivered | undefined, now: number): Pace | undefined {
  const daily = budget?.daily;
  if (daily === undefined) return undefined;
  const used = { impressions: today?.impressions ?? 0, clicks: today?.clicks ?? 0, spend_micros: (today?.spend ?? 0) * MICROS };
  const dayShare = Math.min(1, (now - dayStart(zone, now)) / DAY);
  const paces = units.flatMap((unit): Pace[] => {
    const limit = daily[unit];
    return limit === undefined || limit <= 0 ? [] : [{ unit, used: used[unit], limit, share: used[unit] / limit, dayShare }];
  });
  return paces.toSorted((a, b) => b.share - a.share)[0];
}

/** Members whose order means nothing to who compares. */
function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const one = a as Readonly<Record<string, unknown>>;
  const other = b as Readonly<Record<string, unknown>>;
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Array.isArray(a) === Array.isArray(b) && [...names].every((name) => same(one[name], other[name]));
}

/** The members in which two definitions differ. */
export function differences(before: Campaign, after: Campaign): readonly string[] {
  const one = before as Readonly<Record<string, unknown>>;
  const other = after as Readonly<Record<string, unknown>>;
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].filter((name) => !same(one[name], other[name]));
}

/** `name`, or with a number behind, so that it is not one of those taken. */
function free(name: string, taken: ReadonlySet<string>): string {
  let candidate = `${name}-copy`;
  for (let number = 2; taken.has(candidate); number++) candidate = `${name}-copy-${number}`;
  return candidate.slice(0, 128);
}

/** A draft of the same campaign: ids are of one campaign, and ads of one campaign, of a site. */
export function copyOf(original: Campaign, all: readonly Campaign[], copyName: (name: string) => string): Campaign {
  const ids = new Set(all.map(({ id }) => id));
  const adIds = new Set(all.flatMap(({ ads = [] }) => ads.map(({ id }) => id)));
  const renamed = new Map((original.ads ?? []).map(({ id }) => [id, free(id, adIds)]));
  return {
    ...original,
    id: free(original.id, ids),
    name: copyName(original.name).slice(0, 200),
    status: 'draft',
    ads: (original.ads ?? []).map((ad) => ({ ...ad, id: renamed.get(ad.id) ?? ad.id })),
    ...(original.companions === undefined ? {} : { companions: original.companions.map((id) => renamed.get(id) ?? id) }),
  };
}

/** "Open day, 2026!" -> "open-day-2026". */
export function slug(name: string): string {
  return name.normalize('NFKD').replace(/[\u0300-\u036f]/g, '').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 60);
}

export function newAd(campaign: Campaign): Ad {
  const taken = new Set((campaign.ads ?? []).map(({ id }) => id));
  const base = campaign.id === '' ? 'ad' : campaign.id;
  let number = 1;
  while (taken.has(`${base}-${number}`)) number += 1;
  return { id: `${base}-${number}`, name: `Ad ${number}`, creative: { kind: 'card', landing_url: 'https://', fields: { title: '', body: '' } } };
}

/** Without what is empty: Marquee tells an empty text from none. */
export function compacted(campaign: Campaign): Campaign {
  const entries = (Object.entries(campaign) as [string, unknown][]).filter(([, value]) => value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0));
  return Object.fromEntries(entries) as Campaign;
}
