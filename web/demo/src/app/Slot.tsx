// A place that takes an ad. Its room is kept by the style of its shape, so that nothing moves when the ad comes.
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

export type Shape = 'wide' | 'feed' | 'side';

/** Whether marquee.js knows who the visitor is. Before, it is to find no slots: it would ask for the ads of nobody. */
export const Ready = createContext(false);

export function Slot({ id, position, shape }: { id: string; position: number; shape: Shape }) {
  const isReady = useContext(Ready);
  return (
    <aside class={`slot slot-${shape}`} aria-label={`Advertisement ${position}`}>
      <div class="slot-room" data-marquee-slot={isReady ? id : undefined} data-marquee-position={position} />
    </aside>
  );
}
