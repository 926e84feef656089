// What became of the page's slots, and why.
import { useLayoutEffect, useState } from 'preact/hooks';
import { askDecision } from '../marquee/demo';
import type { Decision, Explained } from '../marquee/demo';
import type { SlotStep } from '../marquee/live';
import { learnDecision } from './names';

export interface Filled {
  slot: string;
  step: SlotStep['step'];
  isViewed: boolean;
  isClicked: boolean;
  because: string;
  decision: Decision | undefined;
  explained: Explained | undefined;
}

function isStep(event: Event): event is CustomEvent<SlotStep> {
  return event instanceof CustomEvent && typeof (event.detail as SlotStep | null)?.slot_id === 'string';
}

/** By slot, in the order of the page; anew for each `page`. */
export function useDecisions(page: string): Filled[] {
  const [filled, setFilled] = useState<ReadonlyMap<string, Filled>>(new Map());
  // Before the page asks for its ads, which it does as it is laid out: so that slots are heard of in their order.
  useLayoutEffect(() => {
    let isOver = false;
    const asked = new Map<string, Promise<Decision | null>>();
    const change = (slot: string, how: (old: Filled) => Filled): void => {
      if (isOver) return;
      setFilled((all) => {
        const old = all.get(slot) ?? { slot, step: 'asked', isViewed: false, isClicked: false, because: '', decision: undefined, explained: undefined };
        return new Map(all).set(slot, how(old));
      });
    };
    const explain = async (slot: string, id: string): Promise<void> => {
      let answer = asked.get(id);
      if (answer === undefined) asked.set(id, (answer = askDecision(id)));
      const decision = await answer;
      if (decision === null) return;
      learnDecision(decision);
      change(slot, (old) => ({ ...old, decision, explained: decision.placements.find((one) => one.slot_id === slot) }));
    };
    const hear = (event: Event): void => {
      if (!isStep(event)) return;
      const { step, slot_id, decision_id, because } = event.detail;
      change(slot_id, (old) => ({
        ...old,
        step: step === 'asked' || step === 'rendered' || step === 'house' ? step : old.step,
        isViewed: old.isViewed || step === 'viewable',
        isClicked: old.isClicked || step === 'click',
        because: because ?? old.because,
      }));
      if (step === 'rendered' && decision_id !== undefined) void explain(slot_id, decision_id);
    };
    document.addEventListener('marquee:slot', hear);
    setFilled(new Map());
    return () => {
      isOver = true;
      document.removeEventListener('marquee:slot', hear);
    };
  }, [page]);
  return [...filled.values()];
}
