/** When a frame that loads under the shown one has had its time. */
import { backoff, patience } from './clocks';
import type { Frame } from './frame';

const LOAD_MS = 20000;
const PAINT_MS = 15000;

/**
 * What is due with it: to connect, to try that again, or to give it up. `ready`: whether there is a display to connect
 * to; `now` in ms.
 */
export function due(next: Frame, ready: boolean, now: number): 'go' | 'again' | 'drop' | null {
  const age = now - next.since;
  switch (next.state) {
    case 'loading':
      return age > LOAD_MS ? 'drop' : null;
    case 'held':
      return ready ? 'go' : null;
    case 'connecting':
      return ready && age > patience(next.attempts) ? 'again' : null;
    case 'closed':
      return ready && age >= backoff(next.attempts - 1) ? 'again' : null;
    case 'opened':
      return age > PAINT_MS && next.windows?.count !== 0 ? 'drop' : null;
    case 'painted':
      return null;
  }
}
