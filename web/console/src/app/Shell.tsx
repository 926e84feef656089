import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { useEffect, useRef, type ComponentType } from 'react';
import { messages as m } from '../i18n/messages';
import { session, useToken } from '../state/session';
import { setTheme, useThemeChoice, type ThemeChoice } from '../state/theme';
import { Button } from '../ui/Button';
import { CampaignsIcon, CtrIcon, FunnelIcon, HeatmapIcon, LiveIcon, Logo, MoonIcon, PipelineIcon, SignOutIcon, SunIcon, SystemIcon } from '../ui/icons';
import { SignIn } from '../views/SignIn';
import { queryClient } from './queryClient';
import { SiteChoice } from './SiteChoice';

type ViewPath = '/ctr' | '/heatmap' | '/funnel' | '/campaigns' | '/live' | '/pipeline';

const views: readonly { to: ViewPath; label: string; Icon: ComponentType }[] = [
  { to: '/ctr', label: m.nav.ctr, Icon: CtrIcon },
  { to: '/heatmap', label: m.nav.heatmap, Icon: HeatmapIcon },
  { to: '/funnel', label: m.nav.funnel, Icon: FunnelIcon },
  { to: '/campaigns', label: m.nav.campaigns, Icon: CampaignsIcon },
  { to: '/live', label: m.nav.live, Icon: LiveIcon },
  { to: '/pipeline', label: m.nav.pipeline, Icon: PipelineIcon },
];

export function Shell() {
  const token = useToken();
  if (token === undefined) return <SignIn />;
  return <SignedIn />;
}

function SignedIn() {
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
        <SiteChoice />
        <ViewLinks className="nav" />
        <div className="sidebar-foot">
          <ThemeButton />
          <SignOutButton />
        </div>
      </aside>
      <header className="topbar">
        <Brand />
        <SiteChoice />
        <ThemeButton />
        <SignOutButton />
      </header>
      <main id="main" ref={main} className="main" tabIndex={-1}>
        <Outlet />
      </main>
      <ViewLinks className="bottom-bar" />
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

function ViewLinks({ className }: { className: string }) {
  return (
    <nav className={className} aria-label={m.nav.label}>
      {views.map(({ to, label, Icon }) => (
        // The site and the time range go along; what belongs to one view stays behind.
        <Link key={to} to={to} search={carried} className="nav-link" activeOptions={{ includeSearch: false }} activeProps={{ 'aria-current': 'page' }}>
          <Icon />
          {label}
        </Link>
      ))}
    </nav>
  );
}

interface Carried {
  site?: string;
  from?: string;
  to?: string;
  last?: '15m' | '1h' | '24h' | '7d' | '30d';
}

function carried(previous: Carried): Carried {
  const { site, from, to, last } = previous;
  return {
    ...(site === undefined ? {} : { site }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(last === undefined ? {} : { last }),
  };
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
