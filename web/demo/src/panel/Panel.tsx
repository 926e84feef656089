// Beside the page: what Marquee knows of the visitor, which ads competed, and what the page has sent.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Student } from '../data/students';
import type { Visit } from '../marquee/demo';
import { Decisions } from './Decisions';
import { Known } from './Known';
import { SentList } from './SentList';
import { useDecisions } from './useDecisions';
import { useProfile } from './useProfile';

interface PanelProps {
  visit: Visit | undefined;
  who: Student | undefined;
  page: string;
  onAfresh: () => void;
}

export function Panel({ visit, who, page, onAfresh }: PanelProps) {
  const [isOpen, setIsOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const profile = useProfile(visit, who, onAfresh);
  const filled = useDecisions(page);

  // On a phone it lies over the page; Escape puts it away.
  useEffect(() => {
    if (!isOpen) return;
    const close = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape') return;
      setIsOpen(false);
      opener.current?.focus();
    };
    document.addEventListener('keydown', close);
    return () => {
      document.removeEventListener('keydown', close);
    };
  }, [isOpen]);

  return (
    <>
      <button
        type="button"
        class="panel-opener"
        ref={opener}
        aria-expanded={isOpen}
        aria-controls="panel"
        onClick={() => {
          setIsOpen(!isOpen);
        }}
      >
        {isOpen ? 'Back to the page' : 'Why these ads?'}
      </button>
      <aside id="panel" class="panel" data-open={isOpen} aria-label="What Marquee knows">
        <div class="panel-scroll">
          <header class="panel-head">
            <p class="panel-brand">
              <span class="lamp" aria-hidden="true" /> Marquee, behind the page
            </p>
            <p class="panel-links">
              <a href="/live?site=campus" target="_blank" rel="noreferrer">
                Live console
              </a>
            </p>
          </header>
          <Known who={who} profile={profile} onAfresh={onAfresh} />
          <Decisions filled={filled} />
          <SentList />
        </div>
      </aside>
    </>
  );
}
