import { manageMessages as words } from '../i18n/manageMessages';
import type { Standing } from '../state/campaignDraft';

export function StandingChip({ standing }: { standing: Standing }) {
  return <span className={`chip standing ${standing}`}>{words.standings[standing]}</span>;
}
