// The frame of the portal: its head, its foot, and who the visitor is.
import type { ComponentChildren } from 'preact';
import { STUDENTS, isMinor } from '../data/students';
import type { Student } from '../data/students';
import { hrefOf } from './router';

const PAGES = [
  { path: '/', text: 'Home' },
  { path: '/courses', text: 'Courses' },
  { path: '/events', text: 'Events' },
  { path: '/results', text: 'Results' },
] as const;

function isHere(path: string, page: string): boolean {
  return page === '/' ? path === '/' : path.startsWith(page);
}

function switchTheme(): void {
  const root = document.documentElement;
  const isDark = root.dataset.theme === 'dark' || (root.dataset.theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  root.dataset.theme = isDark ? 'light' : 'dark';
  try {
    localStorage.setItem('marquee.theme', root.dataset.theme);
  } catch {
    // Storage is blocked: it holds for this page.
  }
}

export interface WhoProps {
  who: Student | undefined;
  onWho: (key: string) => void;
}

export function WhoChoice({ who, onWho }: WhoProps) {
  return (
    <label class="who">
      <span class="who-face" aria-hidden="true">
        {who === undefined ? '?' : initials(who.name)}
      </span>
      <span class="hidden">You are</span>
      <select
        value={who?.key ?? ''}
        onChange={(event) => {
          onWho(event.currentTarget.value);
        }}
      >
        <option value="">Nobody known</option>
        {STUDENTS.map((student) => (
          <option key={student.key} value={student.key}>
            {student.name}
            {isMinor(student) ? ` (${student.age})` : ''}
          </option>
        ))}
      </select>
    </label>
  );
}

export function initials(name: string): string {
  return name
    .split(' ')
    .map((part) => part.charAt(0))
    .join('');
}

export function Head({ path, who, onWho }: WhoProps & { path: string }) {
  return (
    <header class="head">
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <div class="head-row">
        <a class="brand" href={hrefOf('/')}>
          <img src="/demo/favicon.svg" alt="" width="30" height="30" />
          <span>
            Banyan <b>Campus</b>
          </span>
        </a>
        <nav aria-label="Pages">
          {PAGES.map((page) => (
            <a key={page.path} href={hrefOf(page.path)} aria-current={isHere(path, page.path) ? 'page' : undefined}>
              {page.text}
            </a>
          ))}
        </nav>
        <WhoChoice who={who} onWho={onWho} />
        <button type="button" class="round" onClick={switchTheme} aria-label="Light or dark">
          <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
            <circle cx="10" cy="10" r="7" fill="none" stroke="currentColor" stroke-width="1.6" />
            <path d="M10 3a7 7 0 0 1 0 14z" fill="currentColor" />
          </svg>
        </button>
      </div>
    </header>
  );
}

export function Foot() {
  return (
    <footer class="foot">
      <p>Banyan Campus, its colleges, courses, students and offers are invented. The ads, what is learned from them and the numbers are real: Marquee serves them, here and now.</p>
    </footer>
  );
}

export function Card({ title, href, children, tone }: { title: string; href: string; children: ComponentChildren; tone: string }) {
  return (
    <a class="card" href={href} data-tone={tone}>
      <span class="card-title">{title}</span>
      {children}
    </a>
  );
}
