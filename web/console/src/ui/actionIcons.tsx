// Icons of views that come later: the first chart does not wait for them.
import { icon } from './icons';

export const InfoIcon = icon(
  <>
    <circle cx="10" cy="10" r="7.2" />
    <path d="M10 9.2v4.3M10 6.4v.1" />
  </>,
);
export const EditIcon = icon(<path d="M4 13.2V16h2.8l8.4-8.4-2.8-2.8zM10.8 6.4l2.8 2.8" />);
export const RefreshIcon = icon(<path d="M16 10a6 6 0 1 1-1.8-4.3M16 3.5v3h-3" />);
export const PauseIcon = icon(<path d="M7 4.5v11M13 4.5v11" />);
export const PlayIcon = icon(<path d="M6.5 4.2v11.6l9-5.8z" />);
export const SendIcon = icon(<path d="M17 3 3 9l5.5 2.5L11 17zM8.5 11.5 17 3" />);
export const ListIcon = icon(<path d="M7 5.5h9.5M7 10h9.5M7 14.5h9.5M3.6 5.5h.1M3.6 10h.1M3.6 14.5h.1" />);
export const KeyIcon = icon(<path d="M12.5 3.5a4 4 0 1 1-2.8 6.8L4 16v-2.5M6.5 13.5 8 15" />);
