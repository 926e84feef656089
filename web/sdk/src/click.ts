// Clicks in slots, with where they were.
import type { AdsContext } from './adsPart';
import { placeOf, queryOf } from './geometry';

/** Once a page. */
export function startClicks({ slotOf, track, tell }: AdsContext): void {
  const click = (event: MouseEvent): void => {
    const slot = slotOf(event);
    if (event.button > 1 || !slot) return;
    // A click by keyboard has no place.
    const place = event.detail ? placeOf(slot.element, event) : undefined;
    const link = (event.target as Element).closest('a');
    if (!slot.isServed) track('click', { ...slot.shown, ...place });
    else if (link && place) link.href = link.href.replace(/\?.*|$/, queryOf(place));
    tell(slot, 'click');
  };
  addEventListener('click', click, true);
  addEventListener('auxclick', click, true);
}
