// A place that takes an ad. Its room is kept by the style of its shape, so that nothing moves when the ad comes.
export type Shape = 'wide' | 'feed' | 'side';

export function Slot({ id, position, shape }: { id: string; position: number; shape: Shape }) {
  return (
    <aside class={`slot slot-${shape}`} aria-label={`Advertisement ${position}`}>
      <div class="slot-room" data-marquee-slot={id} data-marquee-position={position} />
    </aside>
  );
}
