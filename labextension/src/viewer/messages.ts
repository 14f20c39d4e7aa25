/**
 * What is said by `postMessage` between the viewer page, the display's client in its frame, and JupyterLab around it.
 *
 * page → client  {qconnect: 'page', command, data}
 * client → page  {qconnect: 'agent', event, data}
 * page → panel   {qconnect: 'focus'} or {qconnect: 'title', title}
 * panel → page   {qconnect: 'hidden'} or {qconnect: 'shown'}
 *
 * The client may come from a node, and is believed nothing but its shape: what is read here has the types that it says.
 */

type Nothing = Record<string, never>;

/** What the page tells the client, and with what. */
export interface ICommands {
  /** Connect now (the frame was opened with hold=1), or once more after `closed`. */
  go: Nothing;
  /** Ask the server for an echo. */
  ping: Nothing;
  /** Take the keyboard. */
  focus: Nothing;
  /** Give the keyboard back to the page. */
  release: Nothing;
  /** Send no keys, clicks or clipboard. */
  readonly: { on: boolean };
  /** Ask the server to stop drawing, or to draw again. */
  suspend: { on: boolean };
  /** Put the text on the program's clipboard. */
  paste: { text: string };
  /** Whether other pages show the session, too. */
  company: { on: boolean };
  /** Strike a key, by X's name of it, together with modifiers (shift, control, alt, meta). */
  strike: { symbol: string; held: string[] };
  /** Let go of the connection: the last picture stays. */
  leave: Nothing;
}

/** What the client tells the page, and with what. */
export interface IEvents {
  /** The client is there and waits, or connects by itself when it was not held. */
  loaded: { version: string | null };
  /** No client that the agent knows: it runs by itself. */
  unknown: Nothing;
  /** The websocket is open. */
  opened: Nothing;
  /** The first window shows something: its size in pixels, its class, milliseconds since the frame began to load. */
  painted: { w: number | null; h: number | null; cls: unknown; ms: number | null };
  /** The server answered a ping: its latency in milliseconds, and what was drawn so far. */
  echo: { latency: number | null; draws: number | null; bytes: number | null };
  /** So many windows there are, as the client has just heard. */
  windows: { count: number | null };
  /** Title of the window in front. */
  title: { title: string };
  /** The connection ended. */
  closed: { reason: string | null };
  /** The user came into the frame. */
  focus: Nothing;
  /** The user moved the mouse, clicked, typed or pasted. */
  input: Nothing;
  /** The user pressed a key in the program. */
  typed: Nothing;
  /** These characters cannot be typed: old servers let nobody change the keymap while others look on. */
  untypable: { text: string };
  /** The user pressed in a terminal what pastes elsewhere. */
  mispasted: Nothing;
  /** The user pressed Ctrl+Alt+Shift+Q: give the keyboard back. */
  chord: Nothing;
  /** The program put text on its clipboard. */
  copied: { text: string };
  /** For the log: an error of a script. */
  error: { message: string };
  /** For the log: what the page's policy stopped. */
  csp: { what: string };
}

/** One message of several, told apart by its name. */
export type Message<M> = { [K in keyof M]: { name: K; data: M[K] } }[keyof M];
export type Command = Message<ICommands>;
export type ClientEvent = Message<IEvents>;

/** What JupyterLab's panel tells the page: whether its tab is seen. */
export type PanelWord = 'hidden' | 'shown';

/** What the page tells JupyterLab's panel: the user came into the program, or the title of the window in front. */
export type PanelNews = { qconnect: 'focus' } | { qconnect: 'title'; title: string };

type Fields = Readonly<Record<string, unknown>>;
type Readers<M> = { readonly [K in keyof M]: (data: Fields) => M[K] };

const nothing = (): Nothing => ({});
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const numberOrNull = (value: unknown): number | null => (typeof value === 'number' ? value : null);

const COMMANDS: Readers<ICommands> = {
  go: nothing,
  ping: nothing,
  focus: nothing,
  release: nothing,
  readonly: ({ on }) => ({ on: Boolean(on) }),
  suspend: ({ on }) => ({ on: Boolean(on) }),
  paste: ({ text: pasted }) => ({ text: text(pasted) }),
  company: ({ on }) => ({ on: Boolean(on) }),
  strike: ({ symbol, held }) => ({ symbol: text(symbol), held: Array.isArray(held) ? held.map(text) : [] }),
  leave: nothing,
};

const EVENTS: Readers<IEvents> = {
  loaded: ({ version }) => ({ version: textOrNull(version) }),
  unknown: nothing,
  opened: nothing,
  painted: ({ w, h, cls, ms }) => ({ w: numberOrNull(w), h: numberOrNull(h), cls, ms: numberOrNull(ms) }),
  echo: ({ latency, draws, bytes }) => ({
    latency: numberOrNull(latency),
    draws: numberOrNull(draws),
    bytes: numberOrNull(bytes),
  }),
  windows: ({ count }) => ({ count: numberOrNull(count) }),
  title: ({ title }) => ({ title: text(title) }),
  closed: ({ reason }) => ({ reason: textOrNull(reason) }),
  focus: nothing,
  input: nothing,
  typed: nothing,
  untypable: ({ text: untypable }) => ({ text: text(untypable) }),
  mispasted: nothing,
  chord: nothing,
  copied: ({ text: copied }) => ({ text: text(copied) }),
  error: ({ message }) => ({ message: text(message) }),
  csp: ({ what }) => ({ what: text(what) }),
};

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

/** The message of this name, or null when there is none, or its data is none. */
function read<M>(readers: Readers<M>, name: unknown, data: unknown): Message<M> | null {
  if (typeof name !== 'string' || !Object.hasOwn(readers, name) || !isFields(data)) {
    return null;
  }
  const known = name as keyof M;
  return { name: known, data: readers[known](data) };
}

/** The command in a message from the page around; null when it is none. */
export function readCommand(message: unknown): Command | null {
  const said = isFields(message) && message['qconnect'] === 'page' ? message : {};
  return read(COMMANDS, said['command'], said['data']);
}

/** The event in a message from a frame; null when it is none. */
export function readEvent(message: unknown): ClientEvent | null {
  const said = isFields(message) && message['qconnect'] === 'agent' ? message : {};
  return read(EVENTS, said['event'], said['data']);
}

/** What a panel around the page says; null when it says nothing. */
export function readPanelWord(message: unknown): PanelWord | null {
  const word = isFields(message) ? message['qconnect'] : null;
  return word === 'hidden' || word === 'shown' ? word : null;
}

/** What the page says to the panel around it; null when it says nothing. */
export function readPanelNews(message: unknown): PanelNews | null {
  const { qconnect, title } = isFields(message) ? message : {};
  if (qconnect === 'title' && typeof title === 'string') {
    return { qconnect, title };
  }
  return qconnect === 'focus' ? { qconnect } : null;
}

/** A command as it travels. */
export function commandMessage<C extends keyof ICommands>(command: C, data: ICommands[C]): object {
  return { qconnect: 'page', command, data };
}

/** An event as it travels. */
export function eventMessage<E extends keyof IEvents>(event: E, data: IEvents[E]): object {
  return { qconnect: 'agent', event, data };
}
