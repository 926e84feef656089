import { messages as m } from '../i18n/messages';
import { dismiss, hold, takeBack, useToasts } from '../state/toasts';
import { Button } from '../ui/Button';
import { CloseIcon } from '../ui/icons';
import '../styles/toasts.css';

/** Loaded with the first view that changes something, and kept over views. */
export default function Toasts() {
  const toasts = useToasts();
  return (
    <div className="toasts" role="status" aria-live="polite">
      {toasts.map(({ key, text, tone, undo }) => (
        <div
          key={key}
          className={tone === 'bad' ? 'toast bad' : 'toast'}
          onPointerEnter={() => { hold(key, true); }}
          onPointerLeave={() => { hold(key, false); }}
          onFocus={() => { hold(key, true); }}
          onBlur={() => { hold(key, false); }}
        >
          <span>{text}</span>
          {undo === undefined ? null : (
            <Button look="quiet" onPress={() => { takeBack(key); }}>
              {m.action.undo}
            </Button>
          )}
          <Button look="quiet" icon aria-label={m.action.dismiss} onPress={() => { dismiss(key); }}>
            <CloseIcon />
          </Button>
        </div>
      ))}
    </div>
  );
}
