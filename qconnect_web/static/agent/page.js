/* The agent: the first script of the HTML5 client's page and the only code that touches the client's objects.
 * The files of this folder are joined, in the order of `clients.AGENT_FILES`, into one script without imports.
 *
 * It speaks with the viewer page around it by postMessage, in a same-origin frame as in an opaque one.
 *   page → agent  {qconnect: 'page', command, data}
 *     go              connect now (the frame was opened with hold=1), or once more after 'closed'
 *     ping            ask the server for an echo
 *     focus           take the keyboard
 *     release         give the keyboard back to the page
 *     readonly {on}   send no keys, clicks or clipboard
 *     suspend {on}    ask the server to stop drawing / to draw again
 *     paste {text}    put the text on the program's clipboard
 *   agent → page  {qconnect: 'agent', event, data}
 *     loaded {version}        the client is there and waits, or connects by itself when it was not held
 *     unknown                 no client that the agent knows: it runs by itself
 *     opened                  the websocket is open
 *     painted {w, h, cls, ms} the first window shows something
 *     echo {latency, draws, bytes}  the server answered a ping
 *     title {title}           title of the window in front
 *     closed {reason}         the connection ended
 *     focus                   the user came into the frame
 *     input                   the user moved the mouse, clicked, typed or pasted
 *     chord                   the user pressed Ctrl+Alt+Shift+Q: give the keyboard back
 *     copied {text}           the program put text on its clipboard
 *     error {message}, csp {what}   for the log
 */

/** What the agent knows; one object, as all files share it. */
export const agent = {
  /** @type {XpraClientObject | null} */
  client: null,
  connected: false,
  readonly: false,
  suspended: false,
  painted: false,
  draws: 0,
  bytes: 0,
  /** Connects; set once the client is there. @type {(() => void) | null} */
  start: null,
};

export const opaque = self.origin === 'null';

/**
 * Tells the page around this one.
 * @param {string} event
 * @param {Record<string, unknown>} [data]
 */
export function tell(event, data = {}) {
  window.parent.postMessage({ qconnect: 'agent', event, data }, '*');
}

/**
 * Does what the page around this one says.
 * @param {Partial<Record<string, (data: Record<string, unknown>) => void>>} commands
 */
export function obey(commands) {
  window.addEventListener('message', (/** @type {MessageEvent<unknown>} */ event) => {
    const message = /** @type {Record<string, unknown> | null} */ (event.data);
    if (event.source !== window.parent || message?.qconnect !== 'page') {
      return;
    }
    const name = String(message.command);
    if (Object.hasOwn(commands, name)) {
      commands[name]?.(/** @type {Record<string, unknown>} */ (message.data ?? {}));
    }
  });
}

/**
 * The client's parameters come in the fragment of the URL, so that its page is cached under one address. They are
 * moved into the query, where every version of the client looks for them, before its scripts run.
 */
export function takeParameters() {
  if (location.hash.length > 1) {
    history.replaceState(null, '', `${location.pathname}?${location.hash.slice(1)}`);
  }
  return new URLSearchParams(location.search);
}
