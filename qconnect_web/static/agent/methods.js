// Reaches into the client's methods, by whatever shape its version gives them.

import { agent } from './page.js';

/**
 * Puts `around` in the place of a method, if the client has it; `inner` is the method as it was, ready to call.
 * @template {object} T
 * @param {new () => T} type
 * @param {string} name
 * @param {(self: T, args: Packet[], inner: () => unknown) => unknown} around
 */
export function wrap(type, name, around) {
  const methods = /** @type {{prototype: Record<string, unknown>}} */ (/** @type {unknown} */ (type))
    .prototype;
  const old = methods[name];
  if (typeof old !== 'function') {
    return;
  }
  methods[name] = /** @this {T} @param {Packet[]} args */ function (...args) {
    return around(this, args, () => /** @type {unknown} */ (old.apply(this, args)));
  };
}

/** The version of the client, as it says itself. */
export function version() {
  return typeof Utilities === 'undefined' ? null : String(Utilities.VERSION);
}

/** Whether this is a client of xpra 3 or older: text is bytes there, and titles are HTML. */
export function old() {
  return /^[0-3]\./.test(version() ?? '');
}

/** UTF-8 bytes of a text, one per character, as old clients keep text. @param {string} text */
export function toBytes(text) {
  return Array.from(new TextEncoder().encode(text), byte => String.fromCharCode(byte)).join('');
}

/** The text of such bytes; what is no UTF-8 is text already. @param {string} bytes */
export function toText(bytes) {
  const codes = Array.from(bytes, char => char.charCodeAt(0));
  if (codes.some(code => code > 255)) {
    return bytes;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(codes));
  } catch {
    return bytes;
  }
}

/** Ids of all windows. */
export function windows() {
  return Object.keys(agent.client?.id_to_window ?? {}).map(Number);
}
