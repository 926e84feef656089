// Hovers over what slots show: how long, and where the pointer rested on its way.
import type { AdsContext } from './adsPart';
import { placeOf } from './geometry';

const MOVE_MS = 100;
const MOST_MOVES = 20;
/** A pointer that only crosses a slot hovers over nothing. */
const HOVER_MS = 100;

/** Once a page. */
export function startHovers({ slotOf, track }: AdsContext): void {
  /** Ends the hover that is going on. */
  let end: (() => void) | undefined;
  addEventListener('pagehide', () => end?.(), true);
  addEventListener('pointerover', (event) => {
    const slot = slotOf(event);
    if (end || !slot || event.pointerType === 'touch') return;
    const { element, shown } = slot;
    const since = event.timeStamp;
    const moves: number[][] = [];
    let place = placeOf(element, event);
    let next = since + MOVE_MS;
    const move = (moved: PointerEvent): void => {
      if (moved.timeStamp < next || moves.length === MOST_MOVES) return;
      next = moved.timeStamp + MOVE_MS;
      place = placeOf(element, moved);
      moves.push([place.x, place.y, Math.round(moved.timeStamp - since)]);
    };
    const leave = (): void => {
      end = undefined;
      element.removeEventListener('pointermove', move);
      element.removeEventListener('pointerleave', leave);
      const dwell_ms = Math.round(performance.now() - since);
      if (dwell_ms >= HOVER_MS) track('hover', { ...shown, ...place, dwell_ms, moves });
    };
    end = leave;
    element.addEventListener('pointermove', move);
    element.addEventListener('pointerleave', leave);
  });
}
