/** Reaches into the client's methods, by whatever shape its version gives them. */
import type { Packet } from './client';

/** Puts `around` in the place of a method, if the client has it; `inner` is the method as it was, ready to call. */
export function wrap<T extends object>(
  type: new () => T,
  name: string,
  around: (self: T, args: Packet[], inner: () => unknown) => unknown,
): void {
  const methods = type.prototype as Record<string, unknown>;
  const old = methods[name];
  if (typeof old !== 'function') {
    return;
  }
  methods[name] = function (this: T, ...args: Packet[]): unknown {
    return around(this, args, () => old.apply(this, args) as unknown);
  };
}

/** The version of the client, as it says itself. */
export function version(): string | null {
  return typeof Utilities === 'undefined' ? null : String(Utilities.VERSION);
}

/** Whether this is a client of xpra 3 or older: text is bytes there, and titles are HTML. */
export function isOld(): boolean {
  return /^[0-3]\./.test(version() ?? '');
}

/** UTF-8 bytes of a text, one per character, as old clients keep text. */
export function toBytes(text: string): string {
  return Array.from(new TextEncoder().encode(text), byte => String.fromCharCode(byte)).join('');
}

/** The text of such bytes; what is no UTF-8 is text already. */
export function toText(bytes: string): string {
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
