import { useState } from 'react';
import { tell, tellFailure } from './toasts';

interface Removal {
  readonly id: string;
  readonly told: string;
  /** Before the reason, where it could not be removed. */
  readonly failed: string;
  readonly forget: () => Promise<void>;
  /** The same while the page goes away, when nobody waits for an answer any more. */
  readonly forgetLeaving: () => void;
}

/**
 * What is removed goes at once from the page, and from Marquee when it was not taken back: made again it would have another id, and
 * addresses that name it would be dead. Tells which are going.
 */
export function useRemoval(renew: () => Promise<unknown>): [ReadonlySet<string>, (removal: Removal) => void] {
  const [leaving, setLeaving] = useState<ReadonlySet<string>>(new Set());
  function remove({ id, told, failed, forget, forgetLeaving }: Removal) {
    const back = () => { setLeaving((before) => new Set([...before].filter((one) => one !== id))); };
    setLeaving((before) => new Set([...before, id]));
    tell({
      text: told,
      undo: back,
      settle: (isLeaving) => {
        if (isLeaving) {
          forgetLeaving();
          return;
        }
        void forget()
          .catch((error: unknown) => {
            tellFailure(failed, error);
            back();
          })
          .then(renew);
      },
    });
  }
  return [leaving, remove];
}
