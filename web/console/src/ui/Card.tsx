import { useId, type ReactNode } from 'react';

interface CardProps {
  title: string;
  note?: ReactNode;
  actions?: ReactNode;
  flush?: boolean;
  children: ReactNode;
}

export function Card({ title, note, actions, flush = false, children }: CardProps) {
  const id = useId();
  return (
    <section className="card" aria-labelledby={id}>
      <header className="card-head">
        <div>
          <h2 id={id}>{title}</h2>
          {note === undefined ? null : <p>{note}</p>}
        </div>
        {actions}
      </header>
      <div className={flush ? 'card-body flush' : 'card-body'}>{children}</div>
    </section>
  );
}

interface FigureProps {
  label: string;
  /** Undefined while it is not known yet: its place is kept. */
  value: ReactNode | undefined;
  note?: ReactNode;
  lead?: boolean;
  testId?: string;
}

/** One number with its name; the lead is the page's answer. */
export function Figure({ label, value, note, lead = false, testId }: FigureProps) {
  return (
    <div className={lead ? 'figure lead' : 'figure'} data-testid={testId}>
      <dt>{label}</dt>
      <dd>{value ?? <span className="skeleton inline" aria-hidden="true" />}</dd>
      <dd className="note">{note ?? ''}</dd>
    </div>
  );
}

export function Headline({ label, children }: { label: string; children: ReactNode }) {
  return (
    <section className="card" aria-label={label}>
      <dl className="headline">{children}</dl>
    </section>
  );
}
