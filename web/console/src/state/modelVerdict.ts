// What the model's numbers come to, and how two policies compare: which sentences they are is the view's matter.
import type { CtrGroup, Rate } from '../api/model';
import type { Models } from '../api/personalization';
import type { Tone } from '../ui/ToneMark';

/** Below these a quality is mostly luck. */
const FEW_IMPRESSIONS = 1000;
const FEW_CLICKS = 30;
/** Predicted over actual clicks: outside, bids and budgets reckon with clicks that do not come, or miss some that do. */
const CALIBRATED = [0.8, 1.25] as const;
const HOUR = 3_600_000;

export type ModelVerdict = 'none' | 'early' | 'rolledBack' | 'useless' | 'predictsTooMany' | 'predictsTooFew' | 'good';

export function modelVerdict({ served, versions, rollBacks }: Models): ModelVerdict {
  if (served.policy === undefined || served.impressions === 0) return 'none';
  const newest = versions[0]?.time ?? 0;
  const back = rollBacks[0]?.time;
  if (back !== undefined && newest - back < HOUR) return 'rolledBack';
  if (served.impressions < FEW_IMPRESSIONS || served.clicks < FEW_CLICKS) return 'early';
  if (served.normalizedEntropy >= 1) return 'useless';
  if (served.calibration > CALIBRATED[1]) return 'predictsTooMany';
  return served.calibration < CALIBRATED[0] ? 'predictsTooFew' : 'good';
}

export function toneOfVerdict(verdict: ModelVerdict): Tone {
  if (verdict === 'good') return 'good';
  return verdict === 'none' || verdict === 'early' ? 'quiet' : 'warn';
}

export interface Lift {
  /** The rate of the one over that of the other, and its 95% interval (Katz: normal in the logarithm). */
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}

/** Undefined where one of them has no click: a ratio of nothing says nothing. */
export function liftOf(one: Rate, other: Rate): Lift | undefined {
  if (one.clicks === 0 || other.clicks === 0) return undefined;
  const ratio = one.ctr / other.ctr;
  const deviation = Math.sqrt(1 / one.clicks - 1 / one.impressions + 1 / other.clicks - 1 / other.impressions);
  const spread = Math.exp(1.959964 * deviation);
  return { ratio, low: ratio / spread, high: ratio * spread };
}

const CHANCE = ['uniform', 'random'];

export interface PolicyComparison {
  readonly one: CtrGroup;
  readonly chance: CtrGroup;
  readonly lift: Lift;
}

/** The learned policy, or the one that showed most, against the one that draws by chance; undefined where either did not serve. */
export function comparePolicies(groups: readonly CtrGroup[]): PolicyComparison | undefined {
  const name = (group: CtrGroup) => group.keys[0] ?? '';
  const most = groups.toSorted((a, b) => b.impressions - a.impressions);
  const chance = most.find((group) => CHANCE.includes(name(group)));
  const others = most.filter((group) => !CHANCE.includes(name(group)) && name(group) !== '');
  const one = others.find((group) => name(group).startsWith('learned')) ?? others[0];
  const lift = one === undefined || chance === undefined ? undefined : liftOf(one, chance);
  return one === undefined || chance === undefined || lift === undefined ? undefined : { one, chance, lift };
}
