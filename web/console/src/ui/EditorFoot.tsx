import { messages as m } from '../i18n/messages';
import { Button } from './Button';

interface Props {
  /** What is being kept cannot be kept again meanwhile. */
  isBusy: boolean;
  /** Why it could not be kept, or cannot; empty: nothing. */
  problem: string;
  onCancel: () => void;
  /** Of the button that keeps it; without it, Save. */
  label?: string;
}

/** The end of a form: keeps it, leaves it, and says what is wrong with it. */
export function EditorFoot({ isBusy, problem, onCancel, label = m.action.save }: Props) {
  return (
    <div className="editor-foot">
      <Button look="primary" type="submit" disabled={isBusy}>
        {label}
      </Button>
      <Button onPress={onCancel}>{m.action.cancel}</Button>
      <p className="problem" role="alert">
        {problem}
      </p>
    </div>
  );
}
