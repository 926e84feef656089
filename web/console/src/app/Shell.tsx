import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { messages as m } from '../i18n/messages';
import { session, useMay, useSession } from '../state/session';
import { setTheme, useThemeChoice, type ThemeChoice } from '../state/theme';
import { Button } from '../ui/Button';
import { Logo, MoonIcon, MoreIcon, SearchIcon, SignOutIcon, SunIcon, SystemIcon } from '../ui/icons';
import { queryClient } from './queryClient';
import { SiteChoice } from './SiteChoice';
import { carried, groups, settings, views, type ViewLink } from './views';

const SignIn = lazy(() => import('../views/SignIn'));
const Toasts = lazy(() => import('./Toasts'));
const Palette = lazy(() => import('./Palette'));
const NotAllowed = lazy(() => import('../views/NotAllowed'));

export function Shell() {
  const { who } = useSession();
  if (who === undefined) return null;
  if (who === null) {
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
        <OpenToAll />
        <div className="sidebar-foot">
          <WhoLink />
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
        <Allowed path={path} />
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

/** The view, or why it is not for who is signed in. */
function Allowed({ path }: { path: string }) {
  const { least = 'viewer' } = views.find((view) => view.to === path) ?? {};
  return useMay(least) ? (
    <Outlet />
  ) : (
    <Suspense>
      <NotAllowed least={least} />
    </Suspense>
  );
}

function WhoLink() {
  const { who } = useSession();
  return (
    <Link to={settings.to} search={carried} className="nav-link who" activeOptions={{ includeSearch: false }} activeProps={{ 'aria-current': 'page' }} aria-label={`${settings.label}: ${who?.name ?? ''}`}>
      <settings.Icon />
      <span>{who?.name}</span>
    </Link>
  );
}

/** While nobody has an account. */
function OpenToAll() {
  const { hasAccounts } = useSession();
  if (hasAccounts) return null;
  return (
    <p className="open-to-all">
      {m.nav.openToAll} <Link to={settings.to}>{m.nav.makeAccounts}</Link>
    </p>
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
            <NavLink key={view.to} view={view} inList />
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

function NavLink({ view: { to, label, Icon, least = 'viewer' }, inList = false }: { view: ViewLink; inList?: boolean }) {
  if (!useMay(least)) return null;
  const link = (
    // The site, the segment and the time range go along; what belongs to one view stays behind.
    <Link to={to} search={carried} className="nav-link" activeOptions={{ includeSearch: false }} activeProps={{ 'aria-current': 'page' }}>
      <Icon />
      {label}
    </Link>
  );
  return inList ? <li>{link}</li> : link;
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
        void session.signOut().then(() => { queryClient.clear(); });
      }}
    >
      <SignOutIcon />
    </Button>
  );
}
