import { InfoIcon } from './actionIcons';
import { CheckIcon, WarningIcon } from './icons';

export type Tone = 'good' | 'quiet' | 'warn' | 'bad';

/** How things stand, beside the sentence that says so. */
export function ToneMark({ tone }: { tone: Tone }) {
  return <span className={`tone-mark ${tone}`}>{tone === 'good' ? <CheckIcon /> : tone === 'quiet' ? <InfoIcon /> : <WarningIcon />}</span>;
}
