/** What travels between the server, the pages and the agent. */

import type { ISession as Session, SessionState } from '../../labextension/src/core/models';

export type { Session, SessionState };

/** Where a display is loaded from, and the path of its websocket. */
export interface ClientAddress {
  url: string;
  path: string;
  sandbox: boolean;
}

export interface Owner {
  viewer: string;
  size: [number, number];
}

/** What the login to a node asks the user; `confirm`: yes or no. */
export interface Question {
  key: string;
  node: string;
  text: string;
  confirm: boolean;
}

/** The reply to a question; `text` null: the user does not answer. */
export interface QuestionAnswer {
  key: string;
  text: string | null;
}

/** Why the display was not reached. */
export interface Trouble {
  message: string;
  reason: string;
}

/** One answer of the live websocket. */
export interface Answer {
  t: number | null;
  session: Session;
  client: ClientAddress | null;
  owner: Owner | null;
  question: Question | null;
  trouble: Trouble | null;
  time: number;
}

export interface App {
  name: string;
  title: string;
  description: string;
  category: string;
  icon: string;
  kind: string;
  takes_command: boolean;
  available: boolean;
  reason: string | null;
}

/** Limits are null where there is none, or it is not told; seconds, bytes and counts. */
export interface Queue {
  name: string;
  enabled: boolean;
  started: boolean;
  default: boolean;
  max_walltime_s: number | null;
  max_running: number | null;
  node_cores: number | null;
  node_memory: number | null;
  free_cores: number | null;
}

export interface QueueList {
  scheduler: { name: string; why: string };
  queues: Queue[];
}

export type LogEntry = [number, string, unknown];

declare global {
  interface Window {
    /** For tests and measurements; `state` is `ready` while the picture is alive, else the viewer's phase. */
    qconnect: { log: LogEntry[]; state: string };
  }
  interface Navigator {
    keyboard?: { lock(keys?: string[]): Promise<void>; unlock(): void };
  }
}
