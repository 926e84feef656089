import type { StreamMessage } from './eventStream';
import type { LiveTick } from './model';
import type { components } from './schema';

/** The tick that a message of GET /v1/live carries; undefined for other messages. */
export function readTick({ event, data }: StreamMessage): LiveTick | undefined {
  if (event !== 'tick') return undefined;
  const tick = JSON.parse(data) as components['schemas']['LiveTick'];
  return { time: Date.parse(tick.time), spanMilliseconds: tick.span_ms, events: tick.events, byType: tick.by_type, byCampaign: tick.by_campaign };
}
