// The views that a person goes to, in their order and groups.
import type { ComponentType } from 'react';
import { messages as m } from '../i18n/messages';
import type { Role } from '../state/session';
import { AlertsIcon, CampaignsIcon, CtrIcon, ExploreIcon, FunnelIcon, HeatmapIcon, LiveIcon, OverviewIcon, PathsIcon, PersonalizationIcon, PipelineIcon, RetentionIcon, SavedIcon, SegmentsIcon, SettingsIcon, SqlIcon } from '../ui/icons';

type ViewPath =
  | '/overview' | '/ctr' | '/explore' | '/sql' | '/heatmap' | '/saved' | '/funnel' | '/retention' | '/paths' | '/campaigns' | '/segments' | '/personalization' | '/live' | '/alerts'
  | '/pipeline' | '/settings';

export interface ViewLink {
  readonly to: ViewPath;
  readonly label: string;
  readonly Icon: ComponentType;
  /** Has its place in a phone's bottom bar; the others are behind "More" there. */
  readonly isFirst?: boolean;
  /** The least role that it is of use for; without it, everybody's. */
  readonly least?: Role;
}

export const groups: readonly { readonly label: string; readonly views: readonly ViewLink[] }[] = [
  {
    label: m.nav.reports,
    views: [
      { to: '/overview', label: m.nav.overview, Icon: OverviewIcon, isFirst: true },
      { to: '/ctr', label: m.nav.ctr, Icon: CtrIcon, isFirst: true },
      { to: '/explore', label: m.nav.explore, Icon: ExploreIcon, least: 'analyst' },
      { to: '/sql', label: m.nav.sql, Icon: SqlIcon, least: 'analyst' },
      { to: '/heatmap', label: m.nav.heatmap, Icon: HeatmapIcon },
      { to: '/funnel', label: m.nav.funnel, Icon: FunnelIcon },
      { to: '/retention', label: m.nav.retention, Icon: RetentionIcon },
      { to: '/paths', label: m.nav.paths, Icon: PathsIcon },
      { to: '/saved', label: m.nav.saved, Icon: SavedIcon },
    ],
  },
  {
    label: m.nav.ads,
    views: [
      { to: '/campaigns', label: m.nav.campaigns, Icon: CampaignsIcon, isFirst: true },
      { to: '/segments', label: m.nav.segments, Icon: SegmentsIcon },
      { to: '/personalization', label: m.nav.personalization, Icon: PersonalizationIcon },
    ],
  },
  {
    label: m.nav.now,
    views: [
      { to: '/live', label: m.nav.live, Icon: LiveIcon, isFirst: true },
      { to: '/alerts', label: m.nav.alerts, Icon: AlertsIcon, least: 'manager' },
      { to: '/pipeline', label: m.nav.pipeline, Icon: PipelineIcon },
    ],
  },
];
/** It stands by who is signed in, and not among the others. */
export const settings: ViewLink = { to: '/settings', label: m.nav.settings, Icon: SettingsIcon };
export const views = [...groups.flatMap((group) => group.views), settings];

export interface Carried {
  site?: string;
  segment?: string;
  from?: string;
  to?: string;
  last?: '15m' | '1h' | '24h' | '7d' | '30d';
}

/** What goes along to another view; what belongs to one view stays behind. */
export function carried(previous: Carried): Carried {
  const { site, segment, from, to, last } = previous;
  return {
    ...(site === undefined ? {} : { site }),
    ...(segment === undefined ? {} : { segment }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(last === undefined ? {} : { last }),
  };
}
