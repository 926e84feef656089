import { ApiError, kindOfStatus, serverMessage } from './errors';

/** Calls fetch; what never reached Marquee becomes an ApiError, a cancelled call stays a cancelled call. */
async function reach(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new ApiError('unreachable', error instanceof Error ? error.message : String(error));
  }
}

/** Asks with a token that is not kept yet; throws an ApiError when it is not accepted. */
export async function checkToken(token: string): Promise<void> {
  const response = await reach(new Request('/v1/sites', { headers: { Authorization: `Bearer ${token}` } }));
  if (!response.ok) throw new ApiError(kindOfStatus(response.status), serverMessage(await response.text(), response.status));
}
