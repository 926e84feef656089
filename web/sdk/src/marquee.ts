// What ties the parts together: the functions that a page calls, and the page's own events.
import { scan, startAds, useSlot, type AdsPart } from './ads';
import { startDelivery } from './delivery';
import { followHistory, leaveView, startPages, view } from './page';
import { agree, consent, each, flush, hide, identify, leavePage, startRecorder, track } from './recorder';
import { configure, options } from './settings';
import type { Marquee } from './types';

/** `from`: where the script came from, which is Marquee where the page names no other. `loadAds`: how its part for ads
 * is got. */
export function makeMarquee(from: string, loadAds: () => Promise<AdsPart>): Marquee {
  let isInit = false;
  let isStarted = false;
  /** Undefined once init() was called and the page is there. */
  let waiting: (() => void)[] | undefined = [];
  /** Calls of before init(): what they set holds for the first view. */
  let before: (() => void)[] = [];

  /** Takes effect once the page is there, and throws nothing into it: where nothing may be stored, browsers do. */
  const later =
    <T extends unknown[]>(body: (...args: T) => void) =>
    (...args: T): void => {
      if (waiting) {
        waiting.push(() => {
          later(body)(...args);
        });
        return;
      }
      try {
        body(...args);
      } catch {
        // What is not recorded is no reason to break a page.
      }
    };

  /** A frame is no page of its own. */
  const isPage = (): boolean => isStarted && window === top;

  /** Begins with what the page is, as soon as anything may be known of it; before, its slots show their house ads. */
  function start(): void {
    if (isStarted) return;
    isStarted = !!consent();
    if (isPage() && options.page !== false) view(options.page);
    scan(isStarted);
  }

  function begin(): void {
    startRecorder();
    startDelivery();
    startPages();
    startAds(loadAds);
    addEventListener(
      'click',
      ({ target }) => {
        const course = target instanceof Element && target.closest<HTMLElement>('[data-marquee-course]');
        if (course) track('course_click', { course_id: course.dataset['marqueeCourse'] });
      },
      true,
    );
    if (options.spa !== false)
      followHistory(() => {
        if (isPage()) view();
        // After what the page puts in place now.
        setTimeout(scan, 0, true);
      });
    addEventListener('pagehide', () => {
      leaveView();
      leavePage();
    });
    addEventListener('pageshow', (event) => {
      if (event.persisted && isPage()) view();
    });
    document.addEventListener('visibilitychange', hide);
    let isScanning = false;
    new MutationObserver(() => {
      if (isScanning) return;
      isScanning = true;
      requestAnimationFrame(() => {
        isScanning = false;
        scan();
      });
    }).observe(document.body, { childList: true, subtree: true });
    const calls = waiting;
    waiting = undefined;
    before.forEach((call) => {
      call();
    });
    start();
    calls?.forEach((call) => {
      call();
    });
  }

  return {
    init(given) {
      if (isInit) return;
      isInit = true;
      configure(given, from);
      before = waiting ?? [];
      waiting = [];
      // What is prepared only in case that the user comes is not a visit yet.
      if ((document as Document & { prerendering?: boolean }).prerendering) document.addEventListener('prerenderingchange', begin, { once: true });
      else if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', begin, { once: true });
      else begin();
    },
    track: later(track),
    identify: later(identify),
    consent: later((level) => {
      agree(level);
      start();
    }),
    page: later((fields) => {
      view(fields);
      scan(true);
    }),
    slot: later(useSlot),
    conversion: later((fields) => {
      track('conversion', fields);
    }),
    use: later((plugin) => {
      plugin({ options, track, each });
    }),
    flush,
  };
}
