import type { ReactNode } from 'react';
import { messages as m } from '../i18n/messages';
import { Empty, Failure } from './states';

interface Props {
  /** What is shown answers what was asked before. */
  isOld: boolean;
  isBusy: boolean;
  error: Error | undefined;
  onRetry: () => void;
  /** What is said where there is nothing; without it, there is something. */
  empty: { readonly title: string; readonly advice: ReactNode } | undefined;
  children: ReactNode;
}

/** The answer of a view; in its place why there is none, or that there is nothing yet. */
export function AnswerFrame({ isOld, isBusy, error, onRetry, empty, children }: Props) {
  return (
    <div className={isOld ? 'stack refreshing' : 'stack'} aria-busy={isBusy}>
      {error !== undefined ? (
        <div className="card">
          <Failure error={error} onRetry={onRetry} />
        </div>
      ) : empty !== undefined ? (
        <div className="card">
          <Empty title={empty.title} command={m.commands.simulate}>
            {empty.advice}
          </Empty>
        </div>
      ) : (
        children
      )}
    </div>
  );
}
