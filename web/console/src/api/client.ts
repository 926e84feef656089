import createClient, { type Middleware } from 'openapi-fetch';
import { session } from '../state/session';
import { ApiError, kindOfStatus, serverMessage } from './errors';
import type { paths } from './schema';

/** Calls fetch; what never reached Marquee becomes an ApiError, a cancelled call stays a cancelled call. */
async function reach(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new ApiError('unreachable', error instanceof Error ? error.message : String(error));
  }
}

const authorization: Middleware = {
  onRequest({ request }) {
    for (const [name, value] of Object.entries(session.headers())) request.headers.set(name, value);
    return request;
  },
};

/** The API as api/openapi.yaml describes it, asked by who is signed in. */
export const api = createClient<paths, 'application/json'>({ fetch: reach });
api.use(authorization);

/** The same, for answers as one table (`format=table`). */
export const tables = createClient<paths, 'application/vnd.marquee.table+json'>({ fetch: reach });
tables.use(authorization);

/** The data of an answer; an error answer is thrown as an ApiError. */
export async function answered<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (data === undefined) throw failure(error, response);
  return data;
}

/** For answers without content. */
export async function done(call: Promise<{ error?: unknown; response: Response }>): Promise<void> {
  const { error, response } = await call;
  if (!response.ok) throw failure(error, response);
}

export function failure(body: unknown, { status }: Response): ApiError {
  // Signed out elsewhere, or after a while: the console asks to sign in again. A wrong password is not that.
  if (status === 401 && session.isIn()) void session.renew();
  return new ApiError(kindOfStatus(status), serverMessage(body, status), status);
}

/** Asks with a token that is not kept yet; throws an ApiError when it is not accepted. */
export async function checkToken(token: string): Promise<void> {
  const response = await reach(new Request('/v1/sites', { headers: { Authorization: `Bearer ${token}` } }));
  if (response.ok) return;
  const body: unknown = await response.json().catch(() => undefined);
  throw new ApiError(kindOfStatus(response.status), serverMessage(body, response.status), response.status);
}
