/** Milliseconds to wait before the nth attempt in a row (from 0): doubling from `base` to `cap`, spread so that many readers
 * do not return at once. `random` is in [0, 1). */
export function backoff(attempt: number, random: number, base = 500, cap = 15_000): number {
  const full = Math.min(cap, base * 2 ** Math.min(attempt, 16));
  return Math.round(full * (0.5 + random / 2));
}
