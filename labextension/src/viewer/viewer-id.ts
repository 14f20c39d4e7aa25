/** The name of this tab for its connections. */
import { randomId } from '../core/ids';

const STORED = 'qconnect-viewer';

/** It outlives a reload. A duplicated tab must not get it too, so it is in storage only between pages. */
export function viewerId(): string {
  try {
    const id = sessionStorage.getItem(STORED) ?? randomId();
    sessionStorage.removeItem(STORED);
    window.addEventListener('pagehide', () => sessionStorage.setItem(STORED, id));
    return id;
  } catch {
    return randomId(); // storage is closed: a new name each time does no harm
  }
}
