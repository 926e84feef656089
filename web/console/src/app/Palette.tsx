import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { savedListQuery } from '../api/saved';
import { paletteMessages as words } from '../i18n/paletteMessages';
import { find, type Findable } from '../state/paletteSearch';
import { may, useSession } from '../state/session';
import { useSite } from '../state/useSite';
import { SearchIcon } from '../ui/icons';
import { carried, views, type Carried } from './views';
import '../styles/palette.css';

interface Item extends Findable {
  readonly key: string;
  readonly go: () => void;
}

/** Everything that has an address, by what it is called. */
function useItems(): readonly Item[] {
  const navigate = useNavigate();
  const { sites } = useSite();
  const reports = useQuery(savedListQuery(undefined)).data;
  const { who } = useSession();
  const search = useSearch({ strict: false, select: (all: Carried) => carried(all) });
  return useMemo(() => {
    const site = search.site === undefined ? {} : { site: search.site };
    const { pages, sites: ofSites, reports: ofReports } = words.groups;
    const item = (group: string, key: string, name: string, go: () => Promise<void>): Item => ({ group, key: `${group} ${key}`, name, go: () => void go() });
    return [
      ...views.filter(({ least }) => may(who, least ?? 'viewer')).map(({ to, label }) => item(pages, to, label, () => navigate({ to, search }))),
      item(pages, 'manage', words.manage, () => navigate({ to: '/campaigns/manage', search: site })),
      ...(may(who, 'manager') ? [item(pages, 'new-campaign', words.newCampaign, () => navigate({ to: '/campaigns/manage', search: { ...site, edit: 'new' } }))] : []),
      ...(may(who, 'analyst') ? [item(pages, 'new-segment', words.newSegment, () => navigate({ to: '/segments', search: { ...site, edit: 'new' } }))] : []),
      ...(may(who, 'manager') ? [item(pages, 'new-alert', words.newAlert, () => navigate({ to: '/alerts', search: { ...site, edit: 'new' } }))] : []),
      ...sites.map(({ id, name }) => item(ofSites, id, name, () => navigate({ to: '.', search: { site: id } }))),
      ...(reports ?? []).map(({ id, name }) => item(ofReports, id, name, () => navigate({ to: '/r/$id', params: { id }, search: {} }))),
    ];
  }, [navigate, sites, reports, search, who]);
}

/** The browser's own dialog: it keeps the focus, and Escape closes it. */
export default function Palette({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const id = useId();
  const items = useItems();
  const found = useMemo(() => find(items, typed), [items, typed]);
  const chosen = found[Math.min(at, found.length - 1)];

  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  useEffect(() => {
    document.getElementById(`${id}-${Math.min(at, found.length - 1)}`)?.scrollIntoView({ block: 'nearest' });
  }, [id, at, found.length]);

  const go = (item: Item | undefined) => {
    if (item === undefined) return;
    dialog.current?.close();
    item.go();
  };
  const onKey = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      setAt((now) => (Math.min(now, found.length - 1) + step + found.length) % Math.max(1, found.length));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      go(chosen);
    }
  };
  return (
    // A press beside the palette is one on the dialog itself; by keyboard it is Escape.
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions
    <dialog ref={dialog} className="palette" aria-label={words.title} onClose={onClose} onClick={(event) => { if (event.target === dialog.current) dialog.current.close(); }}>
      <div className="palette-box">
        <div className="palette-input">
          <SearchIcon />
          <input
            role="combobox"
            aria-label={words.title}
            aria-expanded="true"
            aria-controls={`${id}-list`}
            aria-activedescendant={chosen === undefined ? undefined : `${id}-${found.indexOf(chosen)}`}
            aria-autocomplete="list"
            placeholder={words.placeholder}
            autoComplete="off"
            spellCheck={false}
            value={typed}
            onChange={(event) => {
              setTyped(event.target.value);
              setAt(0);
            }}
            onKeyDown={onKey}
          />
        </div>
        <ul id={`${id}-list`} role="listbox" aria-label={words.results}>
          {found.map((item, index) => (
            // The field has the focus and its keys; a pointer presses.
            // eslint-disable-next-line jsx-a11y/click-events-have-key-events
            <li key={item.key} id={`${id}-${index}`} role="option" aria-selected={item === chosen} tabIndex={-1} onPointerMove={() => { setAt(index); }} onClick={() => { go(item); }}>
              <span>{item.name}</span>
              <span className="palette-group">{item.group}</span>
            </li>
          ))}
        </ul>
        {found.length === 0 ? <p role="status">{words.nothing}</p> : null}
      </div>
    </dialog>
  );
}
