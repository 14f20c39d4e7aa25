/** What the agent knows of the client; one object, as all files of this folder share it. */
import type { IXpraClient } from './client';

export const agent = {
  client: null as IXpraClient | null,
  connected: false,
  readonly: false,
  suspended: false,
  painted: false,
  /** Whether the program's main window fills the stage. */
  fill: false,
  draws: 0,
  bytes: 0,
  /** Connects; set once the client is there. */
  start: null as (() => void) | null,
};

/** Ids of all windows. */
export function windowIds(): number[] {
  return Object.keys(agent.client?.id_to_window ?? {}).map(Number);
}
