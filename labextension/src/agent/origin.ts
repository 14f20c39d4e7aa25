/** Gives the client what an origin of its own lacks: storage, and workers from its own files. */
import { opaque } from './page';

/** A storage that lasts as long as the page. */
function memory(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
  const kept = new Map<string, string>();
  return {
    getItem: key => kept.get(key) ?? null,
    setItem: (key, value: unknown) => void kept.set(key, String(value)),
    removeItem: key => void kept.delete(key),
  };
}

function usable(name: 'sessionStorage' | 'localStorage'): boolean {
  try {
    return typeof window[name] === 'object';
  } catch {
    return false;
  }
}

/** Old clients keep flat keys that the next session in the same tab would read: each gets a storage of its own. */
export function ownStorage(): void {
  for (const name of ['sessionStorage', 'localStorage'] as const) {
    if (name === 'sessionStorage' || !usable(name)) {
      Object.defineProperty(window, name, { value: memory(), configurable: true });
    }
  }
}

/** Runs in the worker, before its script: relative imports go by the script's address, not by the blob's. */
const WORKER = `self.importScripts = (load => (...urls) =>
  load(...urls.map(url => new URL(url, BASE).href)))(self.importScripts.bind(self));
importScripts(BASE);`;

/** Workers of an opaque origin must come from a blob (Chromium and Firefox refuse the file itself). */
export function blobWorkers(): void {
  if (!opaque) {
    return;
  }
  const Real = window.Worker;
  window.Worker = class extends Real {
    constructor(url: string | URL) {
      const base = JSON.stringify(new URL(url, location.href).href);
      const code = new Blob([`const BASE = ${base};\n${WORKER}`], { type: 'text/javascript' });
      super(URL.createObjectURL(code));
    }
  };
}
