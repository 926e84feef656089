// Which ads were seen, as IAB and MRC define it: at least half of the pixels, of large ads 30 %, in view for one second without a
// break, in a page that is visible.

const LARGE_PIXELS = 242_500;
const SHARE = 0.5;
const LARGE_SHARE = 0.3;
const SEEN_MS = 1000;

interface Watched {
  seen: () => void;
  isInView?: boolean;
  timer?: ReturnType<typeof setTimeout> | undefined;
}

const watched = new Map<Element, Watched>();
let observer: IntersectionObserver;

function drop(element: Element): void {
  clearTimeout(watched.get(element)?.timer);
  watched.delete(element);
  observer.unobserve(element);
}

function look(one: Watched, element: Element, since: number): void {
  if (!one.isInView || document.hidden) {
    clearTimeout(one.timer);
    one.timer = undefined;
  } else {
    one.timer ??= setTimeout(
      () => {
        // What has left the view already, but is not told yet, does not count.
        take(observer.takeRecords());
        if (!one.timer || watched.get(element) !== one) return;
        drop(element);
        one.seen();
      },
      SEEN_MS - performance.now() + since,
    );
  }
}

function take(entries: IntersectionObserverEntry[]): void {
  for (const { target, intersectionRatio, boundingClientRect: box, time } of entries) {
    const one = watched.get(target);
    if (!one) continue;
    // The ratio has the rounding of a division.
    one.isInView = intersectionRatio + 1e-6 >= (box.width * box.height >= LARGE_PIXELS ? LARGE_SHARE : SHARE);
    look(one, target, time);
  }
}

/** Calls `seen` once when the element has been seen. Watching an element again begins anew. */
export function watch(element: Element, seen: () => void): void {
  drop(element);
  // What the page has taken away would stay in memory.
  for (const other of watched.keys()) if (!other.isConnected) drop(other);
  watched.set(element, { seen });
  observer.observe(element);
}

export function startViewability(): void {
  observer = new IntersectionObserver(take, { threshold: [LARGE_SHARE, SHARE] });
  document.addEventListener('visibilitychange', () => {
    watched.forEach((one, element) => {
      look(one, element, performance.now());
    });
  });
}
