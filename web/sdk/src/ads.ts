// The slots of the page: finds them, asks for their ads in one request, shows them or a house ad, and watches what becomes of them.
import { fill } from './box';
import type { AdsContext } from './adsPart';
import type { Draw } from './draw';
import { middleOf, queryOf } from './geometry';
import { context } from './page';
import { consent, track, who } from './recorder';
import { options, origin } from './settings';
import type { Decision, Fields, Placement, SlotOptions, SlotStep } from './types';

const SLOT = '[data-marquee-slot]';
/** Placements that one request may have. */
const AT_ONCE = 20;
const TIMEOUT_MS = 200;
const AGAIN_MS = 4e3;

export interface Slot extends SlotOptions {
  slot_id: string;
  element: HTMLElement;
  /** What is shown, as its events say; undefined while nothing is. */
  shown?: Fields;
  /** Its impression and its clicks are counted by its addresses. */
  isServed?: boolean;
}

const slots = new Map<Element, Slot>();
let advertisers: string[] = [];
let near: IntersectionObserver;

/** marquee-ads.js */
export interface AdsPart {
  draw: Draw;
  start: (context: AdsContext) => void;
  /** Calls `seen` once when the element has been seen. Watching an element again begins anew. */
  watch: (element: Element, seen: () => void) => void;
}
let part: Promise<AdsPart> | undefined;
let load: () => Promise<AdsPart>;

/** Once there is something to show. */
function loadPart(): Promise<AdsPart> {
  return (part ??= load().then(
    (loaded) => {
      loaded.start({ slotOf, track, tell });
      return loaded;
    },
    (error: unknown) => {
      part = undefined;
      throw error;
    },
  ));
}

export type SlotTold = (slot: Slot, step: SlotStep['step'], because?: string) => void;

const tell: SlotTold = (slot, step, because) => {
  slot.element.dispatchEvent(
    new CustomEvent('marquee:slot', { bubbles: true, detail: { step, slot_id: slot.slot_id, ...slot.shown, because } }),
  );
};

/** Where an element is asked for anew it has another slot: an answer to an earlier question is too late then. */
const isCurrent = (slot: Slot): boolean => slots.get(slot.element) === slot;

function slotOf({ target }: Event): Slot | undefined {
  const element = target instanceof Element && target.closest(SLOT);
  const slot = element ? slots.get(element) : undefined;
  return slot?.shown && slot;
}

function show(slot: Slot, shown: Fields, isServed?: boolean): void {
  const { element, slot_id, position } = slot;
  const now = { slot_id, position, ...shown };
  slot.shown = now;
  slot.isServed = isServed ?? false;
  if (!isServed) track('impression', { ...now, ...middleOf(element) });
  loadPart().then(
    ({ watch }) => {
      watch(element, () => {
        if (!isCurrent(slot)) return;
        track('viewable_impression', { ...now, ...middleOf(element), visible_ms: 1000 });
        tell(slot, 'viewable');
      });
    },
    () => 0,
  );
}

function showHouse(slot: Slot, because: string): void {
  const house = slot.element.querySelector('template')?.content.cloneNode(true) ?? options.house?.();
  if (house) fill(slot.element, house);
  show(slot, { house: because });
  tell(slot, 'house', because);
}

async function showAd(slot: Slot, { ad, because, propensity, ...urls }: Placement, decision: Decision, draw: Draw): Promise<void> {
  const { element } = slot;
  let drawn: Node[] | undefined;
  try {
    if (ad) drawn = await draw(ad.creative, origin + (urls.click_url ?? ''), options.target ?? '_top');
  } catch {
    because = 'creative';
  }
  if (!isCurrent(slot)) return;
  if (!ad || !drawn) {
    showHouse(slot, because ?? '');
    return;
  }
  fill(element, ...drawn);
  if (ad.advertiser) advertisers.push(ad.advertiser);
  show(
    slot,
    {
      ad_id: ad.id,
      campaign_id: ad.campaign_id,
      decision_id: decision.decision_id,
      propensity,
      // Versions of a policy are one policy to reports.
      policy: decision.policy?.replace(/-\d+$/, ''),
    },
    true,
  );
  const load = (): Promise<unknown> =>
    fetch(origin + (urls.impression_url ?? '') + queryOf(middleOf(element)), {
      mode: 'no-cors',
      credentials: 'omit',
      keepalive: true,
    });
  load().catch(() => setTimeout(() => void load().catch(() => 0), AGAIN_MS));
  tell(slot, 'rendered');
}

async function ask(some: Slot[]): Promise<void> {
  const rest = some.splice(AT_ONCE);
  const may = consent();
  const signal = AbortSignal.timeout(Math.min(options.timeout ?? TIMEOUT_MS, TIMEOUT_MS));
  let because = 'consent';
  let answer: Decision | undefined;
  let draw: Draw | undefined;
  some.forEach((slot) => {
    tell(slot, 'asked');
  });
  try {
    if (may) {
      const loading = loadPart();
      loading.catch(() => 0);
      const response = await fetch(origin + '/v1/decisions', {
        method: 'POST',
        body: JSON.stringify({
          placements: some.map(({ slot_id, position }) => ({ slot_id, position })),
          ...context,
          consent: may,
          ...(await who()),
          filters: { advertisers_on_page: advertisers },
        }),
        credentials: 'omit',
        headers: { Authorization: 'Bearer ' + options.key },
        signal,
      });
      because = `http_${response.status}`;
      if (response.ok) {
        answer = (await response.json()) as Decision;
        ({ draw } = await Promise.race([loading, new Promise<never>((_, reject) => (signal.onabort = reject))]));
      }
    }
  } catch {
    because = signal.aborted ? 'timeout' : 'network';
  }
  some.forEach((slot, i) => {
    const placement = answer?.placements[i];
    if (!isCurrent(slot)) return;
    if (answer && placement && draw) void showAd(slot, placement, answer, draw);
    else showHouse(slot, because);
  });
  if (rest.length) await ask(rest);
}

function add(element: HTMLElement, more?: SlotOptions): Slot {
  const { marqueeSlot = '', marqueeAd, marqueeCampaign } = element.dataset;
  const slot: Slot = {
    slot_id: marqueeSlot,
    position: Math.min(slots.size + 1, 255),
    ...(marqueeAd && { ad: { ad_id: marqueeAd, campaign_id: marqueeCampaign } }),
    ...more,
    element,
  };
  slots.set(element, slot);
  return slot;
}

function take(found: Slot[]): void {
  const asked = found.filter((slot) => {
    if (!slot.ad) {
      // What has no height has no place reserved, and would move the page: it stays as it is.
      return slot.element.offsetHeight;
    }
    show(slot, { ...slot.ad });
    tell(slot, 'rendered');
    return false;
  });
  // A page of many slots asks for those that come near.
  if (asked.length > AT_ONCE) {
    asked.forEach((slot) => {
      near.observe(slot.element);
    });
  } else if (asked.length) void ask(asked);
}

/** Looks for slots that are new; `again`: asks for those that are there anew. */
export function scan(again?: boolean): void {
  if (again) {
    slots.clear();
    advertisers = [];
  }
  take([...document.querySelectorAll<HTMLElement>(SLOT)].filter((element) => !slots.has(element)).map((element) => add(element)));
}

export function useSlot(where: Element | string, more?: SlotOptions): void {
  const element =
    typeof where === 'string' ? (document.querySelector(`[data-marquee-slot=${CSS.escape(where)}]`) ?? document.getElementById(where)) : where;
  if (!(element instanceof HTMLElement)) return;
  element.dataset['marqueeSlot'] ??= more?.slot_id ?? element.id;
  take([add(element, more)]);
}

export function startAds(given: typeof load): void {
  load = given;
  near = new IntersectionObserver(
    (entries) => {
      const some = entries.flatMap(({ target, isIntersecting }) => {
        if (!isIntersecting) return [];
        near.unobserve(target);
        return slots.get(target) ?? [];
      });
      if (some.length) void ask(some);
    },
    { rootMargin: '100%' },
  );
}
