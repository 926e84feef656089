// marquee-ads.js: what only pages with ads need: it draws them, and tells how they were seen, hovered over and clicked. The script of the
// page loads it while its first decision is on its way.
import type { Slot, SlotTold } from './ads';
import { startClicks } from './click';
import { draw } from './draw';
import { startHovers } from './hover';
import type { Fields } from './types';
import { startViewability, watch } from './viewability';

/** What the script of the page gives to it. */
export interface AdsContext {
  /** The slot that something happened in, if it shows anything. */
  slotOf: (event: Event) => Slot | undefined;
  track: (type: string, fields: Fields) => void;
  tell: SlotTold;
}

/** Once a page. */
export function start(context: AdsContext): void {
  startViewability();
  startHovers(context);
  startClicks(context);
}

export { draw, watch };
