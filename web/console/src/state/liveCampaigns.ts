// What campaigns deliver by second, minute or day, kept from the stream of GET /v1/live/campaigns.
import type { StreamMessage } from '../api/eventStream';
import type { components } from '../api/schema';

export type LiveUnit = components['schemas']['LiveCampaigns']['unit'];
type Point = components['schemas']['LiveCampaigns']['campaigns'][string][number];

/** Milliseconds, and how many of them are shown. */
export const UNITS: Readonly<Record<LiveUnit, { length: number; count: number }>> = {
  second: { length: 1_000, count: 60 },
  minute: { length: 60_000, count: 60 },
  day: { length: 86_400_000, count: 30 },
};

export interface LiveDelivery {
  readonly unit: LiveUnit;
  /** By campaign and the unit's begin. */
  readonly points: ReadonlyMap<string, ReadonlyMap<number, Point>>;
  /** When the server told it last. */
  readonly time: number;
}

/** What is known once a message has come; undefined for those that tell nothing. */
export function addDelivery(known: LiveDelivery | undefined, { event, data }: StreamMessage): LiveDelivery | undefined {
  if (event !== 'window' && event !== 'changes') return known;
  const told = JSON.parse(data) as components['schemas']['LiveCampaigns'];
  const from = Date.parse(told.from);
  // A window says all there is: what was known before a reconnection is over.
  const points = new Map<string, Map<number, Point>>();
  for (const [id, old] of event === 'changes' ? (known?.points ?? []) : []) {
    const kept = new Map([...old].filter(([time]) => time >= from));
    if (kept.size > 0) points.set(id, kept);
  }
  for (const [id, list] of Object.entries(told.campaigns)) {
    const of = points.get(id) ?? new Map<number, Point>();
    for (const point of list) of.set(Date.parse(point.time), point);
    points.set(id, of);
  }
  return { unit: told.unit, points, time: Date.parse(told.time) };
}

export interface LiveCampaign {
  readonly id: string;
  readonly impressions: number;
  readonly clicks: number;
  /** Impressions of each unit of the window, oldest first. */
  readonly series: readonly number[];
}

/** At `now`, by the server's clock; most impressions first. */
export function campaignsOf({ unit, points }: LiveDelivery, now: number): LiveCampaign[] {
  const { length, count } = UNITS[unit];
  const newest = Math.floor(now / length) * length;
  const times = Array.from({ length: count }, (_, index) => newest - (count - 1 - index) * length);
  return [...points]
    .map(([id, of]) => {
      const shown = times.map((time) => of.get(time));
      const sum = (measure: (point: Point) => number) => shown.reduce((total, point) => total + (point === undefined ? 0 : measure(point)), 0);
      return { id, impressions: sum((point) => point.impressions), clicks: sum((point) => point.clicks), series: shown.map((point) => point?.impressions ?? 0) };
    })
    .filter(({ impressions, clicks }) => impressions + clicks > 0)
    .sort((a, b) => b.impressions - a.impressions || b.clicks - a.clicks || a.id.localeCompare(b.id));
}
