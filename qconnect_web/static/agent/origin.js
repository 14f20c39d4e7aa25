// Gives the client what an origin of its own lacks: storage, and workers from its own files.

import { opaque } from './page.js';

/** A storage that lasts as long as the page. */
function memory() {
  /** @type {Map<string, string>} */
  const kept = new Map();
  return {
    getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {unknown} */ value) => void kept.set(key, String(value)),
    removeItem: (/** @type {string} */ key) => void kept.delete(key),
  };
}

/** @param {'sessionStorage' | 'localStorage'} name */
function usable(name) {
  try {
    return typeof window[name] === 'object';
  } catch {
    return false;
  }
}

/** Old clients keep flat keys that the next session in the same tab would read: each gets a storage of its own. */
export function ownStorage() {
  for (const name of /** @type {const} */ (['sessionStorage', 'localStorage'])) {
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
export function blobWorkers() {
  if (!opaque) {
    return;
  }
  const Real = window.Worker;
  window.Worker = /** @type {typeof Worker} */ (
    class extends Real {
      /** @param {string | URL} url */
      constructor(url) {
        const base = JSON.stringify(new URL(url, location.href).href);
        const code = new Blob([`const BASE = ${base};\n${WORKER}`], { type: 'text/javascript' });
        super(URL.createObjectURL(code));
      }
    }
  );
}
