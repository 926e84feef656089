import type { Palette } from './palette';

export function tooltipStyle(palette: Palette) {
  return {
    backgroundColor: palette.raised,
    borderColor: palette.lineStrong,
    borderWidth: 1,
    padding: [8, 12],
    textStyle: { color: palette.text, fontFamily: palette.font, fontSize: 12.5 },
    extraCssText: 'border-radius:8px;box-shadow:var(--shadow-overlay);font-variant-numeric:tabular-nums;',
    confine: true,
    transitionDuration: 0,
  };
}

/** The tooltip of everything at one place of the x axis. */
export function axisTooltip<Point>(palette: Palette, formatter: (points: readonly Point[]) => string) {
  return { ...tooltipStyle(palette), trigger: 'axis', axisPointer: { type: 'line', lineStyle: { color: palette.lineStrong } }, formatter };
}

export function axisText(palette: Palette) {
  return { color: palette.faint, fontFamily: palette.font, fontSize: 12 };
}

/** Text that ECharts puts into a tooltip's HTML. Names come from the data, so they are escaped. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

export function tooltipHtml(title: string, lines: readonly (readonly [name: string, value: string, color?: string])[]): string {
  const rows = lines.map(([name, value, color]) => {
    const swatch = color === undefined ? '' : `<i class="swatch" style="background:${color}"></i>`;
    return `<tr><td style="color:var(--text-muted);padding-right:18px">${swatch}${escapeHtml(name)}</td><td style="text-align:right;font-weight:600">${escapeHtml(value)}</td></tr>`;
  });
  return `<div style="font-weight:600;margin-bottom:4px">${escapeHtml(title)}</div><table style="border-spacing:0">${rows.join('')}</table>`;
}
