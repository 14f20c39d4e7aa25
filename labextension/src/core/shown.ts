/** Text from elsewhere as a page may show it: nothing in it hides, moves or reorders what stands around it. */

/** Control characters but for ends of lines and tabs, those that turn the direction of writing, halves of characters. */
const ACTIVE = /(?![\n\t])[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** What is sent back to the server, and so stays as it came. */
const EXACT = new Set(['command', 'spec']);

/** The text with each such character as programmers write it: `\u202e`. */
export function shown(text: string): string {
  return text.replace(ACTIVE, found => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** All that the server says, with its texts as they may be shown; what a session was started with stays as it is. */
export function shownAnswer<T>(answer: T): T {
  return plain(answer) as T;
}

function plain(value: unknown): unknown {
  if (typeof value === 'string') {
    return shown(value);
  }
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, EXACT.has(name) ? inner : plain(inner)]),
  );
}
