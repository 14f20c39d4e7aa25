/** The REST interface of the server extension, as types and calls; keys are those of the JSON (docs/architecture.md). */
import type { ServerConnection } from '@jupyterlab/services';

import { NetworkError, requestAPI } from './request';

/** What a user sees of a session. */
export type SessionState =
  'QUEUED' | 'HELD' | 'STARTING' | 'READY' | 'SUSPENDED' | 'ENDING' | 'ENDED' | 'FAILED' | 'UNREACHABLE';

/** What is asked of the scheduler: `memory` as `4GB`, `walltime` as `HH:MM:SS`. */
export interface IJobSpec {
  name: string;
  queue: string | null;
  nodes: number;
  cores: number;
  memory: string;
  walltime: string;
  gpus: number;
  account: string | null;
  native: string[];
}

/** What the scheduler says of a job; times in epoch seconds. */
export interface IJob {
  id: string;
  state: string;
  node: string | null;
  queue: string | null;
  name: string | null;
  comment: string | null;
  exit_status: number | null;
  submitted: number | null;
  started: number | null;
  ended: number | null;
  walltime_s: number | null;
  session: string | null;
}

/** One app in one job; times as ISO 8601, `walltime_left` in seconds, `url` a path of this server. */
export interface ISession {
  id: string;
  app: string;
  title: string;
  name: string;
  state: SessionState;
  reason: string | null;
  url: string;
  created: string;
  started: string | null;
  ended: string | null;
  walltime_left: number | null;
  exit_status: number | null;
  stale_since: string | null;
  command: string[];
  spec: IJobSpec;
  job: IJob;
}

/** What a tile can start; `icon` is the address of an SVG, `reason` says why it is not available. */
export interface IApp {
  name: string;
  title: string;
  description: string;
  category: string;
  icon: string;
  kind: 'gui' | 'desktop' | 'terminal';
  available: boolean;
  reason: string | null;
  takes_command: boolean;
  resources: Record<string, unknown>;
  form: Record<string, unknown>;
}

/** The body of a start: what the user changed of the app's defaults. */
export interface IStartRequest {
  app: string;
  spec: Partial<IJobSpec>;
  command?: string[];
}

/** The site's apps, and sentences about app files that are wrong and not used. */
export interface ICatalogue {
  apps: IApp[];
  problems: string[];
}

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
