import { messages as m } from '../i18n/messages';

export type ApiErrorKind = 'unreachable' | 'unauthorized' | 'forbidden' | 'rejected' | 'busy' | 'server';

const words: Readonly<Record<ApiErrorKind, readonly [title: string, advice: string]>> = {
  unreachable: [m.error.unreachable, m.error.unreachableAdvice],
  unauthorized: [m.error.unauthorized, m.error.unauthorizedAdvice],
  forbidden: [m.error.forbidden, m.error.forbiddenAdvice],
  rejected: [m.error.rejected, m.error.rejectedAdvice],
  busy: [m.error.busy, m.error.busyAdvice],
  server: [m.error.server, m.error.serverAdvice],
};

/** A failed call, in words for the person who sees it. `message` is the server's own. */
export class ApiError extends Error {
  readonly title: string;
  readonly advice: string;

  constructor(
    readonly kind: ApiErrorKind,
    message: string,
    /** Undefined where there was no answer. */
    readonly status?: number,
  ) {
    super(message);
    this.name = 'ApiError';
    [this.title, this.advice] = words[kind];
  }

  /** Whether asking again unchanged can help. */
  get transient(): boolean {
    return this.kind === 'unreachable' || this.kind === 'busy' || this.kind === 'server';
  }
}

export function kindOfStatus(status: number): ApiErrorKind {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 429 || status === 503) return 'busy';
  return status >= 500 ? 'server' : 'rejected';
}

/** The server's own words in an error answer, wherever the body holds them. */
export function serverMessage(body: unknown, status: number): string {
  if (typeof body === 'string' && body !== '') return body.slice(0, 300);
  if (typeof body === 'object' && body !== null) {
    const fields = body as Readonly<Record<string, unknown>>;
    for (const key of ['message', 'detail', 'error', 'title']) {
      const value = fields[key];
      if (typeof value === 'string') return value;
      if (typeof value === 'object' && value !== null) return serverMessage(value, status);
    }
  }
  return `HTTP ${status}`;
}
