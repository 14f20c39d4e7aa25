/** Puts times, amounts and errors into words. */
import { NetworkError, ResponseError } from './request';
import type { ITrans } from './trans';

const DAY_S = 86_400;
const HOUR_S = 3_600;
const GIB = 2 ** 30;

/** `0:42`, `12:05`, `3:07:00`: how long something has lasted, in seconds. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / HOUR_S);
  const minutes = String(Math.floor(whole / 60) % 60).padStart(hours ? 2 : 1, '0');
  const rest = `${minutes}:${String(whole % 60).padStart(2, '0')}`;
  return hours ? `${hours}:${rest}` : rest;
}

/** `2 d 3 h`, `5 h 12 min`, `9 min`, `45 s`: how long something still lasts, in seconds. */
export function duration(seconds: number, trans: ITrans): string {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / HOUR_S);
  if (whole >= DAY_S) {
    return trans.__('%1 d %2 h', Math.floor(whole / DAY_S), hours % 24);
  }
  if (whole >= HOUR_S) {
    return trans.__('%1 h %2 min', hours, Math.floor(whole / 60) % 60);
  }
  return whole >= 60 ? trans.__('%1 min', Math.floor(whole / 60)) : trans.__('%1 s', whole);
}

/** `12:00 h`: a limit in seconds, as sites write walltimes. */
export function hours(seconds: number, trans: ITrans): string {
  const minutes = String(Math.floor(seconds / 60) % 60).padStart(2, '0');
  return trans.__('%1:%2 h', Math.floor(seconds / HOUR_S), minutes);
}

/** `23 GB`: an amount of memory in bytes; gigabytes are the batch system's, 2^30. */
export function gigabytes(bytes: number, trans: ITrans): string {
  return trans.__('%1 GB', Math.floor(bytes / GIB));
}

/** What to say beside a session while the scheduler does not answer; empty when it does. `since`: its last answer. */
export function staleWords(since: string | null, trans: ITrans, now = Date.now()): string {
  if (since === null) {
    return '';
  }
  const age = duration((now - Date.parse(since)) / 1000, trans);
  return trans.__('The scheduler has not answered for %1; this is its last word.', age);
}

/** The words for an error: the server's own where it has spoken. */
export function explain(error: unknown, trans: ITrans): string {
  if (error instanceof NetworkError) {
    return trans.__(
      'The Jupyter server does not answer. Check that it runs and that you are connected, then try again.',
    );
  }
  if (error instanceof ResponseError) {
    return refusal(error, trans);
  }
  return error instanceof Error ? error.message : String(error);
}

function refusal(error: ResponseError, trans: ITrans): string {
  if (error.absence === 'logged-out') {
    return trans.__('You are no longer logged in here. Reload the page to log in again.');
  }
  if (error.absence === 'stopped') {
    return trans.__('Your Jupyter server is not running. Your programs run on; start it again to see them.');
  }
  if (error.absence === 'away') {
    return trans.__('The Jupyter server is not reached (status %1). Try again.', error.status);
  }
  return error.word ?? trans.__('The server refused the request (status %1). Try again.', error.status);
}
