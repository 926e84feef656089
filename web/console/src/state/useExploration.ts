import { useEffect, useState } from 'react';
import { explorationOf, explore, type Exploration, type Question, type ReportModel } from '../api/explore';

export interface Exploring {
  /** The newest step of the newest answer; of the question before while nothing of this one is there. */
  readonly exploration: Exploration | undefined;
  readonly isRunning: boolean;
  /** What is shown answers another question. */
  readonly isOld: boolean;
  readonly error: Error | undefined;
}

interface Kept {
  readonly key: string;
  readonly exploration: Exploration | undefined;
  readonly isOver: boolean;
  readonly error: Error | undefined;
}

/** Asks as soon as the question is another, and leaves the one before. Undefined: there is nothing to ask yet. */
export function useExploration(question: Question | undefined, model: ReportModel | undefined, attempt: number): Exploring {
  const [kept, setKept] = useState<Kept>({ key: '', exploration: undefined, isOver: false, error: undefined });
  const key = question === undefined ? '' : `${attempt} ${JSON.stringify(question)}`;
  useEffect(() => {
    if (key === '' || model === undefined) return;
    const stop = new AbortController();
    const asked = JSON.parse(key.slice(key.indexOf(' ') + 1)) as Question;
    explore(asked, stop.signal, (report) => {
      setKept({ key, exploration: explorationOf(report, model), isOver: false, error: undefined });
    })
      .then(() => { setKept((now) => ({ ...now, key, isOver: true, error: undefined })); })
      .catch((error: unknown) => {
        if (!stop.signal.aborted) setKept((now) => ({ ...now, key, isOver: true, error: error instanceof Error ? error : new Error(String(error)) }));
      });
    return () => {
      stop.abort();
    };
  }, [key, model]);
  const isOld = kept.key !== key;
  return { exploration: kept.exploration, isRunning: key !== '' && (isOld || !kept.isOver), isOld, error: isOld ? undefined : kept.error };
}
