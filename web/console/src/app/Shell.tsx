import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { messages as m } from '../i18n/messages';
import { session, useToken } from '../state/session';
import { setTheme, useThemeChoice, type ThemeChoice } from '../state/theme';
import { Button } from '../ui/Button';
import { Logo, MoonIcon, MoreIcon, SearchIcon, SignOutIcon, SunIcon, SystemIcon } from '../ui/icons';
import { queryClient } from './queryClient';
import { SiteChoice } from './SiteChoice';
import { carried, groups, views, type ViewLink } from './views';

const SignIn = lazy(() => import('../views/SignIn'));
const Toasts = lazy(() => import('./Toasts'));
const Palette = lazy(() => import('./Palette'));

export function Shell() {
  const token = useToken();
  if (token === undefined) {
    return (
      <Suspense>
        <SignIn />
      </Suspense>
    );
  }
  return <SignedIn />;
}

/** Ctrl-K, or Cmd-K, opens and closes the palette. */
function usePalette(): [boolean, (isOpen: boolean) => void] {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
      event.preventDefault();
      setOpen((now) => !now);
    };
    window.addEventListener('keydown', listen);
    return () => {
      window.removeEventListener('keydown', listen);
    };
  }, []);
  return [isOpen, setOpen];
}

function SignedIn() {
  const [isPaletteOpen, setPaletteOpen] = usePalette();
  const openPalette = () => { setPaletteOpen(true); };
  const path = useLocation({ select: (location) => location.pathname });
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);

  useEffect(() => {
    const view = views.find((candidate) => candidate.to === path);
    document.title = view === undefined ? m.product : m.title(view.label);
    // After moving to another view, reading starts at its content. On the first load the browser's own order stands.
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [path]);

  return (
    <div className="shell">
      <a className="skip-link" href="#main">
        {m.skipToContent}
      </a>
      <aside className="sidebar">
        <Brand />
        <button type="button" className="button select-button palette-button" aria-haspopup="dialog" onClick={openPalette}>
          <SearchIcon />
          <span>{m.nav.find}</span>
          <kbd>{m.nav.findKeys}</kbd>
        </button>
        <SiteChoice />
        <GroupedLinks />
        <div className="sidebar-foot">
          <ThemeButton />
          <SignOutButton />
        </div>
      </aside>
      <header className="topbar">
        <Brand />
        <SiteChoice />
        <Button look="quiet" icon aria-label={m.nav.find} aria-haspopup="dialog" onPress={openPalette}>
          <SearchIcon />
        </Button>
        <ThemeButton />
        <SignOutButton />
      </header>
      <main id="main" ref={main} className="main" tabIndex={-1}>
        <Outlet />
      </main>
      <BottomBar path={path} />
      <Suspense>
        <Toasts />
        {isPaletteOpen ? <Palette onClose={() => { setPaletteOpen(false); }} /> : null}
      </Suspense>
    </div>
  );
}

function Brand() {
  return (
    <Link to="/" className="brand" aria-label={m.product}>
      <Logo />
      <span className="brand-name">{m.product}</span>
    </Link>
  );
}

function GroupedLinks() {
  return (
    <nav className="nav" aria-label={m.nav.label}>
      {groups.map((group) => (
        <ul key={group.label} aria-label={group.label}>
          <li className="nav-group" aria-hidden="true">
            {group.label}
          </li>
          {group.views.map((view) => (
            <li key={view.to}>
              <NavLink view={view} />
            </li>
          ))}
        </ul>
      ))}
    </nav>
  );
}

/** A phone's: the views that people open on one, and the others behind a button. */
function BottomBar({ path }: { path: string }) {
  const sheet = useRef<HTMLDivElement>(null);
  const others = views.filter((view) => view.isFirst !== true);
  return (
    <nav className="bottom-bar" aria-label={m.nav.label}>
      {views.filter((view) => view.isFirst === true).map((view) => (
        <NavLink key={view.to} view={view} />
      ))}
      <button type="button" className="nav-link" popoverTarget="more-views" aria-current={others.some((view) => view.to === path) ? 'true' : undefined}>
        <MoreIcon />
        {m.nav.more}
      </button>
      <div ref={sheet} id="more-views" popover="auto" className="more-views" onClickCapture={() => { sheet.current?.hidePopover(); }}>
        {others.map((view) => (
          <NavLink key={view.to} view={view} />
        ))}
      </div>
    </nav>
  );
}

function NavLink({ view: { to, label, Icon } }: { view: ViewLink }) {
  return (
    // The site, the segment and the time range go along; what belongs to one view stays behind.
    <Link to={to} search={carried} className="nav-link" activeOptions={{ includeSearch: false }} activeProps={{ 'aria-current': 'page' }}>
      <Icon />
      {label}
    </Link>
  );
}

const nextTheme: Readonly<Record<ThemeChoice, ThemeChoice>> = { system: 'light', light: 'dark', dark: 'system' };

function ThemeButton() {
  const choice = useThemeChoice();
  return (
    <Button
      look="quiet"
      icon
      aria-label={m.theme.toggle(m.theme[choice])}
      onPress={() => {
        setTheme(nextTheme[choice]);
      }}
    >
      {choice === 'system' ? <SystemIcon /> : choice === 'light' ? <SunIcon /> : <MoonIcon />}
    </Button>
  );
}

function SignOutButton() {
  return (
    <Button
      look="quiet"
      icon
      aria-label={m.action.signOut}
      onPress={() => {
        session.signOut();
        queryClient.clear();
      }}
    >
      <SignOutIcon />
    </Button>
  );
}
