// The script of a page: takes over the calls that were made before it was loaded, as [name, arguments], and starts itself where its
// tag has data-site and data-key (for pages whose policy allows no inline script).
import type { AdsPart } from './ads';
import { makeMarquee } from './marquee';
import type { Consent, Marquee } from './types';

type Call = [keyof Marquee, unknown[]];
declare global {
  interface Window {
    marquee?: Marquee & { q?: Call[] };
  }
}

const tag = document.currentScript as HTMLScriptElement | null;
const calls = window.marquee?.q;
const from = tag?.src ?? location.href;
const marquee = makeMarquee(from, () => import(new URL('marquee-ads.js', from).href) as Promise<AdsPart>);
window.marquee = marquee;
const { site, key, consent } = tag?.dataset ?? {};
if (site && key) marquee.init({ site, key, ...(consent && { consent: consent as Consent }) });
calls?.forEach(([name, args]) => {
  (marquee[name] as (...all: unknown[]) => unknown)(...args);
});
