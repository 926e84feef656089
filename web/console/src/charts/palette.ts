import { useMemo } from 'react';
import { useTheme } from '../state/theme';

export interface Palette {
  readonly text: string;
  readonly muted: string;
  readonly faint: string;
  readonly line: string;
  readonly lineStrong: string;
  readonly surface: string;
  readonly raised: string;
  readonly accent: string;
  readonly accentSoft: string;
  readonly series: readonly string[];
  readonly heat: readonly string[];
  readonly font: string;
}

// A canvas cannot read light-dark(), so each token is resolved through an element that the browser styles.
function readPalette(): Palette {
  const probe = document.createElement('span');
  probe.hidden = true;
  document.body.append(probe);
  const color = (token: string) => {
    probe.style.color = `var(--${token})`;
    return getComputedStyle(probe).color;
  };
  const palette: Palette = {
    text: color('text'),
    muted: color('text-muted'),
    faint: color('text-faint'),
    line: color('line'),
    lineStrong: color('line-strong'),
    surface: color('surface'),
    raised: color('surface-raised'),
    accent: color('accent'),
    accentSoft: color('accent-soft'),
    series: [1, 2, 3, 4, 5, 6, 7, 8].map((n) => color(`series-${n}`)),
    heat: [0, 1, 2, 3, 4, 5].map((n) => color(`heat-${n}`)),
    font: getComputedStyle(document.body).fontFamily,
  };
  probe.remove();
  return palette;
}

export function usePalette(): Palette {
  const theme = useTheme();
  // The theme is not an argument of readPalette, but decides what it reads.
  return useMemo(() => (theme === 'dark' ? readPalette() : readPalette()), [theme]);
}

export function seriesColor(palette: Palette, index: number): string {
  return palette.series[index % palette.series.length] ?? palette.accent;
}

/** `rgb(r, g, b)` with an opacity. */
export function withAlpha(color: string, alpha: number): string {
  const channels = /^rgb\((.*)\)$/.exec(color)?.[1];
  return channels === undefined ? color : `rgba(${channels}, ${alpha})`;
}
