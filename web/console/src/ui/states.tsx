import { useEffect, useState, type ReactNode } from 'react';
import { ApiError } from '../api/errors';
import { session } from '../state/session';
import { messages as m } from '../i18n/messages';
import { Button } from './Button';
import { CheckIcon, CopyIcon, EmptyIcon, WarningIcon } from './icons';

export function Skeleton({ width = '100%', height }: { width?: string | number; height: string | number }) {
  return <span className="skeleton" style={{ width, height }} aria-hidden="true" />;
}

/** Stands where a table will be, at about its size. */
export function TableSkeleton({ rows = 6 }: { rows?: number }) {
  return (
    <div role="status" aria-label={m.state.loading} style={{ padding: 16, display: 'grid', gap: 15 }}>
      {Array.from({ length: rows }, (_, index) => (
        <Skeleton key={index} height={18} width={`${96 - (index % 3) * 9}%`} />
      ))}
    </div>
  );
}

export function Command({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => {
      setCopied(false);
    }, 1500);
    return () => {
      clearTimeout(timer);
    };
  }, [copied]);
  return (
    <span className="command">
      <code>{text}</code>
      <Button
        look="quiet"
        icon
        aria-label={copied ? m.action.copied : m.action.copyCommand}
        onPress={() => {
          void navigator.clipboard.writeText(text).then(() => {
            setCopied(true);
          });
        }}
      >
        {copied ? <CheckIcon /> : <CopyIcon />}
      </Button>
    </span>
  );
}

interface EmptyProps {
  title: string;
  children?: ReactNode;
  command?: string;
}

/** Nothing to show, why, and what would fill it. */
export function Empty({ title, children, command }: EmptyProps) {
  return (
    <div className="notice">
      <EmptyIcon />
      <h2>{title}</h2>
      {children === undefined ? null : <p>{children}</p>}
      {command === undefined ? null : <Command text={command} />}
    </div>
  );
}

/** What failed and what to do about it. */
export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const known = error instanceof ApiError ? error : undefined;
  return (
    <div className="notice bad" role="alert">
      <WarningIcon />
      <h2>{known?.title ?? m.error.unexpected}</h2>
      <p>{known?.advice ?? m.error.unexpectedAdvice}</p>
      <p className="detail">{error instanceof Error ? error.message : String(error)}</p>
      {known?.kind === 'unauthorized' ? (
        <Button onPress={() => void session.signOut()}>{m.action.signInAgain}</Button>
      ) : onRetry === undefined ? null : (
        <Button onPress={onRetry}>{m.action.retry}</Button>
      )}
    </div>
  );
}
