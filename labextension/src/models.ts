/** The values of the REST interface, as the server's JSON has them (docs/rest.md). */

/** What a user sees of a session. */
export type SessionState =
  'QUEUED' | 'HELD' | 'STARTING' | 'READY' | 'SUSPENDED' | 'ENDING' | 'ENDED' | 'FAILED' | 'UNREACHABLE';

/** Windows of a program, a whole desktop (xpra's or VNC), or a terminal with a display beside it. */
export type AppKind = 'gui' | 'desktop' | 'vnc' | 'terminal';

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
  starts: number | null;
  cause: string | null;
}

/** One app in one job; times as ISO 8601, `walltime_left` in seconds, `url` a path of this server. */
export interface ISession {
  id: string;
  app: string;
  title: string;
  kind: AppKind;
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
  kind: AppKind;
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

/** The site's apps, sentences about app files that are wrong and not used, and the path of the command line's program. */
export interface ICatalogue {
  apps: IApp[];
  problems: string[];
  program: string;
}
