import type { Band } from '../state/usual';

const WIDTH = 100;
const HEIGHT = 44;

/** A line over the band of what it usually is, as wide as its place; the numbers stand above. */
export function BandLine({ now, usual, low, high }: Band) {
  const values = [...now, ...high].filter((value) => value !== undefined);
  const most = Math.max(...values, 0) || 1;
  const x = (place: number) => (place / Math.max(now.length - 1, 1)) * WIDTH;
  const y = (value: number) => HEIGHT - 2 - (value / most) * (HEIGHT - 6);
  const line = (of: readonly (number | undefined)[]) => {
    let isDrawing = false;
    return of
      .map((value, place) => {
        // A gap is where there is nothing to say.
        const command = value === undefined ? '' : `${isDrawing ? 'L' : 'M'}${x(place).toFixed(2)} ${y(value).toFixed(2)}`;
        isDrawing = value !== undefined;
        return command;
      })
      .join('');
  };
  const edge = (of: readonly (number | undefined)[]) => of.map((value, place) => [place, value] as const).filter((at): at is readonly [number, number] => at[1] !== undefined);
  const around = [...edge(high), ...edge(low).toReversed()].map(([place, value]) => `${x(place).toFixed(2)},${y(value).toFixed(2)}`).join(' ');
  return (
    <svg className="band-line" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none">
      <polygon points={around} className="band-area" />
      <path d={line(usual)} className="band-usual" />
      <path d={line(now)} className="band-now" />
    </svg>
  );
}
