import { describe, expect, it } from 'vitest';
import type { Explained } from '../src/marquee/demo';
import { leftOut, noneText, ranked, reasonText, whyText } from '../src/panel/why';

function candidate(ad_id: string, score: number, propensity: number, tier = 'standard'): Explained['candidates'][number] {
  return { ad_id, campaign_id: ad_id, tier, score, propensity };
}

function placement(ad_id: string, ...candidates: Explained['candidates']): Explained {
  return { slot_id: 'home-top', position: 1, ad_id, propensity: 0.5, candidates, excluded: [] };
}

describe('why an ad is shown', () => {
  it('says that the best one won', () => {
    expect(whyText(placement('a', candidate('a', 0.04, 0.97), candidate('b', 0.01, 0.03)))).toBe(
      'Of 2 ads it is the likeliest to be clicked here, so it had 97% of the draw.',
    );
  });

  it('says that another one was drawn to go on learning', () => {
    expect(whyText(placement('b', candidate('a', 0.04, 0.97), candidate('b', 0.01, 0.03)))).toMatch(/another scored higher.*go on learning.*3%/);
  });

  it('says that chance decided where nothing is known', () => {
    expect(whyText(placement('b', candidate('a', 0.01, 0.5), candidate('b', 0.01, 0.5)))).toMatch(/chance decided: 50% for each/);
  });

  it('says that a tier goes before others, and that there was one ad only', () => {
    expect(whyText(placement('a', candidate('a', 0.01, 1, 'guaranteed')))).toMatch(/goes before the rest.*only one/);
    expect(whyText(placement('a', candidate('a', 0.01, 1, 'house')))).toMatch(/house ad/);
  });

  it('ranks by chance, then by score', () => {
    expect(ranked([candidate('a', 0.1, 0.1), candidate('b', 0.2, 0.1), candidate('c', 0, 0.8)]).map((one) => one.ad_id)).toEqual(['c', 'b', 'a']);
  });

  it('counts what was left out by reason', () => {
    const excluded = ['targeting', 'cap', 'targeting'].map((because, i) => ({ ad_id: String(i), campaign_id: 'c', because }));
    expect(leftOut(excluded)).toEqual([['targeting', 2], ['cap', 1]]);
  });

  it('has words for reasons, and passes those that it does not know', () => {
    expect(reasonText('cap')).toBe('Shown to you often enough');
    expect(reasonText('moon')).toBe('moon');
    expect(noneText('moon')).toContain('moon');
  });
});
