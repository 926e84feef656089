// What pages give to marquee.js and get from it.

/** What the user has agreed to; without any say, the site's setting decides on the server. */
export type Consent = 'full' | 'contextual' | 'denied' | 'unknown';

/** Event types that the server knows; every other name is sent as `custom` with `props.name`. */
export type EventType =
  | 'page_view'
  | 'page_leave'
  | 'impression'
  | 'viewable_impression'
  | 'hover'
  | 'click'
  | 'scroll'
  | 'search'
  | 'course_view'
  | 'course_click'
  | 'conversion'
  | 'exposure'
  | 'custom';

export type Json = string | number | boolean | null | undefined | Json[] | { [name: string]: Json };

/** Fields of an event, as in api/openapi.yaml; those that the server does not know it keeps in props. */
export type Fields = Record<string, Json>;

/** Who the user is; sent and used only with consent, of nobody under 18. */
export interface Traits {
  age?: number;
  college_id?: string;
  program?: string;
  year_of_study?: number;
  city?: string;
  /** For the targeting of ads only. */
  attributes?: Record<string, string>;
}

export interface PageFields {
  /** What reports call the page. Without it: `data-marquee-page` of the body, or the path. */
  page_id?: string;
  page_path?: string;
  course_id?: string;
  /** For the targeting of ads only. */
  course_category?: string;
  /** What the user searches for here; without it, what the address says (`Options.search`). */
  query?: string;
  /** How much was found. */
  results_count?: number;
}

export interface Options {
  site: string;
  /** Write key of the site. */
  key: string;
  /** Origin of Marquee. Without it: where the script came from, or the page's own. */
  url?: string;
  /** `required`: nothing is stored or sent until consent() says what may be. */
  consent?: Consent | 'required';
  /** The user is under 18, or may be: contextual only, whatever was agreed. So it is with an `age` under 18. */
  minor?: boolean;
  user?: string | null;
  traits?: Traits;
  /** Of the first page view; `false`: none until page() is called. */
  page?: PageFields | false;
  /** Whether to follow the History API (default true). */
  spa?: boolean;
  /** Parameters of the address that hold what was searched for (default q, query, search); none: []. */
  search?: string[];
  /** How long an answer with ads is waited for, in ms (default and most: 200). */
  timeout?: number;
  /** Where an ad's link opens: `_top` (default), `_blank` ... */
  target?: string;
  /** Shown where there is no ad and the slot has no `<template>` of its own. */
  house?: () => Node;
}

/** An ad that the page itself shows: marquee.js counts its impression, views, hovers and clicks. */
export interface OwnAd {
  ad_id: string;
  campaign_id?: string | undefined;
}

export interface SlotOptions {
  slot_id?: string;
  position?: number;
  /** The page fills the slot itself. */
  ad?: OwnAd;
}

export interface Creative {
  kind: 'image' | 'text' | 'card' | 'html';
  width: number;
  height: number;
  fields: Record<string, unknown>;
}

/** A placement of the answer of POST /v1/decisions. */
export interface Placement {
  slot_id: string;
  position: number;
  ad: { id: string; campaign_id: string; advertiser?: string; creative: Creative } | null;
  propensity?: number;
  impression_url?: string;
  click_url?: string;
  because?: string;
}

export interface Decision {
  decision_id: string;
  policy?: string;
  placements: Placement[];
}

/** `detail` of the DOM event `marquee:slot`, which is dispatched on a slot (and bubbles) at each step. */
export interface SlotStep {
  step: 'asked' | 'rendered' | 'house' | 'viewable' | 'click';
  slot_id: string;
  ad_id?: string;
  campaign_id?: string;
  decision_id?: string;
  /** Why a house ad is shown: timeout, network, http_<status>, creative, or the server's word. */
  because?: string;
}

export interface PluginContext {
  options: Options;
  track: (type: string, fields?: Fields) => void;
  /** Sees every event before it is kept; what returns false is dropped. */
  each: (listener: (event: Fields) => boolean | undefined) => void;
}
export type Plugin = (context: PluginContext) => void;

export interface Marquee {
  init: (options: Options) => void;
  /** An event of a known type, or one of your own name. */
  track: (type: string, fields?: Fields) => void;
  /** Who the user is from now on; null: nobody any more. */
  identify: (user: string | null, traits?: Traits) => void;
  /** What the user has agreed to. `denied` forgets what is stored and ends everything. */
  consent: (level: Consent) => void;
  /** A page view: where `page: false` was given, or what the History API does not tell. Asks for ads anew. */
  page: (fields?: PageFields) => void;
  /** A slot that has no `data-marquee-slot`, or is to be filled anew: an element, its id, or its slot_id. */
  slot: (where: Element | string, options?: SlotOptions) => void;
  conversion: (fields?: Fields) => void;
  use: (plugin: Plugin) => void;
  /** Sends what is waiting; resolves after the attempt. */
  flush: () => Promise<void>;
}
