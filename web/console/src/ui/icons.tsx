import type { ReactNode } from 'react';

export function icon(paths: ReactNode, box = 20) {
  return function Icon() {
    return (
      <svg
        viewBox={`0 0 ${box} ${box}`}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.6"
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
      >
        {paths}
      </svg>
    );
  };
}

export const CtrIcon = icon(
  <>
    <path d="M5 4v12M10 7v9M15 3v9" />
    <path d="M3.5 4h3M3.5 16h3M8.5 7h3M8.5 16h3M13.5 3h3M13.5 12h3" />
    <circle cx="5" cy="10" r="1.6" fill="currentColor" stroke="none" />
    <circle cx="10" cy="12" r="1.6" fill="currentColor" stroke="none" />
    <circle cx="15" cy="7" r="1.6" fill="currentColor" stroke="none" />
  </>,
);
export const HeatmapIcon = icon(
  <>
    <rect x="3" y="3" width="14" height="14" rx="2.5" />
    <path d="M3 10h14M10 3v14" />
    <path d="M12 12h3v3h-3z" fill="currentColor" />
  </>,
);
export const FunnelIcon = icon(<path d="M3 4h14l-5.2 6.4V16l-3.6-2v-3.6z" />);
export const CampaignsIcon = icon(
  <>
    <path d="M3 16.5h14" />
    <path d="M3.5 12.5 7.5 8l3.2 2.8L16.5 4" />
  </>,
);
export const LiveIcon = icon(
  <>
    <circle cx="10" cy="10" r="1.8" fill="currentColor" stroke="none" />
    <path d="M6.3 13.7a5.2 5.2 0 0 1 0-7.4M13.7 6.3a5.2 5.2 0 0 1 0 7.4M3.8 16.2a8.7 8.7 0 0 1 0-12.4M16.2 3.8a8.7 8.7 0 0 1 0 12.4" />
  </>,
);
export const PipelineIcon = icon(
  <>
    <path d="M2.5 5.5h4l3.5 4.5-3.5 4.5h-4M10 10h3" />
    <rect x="13" y="6.5" width="4.5" height="7" rx="1.6" />
  </>,
);
export const ChevronDown = icon(<path d="m5 7.5 5 5 5-5" />);
export const ArrowUp = icon(<path d="M10 16V4m-5 5 5-5 5 5" />);
export const ArrowDown = icon(<path d="M10 4v12m-5-5 5 5 5-5" />);
export const CloseIcon = icon(<path d="m5 5 10 10M15 5 5 15" />);
export const PlusIcon = icon(<path d="M10 4v12M4 10h12" />);
export const CalendarIcon = icon(
  <>
    <rect x="3" y="4.5" width="14" height="12.5" rx="2" />
    <path d="M3 8.5h14M7 2.5v4M13 2.5v4" />
  </>,
);
export const SunIcon = icon(
  <>
    <circle cx="10" cy="10" r="3.4" />
    <path d="M10 2v1.6M10 16.4V18M2 10h1.6M16.4 10H18M4.3 4.3l1.2 1.2M14.5 14.5l1.2 1.2M15.7 4.3l-1.2 1.2M5.5 14.5l-1.2 1.2" />
  </>,
);
export const MoonIcon = icon(<path d="M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3z" />);
export const SystemIcon = icon(
  <>
    <rect x="2.5" y="3.5" width="15" height="10.5" rx="2" />
    <path d="M7 17h6M10 14v3" />
  </>,
);
export const SignOutIcon = icon(<path d="M8 3.5H5.5a2 2 0 0 0-2 2v9a2 2 0 0 0 2 2H8M12.5 13.5 16 10l-3.5-3.5M16 10H8" />);
export const WarningIcon = icon(
  <>
    <path d="M10 3 2.2 16.5h15.6z" />
    <path d="M10 8v4M10 14.2v.1" />
  </>,
);
export const MoreIcon = icon(<path d="M4.5 10h.1M10 10h.1M15.5 10h.1" strokeWidth="2.6" />);
export const PersonalizationIcon = icon(
  <>
    <circle cx="8.4" cy="6.4" r="3.1" />
    <path d="M2.8 16.6c.5-3.3 2.7-5 5.6-5 .9 0 1.7.2 2.4.5" />
    <path d="m14.6 11 .9 2.1 2.1.9-2.1.9-.9 2.1-.9-2.1-2.1-.9 2.1-.9z" />
  </>,
);
export const SegmentsIcon = icon(
  <>
    <circle cx="7.6" cy="10" r="4.8" />
    <circle cx="12.4" cy="10" r="4.8" />
  </>,
);
export const ManageIcon = icon(
  <>
    <path d="M3 11.8V8.2l9.5-4v11.6z" />
    <path d="M15 8a3 3 0 0 1 0 4M5.5 12.6l.9 3.6h2.2l-.8-2.8" />
  </>,
);
export const ExploreIcon = icon(
  <>
    <path d="M3 16.5h14M5.5 13.5V9M9.5 13.5V5M13.5 13.5V7.5" />
  </>,
);
export const SqlIcon = icon(<path d="M3 4.5h14v11H3zM5.5 8l2.5 2-2.5 2M10 12.5h4" />);
export const SavedIcon = icon(<path d="M5.5 3h9v14L10 13.6 5.5 17z" />);
export const OverviewIcon = icon(<path d="M3.5 3.5h5.4v7H3.5zM11.1 3.5h5.4v4h-5.4zM11.1 9.5h5.4v7h-5.4zM3.5 12.5h5.4v4H3.5z" />);
export const RetentionIcon = icon(<path d="M4 4h12M4 8h9M4 12h6M4 16h3" strokeWidth="2.4" />);
export const PathsIcon = icon(<path d="M3 5h3c5 0 3 10 8 10h3M3 10h3c4 0 4-5 8-5h3" />);
export const AlertsIcon = icon(<path d="M5 13.5V9a5 5 0 0 1 10 0v4.5l1.5 1h-13zM8.5 17h3" />);
export const SettingsIcon = icon(
  <>
    <path d="M3 6h7M14 6h3M3 14h3M10 14h7" />
    <circle cx="12" cy="6" r="2" />
    <circle cx="8" cy="14" r="2" />
  </>,
);
export const SearchIcon = icon(
  <>
    <circle cx="9" cy="9" r="5.2" />
    <path d="m13 13 4 4" />
  </>,
);
export const EmptyIcon = icon(
  <>
    <path d="M3 11.5 5.5 4h9l2.5 7.5V16H3z" />
    <path d="M3 11.5h4.2l1 2h3.6l1-2H17" />
  </>,
);
export const CopyIcon = icon(
  <>
    <rect x="7" y="7" width="10" height="10" rx="2" />
    <path d="M13 4.5A1.5 1.5 0 0 0 11.5 3h-7A1.5 1.5 0 0 0 3 4.5v7A1.5 1.5 0 0 0 4.5 13" />
  </>,
);
export const CheckIcon = icon(<path d="m4 10.5 4 4 8-9" />);

export function Logo() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#2f5bd0" />
      <path d="M8 23V10.5l8 7 8-7V23" fill="none" stroke="#fff" strokeWidth="3.2" strokeLinecap="round" strokeLinejoin="round" />
      <circle cx="16" cy="7.5" r="2.4" fill="#ffc247" />
    </svg>
  );
}
