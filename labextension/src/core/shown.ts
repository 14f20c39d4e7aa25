/** Text from elsewhere as a page may show it: nothing in it hides, moves or reorders what stands around it. */
import type { ISession } from './models';

/** Control characters but for ends of lines and tabs, and those that turn the direction of writing. */
const ACTIVE = /(?![\n\t])[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** The text with each such character as programmers write it: `\u202e`. */
export function shown(text: string): string {
  return text.replace(ACTIVE, found => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The session with its words as they may be shown; what it was started with stays as it is. */
export function shownSession(session: ISession): ISession {
  const { title, reason } = session;
  return { ...session, title: shown(title), reason: reason === null ? null : shown(reason) };
}
