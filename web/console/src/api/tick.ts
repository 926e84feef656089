import type { StreamMessage } from './eventStream';
import type { LiveTick } from './model';

export function readTick(message: StreamMessage): LiveTick | undefined {
  return JSON.parse(message.data) as LiveTick;
}
