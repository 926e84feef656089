// Why an ad was chosen, in words, from what the decision tells.
import { chanceText } from '../app/format';
import type { Explained } from '../marquee/demo';

export type Candidate = Explained['candidates'][number];

const REASONS: Record<string, string> = {
  targeting: 'Meant for others',
  dates: 'Not yet, or no longer',
  schedule: 'Not at this time of day',
  creative: 'Does not fit into this slot',
  floor: 'Bids less than the slot asks',
  blocked: 'Blocked on this page',
  budget: 'Budget is spent',
  pacing: 'Ahead of its pace',
  cap: 'Shown to you often enough',
  repeat: 'Already on this page',
  competition: 'A competitor is on this page',
  page_not_filled: 'Goes with ads that did not fit',
  lower_tier: 'Another goes first',
};

export function reasonText(because: string): string {
  return REASONS[because] ?? because;
}

const NONE: Record<string, string> = {
  unknown_slot: 'Marquee does not know this slot. Put the demo’s campaigns in place: marquee campaigns import web/demo/campaigns.json',
  no_candidate: 'No campaign may be shown here now.',
  not_logged: 'The decision could not be written down, so nothing was served.',
  not_ready: 'Marquee has only just begun, and does not know yet what was shown before.',
  timeout: 'The answer took longer than 200 ms, so the page showed its own.',
  network: 'Marquee did not answer, so the page showed its own.',
};

export function noneText(because: string): string {
  return NONE[because] ?? `The page showed its own (${because}).`;
}

/** Likeliest first; of the same chance the better score. */
export function ranked(candidates: readonly Candidate[]): Candidate[] {
  return candidates.toSorted((a, b) => b.propensity - a.propensity || b.score - a.score || a.ad_id.localeCompare(b.ad_id));
}

/** One sentence or two. */
export function whyText(placement: Explained): string {
  const chosen = placement.candidates.find((one) => one.ad_id === placement.ad_id);
  if (chosen === undefined) return '';
  const others = placement.candidates.length - 1;
  if (others === 0) return `${tierText(chosen.tier)} It was the only one that could be shown here.`.trim();
  const best = ranked(placement.candidates)[0];
  const scores = new Set(placement.candidates.map((one) => one.score));
  const among = `${tierText(chosen.tier)}Of ${others + 1} ads`;
  if (scores.size === 1) return `${among} none is known to be better here, so chance decided: ${chanceText(chosen.propensity)} for each.`;
  if (best?.ad_id === chosen.ad_id) return `${among} it is the likeliest to be clicked here, so it had ${chanceText(chosen.propensity)} of the draw.`;
  return `${among} another scored higher. This one was drawn to go on learning, with a chance of ${chanceText(chosen.propensity)}.`;
}

function tierText(tier: string): string {
  switch (tier) {
    case 'sponsorship':
      return 'A sponsor’s, meant for you, goes first. ';
    case 'guaranteed':
      return 'Meant for people like you, it goes before the rest. ';
    case 'house':
      return 'Nothing else was left, so a house ad is shown. ';
    default:
      return '';
  }
}

/** How many ads were left out for which reason, most first. */
export function leftOut(excluded: Explained['excluded']): [because: string, count: number][] {
  const counts = new Map<string, number>();
  for (const one of excluded) counts.set(one.because, (counts.get(one.because) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}
