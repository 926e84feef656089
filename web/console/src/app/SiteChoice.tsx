import { useNavigate } from '@tanstack/react-router';
import { useSite } from '../state/useSite';
import { messages as m } from '../i18n/messages';
import { Choice } from '../ui/Choice';
import { Skeleton } from '../ui/states';

export function SiteChoice() {
  const { sites, site } = useSite();
  const navigate = useNavigate();
  if (site === undefined) {
    return (
      <div className="field">
        <Skeleton height={34} />
      </div>
    );
  }
  return (
    <Choice
      label={m.site.label}
      hideLabel
      value={site.id}
      options={sites.map((candidate) => ({ value: candidate.id, label: candidate.name }))}
      onChange={(id) => {
        // Another site has other times, dimensions and steps: its defaults apply.
        void navigate({ to: '.', search: { site: id } });
      }}
    />
  );
}
