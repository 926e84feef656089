import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { segmentsQuery } from '../api/segmentList';
import { messages as m } from '../i18n/messages';
import { Choice } from './Choice';

const EVERYONE = '-';

/** Narrows a report to the users of a segment. Always in its place, so that nothing moves when the segments are there. */
export function SegmentChoice({ site, segment }: { site: string; segment: string | undefined }) {
  const navigate = useNavigate();
  const { data = [] } = useQuery(segmentsQuery(site));
  // Live rules have no users that a report could count.
  const segments = data.filter(({ definition }) => definition.kind !== 'live');
  const known = segments.some(({ id }) => id === segment);
  const options = [{ value: EVERYONE, label: m.segment.everyone }, ...segments.map(({ id, title }) => ({ value: id, label: title }))];
  if (segment !== undefined && !known) options.push({ value: segment, label: m.segment.unknown });
  return (
    <Choice
      label={m.segment.label}
      value={segment ?? EVERYONE}
      options={options}
      onChange={(next) => void navigate({ to: '.', resetScroll: false, search: ({ segment: _segment, ...others }) => (next === EVERYONE ? others : { ...others, segment: next }) })}
    />
  );
}
