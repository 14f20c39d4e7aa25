/** Draws a view again when a model says that it has changed. */
import type { ISignal } from '@lumino/signaling';
import { useEffect, useReducer } from 'react';

/** A view with this in it is drawn again whenever one of the signals is emitted. */
export function useSignals(...signals: ISignal<unknown, unknown>[]): void {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    signals.forEach(signal => signal.connect(draw));
    draw(); // what changed between the first picture and now
    return () => {
      signals.forEach(signal => signal.disconnect(draw));
    };
  }, signals);
}
