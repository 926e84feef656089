// Addresses of the demo: /demo/, /demo/courses?q=, /demo/courses/course-1, /demo/events, /demo/results.
import { useEffect, useState } from 'preact/hooks';

export const BASE = '/demo';

export interface Place {
  path: string; // Without the base, "/courses".
  search: URLSearchParams;
  key: string; // Another after each navigation, so that a page that is opened again asks for its ads again.
}

let visits = 0;

function here(): Place {
  const path = location.pathname.startsWith(BASE) ? location.pathname.slice(BASE.length) : location.pathname;
  return { path: path.replace(/\/+$/, '') || '/', search: new URLSearchParams(location.search), key: String(++visits) };
}

const CHANGED = 'demo:navigated';

export function hrefOf(path: string): string {
  return BASE + (path === '/' ? '/' : path);
}

export function navigate(path: string): void {
  history.pushState(null, '', hrefOf(path));
  dispatchEvent(new Event(CHANGED));
}

export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const look = (event: Event): void => {
      setPlace((old) => {
        const next = here();
        // A link to a place within the page ("#main") is no other page.
        const isSame = next.path === old.path && next.search.toString() === old.search.toString();
        return isSame && event.type === 'popstate' ? old : next;
      });
    };
    addEventListener('popstate', look);
    addEventListener(CHANGED, look);
    return () => {
      removeEventListener('popstate', look);
      removeEventListener(CHANGED, look);
    };
  }, []);
  return place;
}

/** Follows links within the demo without loading the page anew; all others are the browser's. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  // Links of ads lead through the server, which counts them.
  if (link?.target !== '' || link.origin !== location.origin || link.closest('[data-marquee-slot]') !== null) return;
  if (!link.pathname.startsWith(`${BASE}/`) || link.hash !== '') return;
  event.preventDefault();
  navigate(link.pathname.slice(BASE.length) + link.search);
}
