import { messages as m } from '../i18n/messages';
import { Button } from './Button';

interface Props {
  /** Whether who looks at it may keep it; if not, it can only be left. Without it, yes. */
  mayKeep?: boolean;
  /** What is being kept cannot be kept again meanwhile. */
  isBusy: boolean;
  /** Why it could not be kept, or cannot; empty: nothing. */
  problem: string;
  onCancel: () => void;
  /** Of the button that keeps it; without it, Save. */
  label?: string;
}

/** The end of a form: keeps it, leaves it, and says what is wrong with it. */
export function EditorFoot({ mayKeep = true, isBusy, problem, onCancel, label = m.action.save }: Props) {
  return (
    <div className="editor-foot">
      {mayKeep ? (
        <Button look="primary" type="submit" disabled={isBusy}>
          {label}
        </Button>
      ) : null}
      <Button onPress={onCancel}>{mayKeep ? m.action.cancel : m.action.back}</Button>
      <p className="problem" role="alert">
        {problem}
      </p>
    </div>
  );
}
