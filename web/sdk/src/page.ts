// Page views and leaves, how long and how far a page was read, and what was searched for.
import { permyriad } from './geometry';
import { setPlace, track } from './recorder';
import { options } from './settings';
import type { Fields, PageFields } from './types';

const QUARTER = 2500;
/** A search in any script fits into the 256 bytes that the server takes. */
const MOST_QUERY = 85;
const MOST_PATH = 1024;
const MOST_ID = 128;

let referrer: string;
/** What a decision is told of the page. */
export let context: Fields = {};
let isOpen = false;
let depth = 0;
let told = 0;
let visibleSince = 0;
let visibleMs = 0;

function tick(): void {
  if (visibleSince) visibleMs += performance.now() - visibleSince;
  visibleSince = document.hidden ? 0 : performance.now();
}

function measure(): void {
  depth = Math.max(depth, permyriad(scrollY + innerHeight, document.documentElement.scrollHeight));
}

export function leaveView(): void {
  if (!isOpen) return;
  isOpen = false;
  tick();
  track('page_leave', { dwell_ms: Math.round(visibleMs), scroll_depth: depth });
}

/** A new page view, after the leave of the one before. */
export function view({ query, results_count, course_category, ...fields }: PageFields = {}): void {
  leaveView();
  const { pathname, search, href } = location;
  const place = {
    page_id: (document.body.dataset['marqueePage'] ?? pathname).slice(0, MOST_ID),
    page_path: pathname.slice(0, MOST_PATH),
    ...fields,
  };
  setPlace(place);
  const parameters = new URLSearchParams(search);
  const asked = (query ?? (options.search ?? ['q', 'query', 'search']).map((name) => parameters.get(name)).find((text) => text))?.slice(0, MOST_QUERY);
  context = { ...place, query: asked, course_category };
  isOpen = true;
  depth = told = visibleMs = visibleSince = 0;
  tick();
  measure();
  track('page_view', {
    referrer_host: referrer ? new URL(referrer).host : undefined,
    viewport_width: innerWidth,
    viewport_height: innerHeight,
  });
  if (fields.course_id) track('course_view');
  if (asked) track('search', { search_query: asked, results_count });
  referrer = href;
}

export function startPages(): void {
  ({ referrer } = document);
  let isMeasuring = false;
  addEventListener(
    'scroll',
    () => {
      if (isMeasuring || !isOpen) return;
      isMeasuring = true;
      requestAnimationFrame(() => {
        isMeasuring = false;
        measure();
        const reached = depth - (depth % QUARTER);
        if (reached > told) track('scroll', { scroll_depth: (told = reached) });
      });
    },
    { passive: true },
  );
  document.addEventListener('visibilitychange', tick);
}

/** Calls `changed` after each navigation within the page that leads to another address. */
export function followHistory(changed: () => void): void {
  const address = (): string => location.pathname + location.search;
  let last = address();
  const look = (): void => {
    if (last !== (last = address())) changed();
  };
  for (const name of ['pushState', 'replaceState'] as const) {
    const original = history[name].bind(history);
    history[name] = (...args) => {
      original(...args);
      look();
    };
  }
  addEventListener('popstate', look);
}
