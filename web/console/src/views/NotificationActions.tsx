import { Link } from '@tanstack/react-router';
import { alertMessages as words } from '../i18n/alertMessages';
import { format } from '../i18n/format';
import type { AlertsSearch } from '../state/search';
import { EditIcon, ListIcon, PauseIcon, PlayIcon, SendIcon } from '../ui/actionIcons';
import { Button } from '../ui/Button';
import { CloseIcon } from '../ui/icons';

/** When something is due: it may be so already, and wait for its turn. */
export function nextText(time: number | undefined, now: number): string {
  if (time === undefined) return '–';
  return time <= now ? words.soon : words.inTime(format.duration(Math.max(1000, time - now)));
}

interface ActionsProps {
  id: string;
  name: string;
  isPaused: boolean;
  search: AlertsSearch;
  sendLabel: string;
  onSend: () => void;
  onPause: () => void;
  onRemove: () => void;
}

/** What can be done with an alert or a delivery. */
export function NotificationActions({ id, name, isPaused, search, sendLabel, onSend, onPause, onRemove }: ActionsProps) {
  const pauseLabel = isPaused ? words.resume(name) : words.pause(name);
  const { open: _open, ...others } = search;
  return (
    <span className="row-actions">
      <Link to="/alerts" search={search.open === id ? others : { ...search, open: id }} resetScroll={false} className="button quiet icon" aria-label={words.notices(name)} title={words.notices(name)}>
        <ListIcon />
      </Link>
      <Button look="quiet" icon aria-label={sendLabel} title={sendLabel} onPress={onSend}>
        <SendIcon />
      </Button>
      <Button look="quiet" icon aria-label={pauseLabel} title={pauseLabel} onPress={onPause}>
        {isPaused ? <PlayIcon /> : <PauseIcon />}
      </Button>
      <Link to="/alerts" search={{ ...others, edit: id }} className="button quiet icon" aria-label={words.edit(name)} title={words.edit(name)}>
        <EditIcon />
      </Link>
      <Button look="quiet" icon aria-label={words.remove(name)} title={words.remove(name)} onPress={onRemove}>
        <CloseIcon />
      </Button>
    </span>
  );
}
