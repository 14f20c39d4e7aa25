/** The states of a session in the user's words: one table for every list, page and message. */
import type { SessionState } from './models';
import type { ITrans } from './trans';

/** A state in two or three words, and what it means in one sentence. */
export interface IStateWords {
  word: string;
  meaning: string;
}

/** Whether nothing comes after this state. */
export function isFinal(state: SessionState): boolean {
  return state === 'ENDED' || state === 'FAILED';
}

/** Whether the state is about to change by itself. */
export function isPending(state: SessionState): boolean {
  return state !== 'READY' && !isFinal(state);
}

/** The words for a state. */
export function stateWords(state: SessionState, trans: ITrans): IStateWords {
  return TABLE[state](trans);
}

const TABLE: Record<SessionState, (trans: ITrans) => IStateWords> = {
  QUEUED: trans => ({
    word: trans.__('Waiting in the queue'),
    meaning: trans.__('The batch system has taken the job and starts it when there is room.'),
  }),
  HELD: trans => ({
    word: trans.__('Held'),
    meaning: trans.__('The job waits until somebody releases it.'),
  }),
  STARTING: trans => ({
    word: trans.__('Starting'),
    meaning: trans.__('The job runs; its display is not there yet.'),
  }),
  READY: trans => ({
    word: trans.__('Running'),
    meaning: trans.__('The program runs and can be seen.'),
  }),
  SUSPENDED: trans => ({
    word: trans.__('Paused by the scheduler'),
    meaning: trans.__('The batch system has paused the job; it goes on by itself.'),
  }),
  ENDING: trans => ({
    word: trans.__('Ending'),
    meaning: trans.__('The program is being ended.'),
  }),
  ENDED: trans => ({
    word: trans.__('Ended'),
    meaning: trans.__('The program and its job are over.'),
  }),
  FAILED: trans => ({
    word: trans.__('Failed'),
    meaning: trans.__('The job ended otherwise than it should.'),
  }),
  UNREACHABLE: trans => ({
    word: trans.__('Not heard of'),
    meaning: trans.__('The batch system does not tell how the job is; it is asked again.'),
  }),
};
