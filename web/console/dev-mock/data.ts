// Answers that look like the sample data, for working on the console without a running Marquee. Never part of a build.

/** A small seeded generator (mulberry32), so that a picture is the same after each reload. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function rate(impressions: number, clicks: number) {
  const z = 1.959964;
  const p = impressions === 0 ? 0 : clicks / impressions;
  const d = 1 + (z * z) / impressions;
  const centre = (p + (z * z) / (2 * impressions)) / d;
  const half = (z * Math.sqrt((p * (1 - p)) / impressions + (z * z) / (4 * impressions * impressions))) / d;
  return { impressions, clicks, ctr: p, ctr_low: impressions === 0 ? 0 : Math.max(0, centre - half), ctr_high: impressions === 0 ? 0 : centre + half };
}
