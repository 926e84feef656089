// Draws the creatives that decisions name. Apart from the script of a page: it is loaded while the decision is on its way, by pages that
// show ads.
import { make } from './box';
import type { Creative } from './types';

/** Where an HTML creative has its link; one without gets a link over all of it. */
const CLICK_MACRO = '{{click_url}}';
/** No `allow-same-origin`: the creative sees nothing of the page. */
const SANDBOX = 'allow-scripts allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation';
const FILL = 'position:absolute;inset:0;width:100%;height:100%;';
const LINES = { title: 'font-weight:600', body: '', cta: 'margin-top:auto;font-weight:600' };

/** Resolves with what is to be put into the slot, when that can be shown; rejects where it cannot. `href` is the ad's link. */
export type Draw = (creative: Creative, href: string, target: string) => Promise<Node[]>;

export const draw: Draw = async ({ kind, fields }, href, target) => {
  const text = (name: string): string => {
    const value = fields[name];
    return typeof value === 'string' ? value : '';
  };
  const link = make('a', FILL + 'display:flex;flex-direction:column;gap:4px;box-sizing:border-box;color:inherit;text-decoration:none', kind);
  link.href = href;
  link.target = target;
  link.rel = 'noopener sponsored';

  if (kind === 'html') {
    const html = text('html');
    if (!html) throw new Error('html: missing');
    const frame = make('iframe', FILL + 'border:0', 'frame');
    frame.sandbox.value = SANDBOX;
    frame.title = text('title') || 'Advertisement';
    const base = document.createElement('base');
    base.target = target;
    frame.srcdoc = base.outerHTML + html.replaceAll(CLICK_MACRO, href);
    link.ariaLabel = frame.title;
    return html.includes(CLICK_MACRO) ? [frame] : [frame, link];
  }

  const address = text('image');
  const picture = make('img', kind === 'image' ? FILL + 'object-fit:contain' : 'flex:1;min-height:0;object-fit:cover', 'image');
  picture.alt = text('alt');
  if (address) {
    picture.src = address;
    link.append(picture);
  }
  if (kind === 'image') {
    // Not before it is there: what cannot be shown gives way to the house ad.
    await picture.decode();
    return [link];
  }
  // A card without its picture is still a card.
  picture.onerror = () => {
    picture.remove();
  };
  link.style.padding = '12px';
  for (const [name, style] of Object.entries(LINES)) {
    if (!text(name)) continue;
    const line = make('span', style, name);
    line.textContent = text(name);
    link.append(line);
  }
  return [link];
};
