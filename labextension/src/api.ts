/** The REST interface of the server extension, as calls. */
import type { ServerConnection } from '@jupyterlab/services';

import type { ICatalogue, ISession, IStartRequest } from './models';
import { NetworkError, requestAPI } from './request';

/** All apps of the site. */
export async function getCatalogue(settings: ServerConnection.ISettings): Promise<ICatalogue> {
  return requestAPI<ICatalogue>('apps', settings);
}

/** All sessions of the user. */
export async function listSessions(settings: ServerConnection.ISettings): Promise<ISession[]> {
  return (await requestAPI<{ sessions: ISession[] }>('sessions', settings)).sessions;
}

/**
 * Starts a session, once.
 *
 * When no answer came, the request is sent a second time: the server answers the same `idempotencyKey` with the
 * same session, so that a lost answer neither loses a session nor starts two.
 */
export async function startSession(
  settings: ServerConnection.ISettings,
  request: IStartRequest,
  idempotencyKey: string,
): Promise<ISession> {
  const init: RequestInit = {
    method: 'POST',
    body: JSON.stringify(request),
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey },
  };
  try {
    return await requestAPI<ISession>('sessions', settings, init);
  } catch (error) {
    if (error instanceof NetworkError) {
      return requestAPI<ISession>('sessions', settings, init);
    }
    throw error;
  }
}

/** Stops a session; stopping it again is no error. */
export async function stopSession(settings: ServerConnection.ISettings, id: string): Promise<ISession> {
  return requestAPI<ISession>(`sessions/${encodeURIComponent(id)}/stop`, settings, {
    method: 'POST',
  });
}
