import { settingsMessages as words } from '../i18n/settingsMessages';
import type { Role } from '../state/session';
import { EmptyIcon } from '../ui/icons';

export default function NotAllowed({ least }: { least: Role }) {
  return (
    <div className="notice">
      <EmptyIcon />
      <h1>{words.notAllowed}</h1>
      <p>{words.notAllowedAdvice(words.roles[least])}</p>
    </div>
  );
}
