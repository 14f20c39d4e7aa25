// Repairs the clipboard of old clients, and keeps it fresh in all: text of any alphabet, both ways.

import { agent, tell } from './page.js';
import { old, toBytes, toText, wrap } from './methods.js';

const LIMIT = 1 << 20;

/** What the client last held, as text. */
function held() {
  const buffer = agent.client?.clipboard_buffer ?? '';
  return old() ? toText(buffer) : buffer;
}

/** The browser's clipboard, where it lets itself be read without asking: Firefox would show a menu at every paste. */
export async function readBrowser() {
  // Without a secure context there is neither, whatever the types say.
  const board = /** @type {Clipboard | undefined} */ (navigator.clipboard);
  const permissions = /** @type {Permissions | undefined} */ (navigator.permissions);
  if (!board || !permissions || !document.hasFocus()) {
    return null;
  }
  try {
    const name = /** @type {PermissionName} */ ('clipboard-read');
    const answer = await permissions.query({ name });
    return answer.state === 'granted' ? await board.readText() : null;
  } catch {
    return null; // it does not know this permission, or the focus just went
  }
}

/** 3.1.3 answers with text cut to bytes, and with its own last copy when the browser says no. @param {Packet} packet */
async function onRequest(packet) {
  const client = agent.client;
  const [, request, selection] = packet;
  if (!client) {
    return;
  }
  if (selection !== 'CLIPBOARD' || agent.readonly) {
    client.send_clipboard_string(request, selection, '');
    return;
  }
  const text = (await readBrowser()) ?? held();
  client.clipboard_buffer = toBytes(text);
  client.send_clipboard_string(request, selection, client.clipboard_buffer, 'UTF8_STRING');
}

/** @param {XpraClientObject} client */
export function repairClipboard(client) {
  if (!old()) {
    return;
  }
  client.packet_handlers['clipboard-request'] = packet => void onRequest(packet);
  const board = /** @type {Clipboard | undefined} */ (navigator.clipboard);
  if (board) {
    const write = board.writeText.bind(board);
    board.writeText = text => write(toText(text));
  }
}

/** @param {new () => XpraClientObject} Client */
export function watchClipboard(Client) {
  wrap(Client, '_process_clipboard_token', (_self, args, inner) => {
    const before = held();
    const result = inner();
    const text = held();
    if ((args[0]?.length ?? 0) >= 8 && text !== before) {
      tell('copied', { text: text.slice(0, LIMIT) });
    }
    return result;
  });
  wrap(Client, 'send_clipboard_token', (_self, _args, inner) => (agent.readonly ? undefined : inner()));
}

/** Puts text on the program's clipboard. @param {string} text */
export function offer(text) {
  const client = agent.client;
  if (client && !agent.readonly) {
    client.clipboard_buffer = old() ? toBytes(text) : text;
    client.send_clipboard_token(client.clipboard_buffer, ['text/plain']);
  }
}

/** What was copied elsewhere is offered when the user comes back, not only at the first key. */
export async function freshen() {
  if (!agent.connected || agent.readonly) {
    return;
  }
  const text = await readBrowser();
  if (text && text !== held()) {
    offer(text);
  }
}
