/** Repairs the clipboard of old clients, and keeps it fresh in all: text of any alphabet, both ways. */
import { browserClipboard, readBrowser } from '../viewer/browser-clipboard';
import type { IXpraClient, Packet, XpraClientClass } from './client';
import { isOld, toBytes, toText, wrap } from './methods';
import { tellCopied } from './page';
import { agent } from './state';

/** What the client last held, as text. */
export function held(): string {
  const buffer = agent.client?.clipboard_buffer ?? '';
  return isOld() ? toText(buffer) : buffer;
}

/** 3.1.3 answers with text cut to bytes, and with its own last copy when the browser says no. */
async function onRequest([, request, selection]: Packet): Promise<void> {
  const client = agent.client;
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

export function repairClipboard(client: IXpraClient): void {
  if (!isOld()) {
    return;
  }
  client.packet_handlers['clipboard-request'] = packet => void onRequest(packet);
  const clipboard = browserClipboard();
  if (clipboard) {
    const write = clipboard.writeText.bind(clipboard);
    clipboard.writeText = text => write(toText(text));
  }
}

export function watchClipboard(Client: XpraClientClass): void {
  wrap(Client, '_process_clipboard_token', (_self, args, inner) => {
    const before = held();
    const result = inner();
    const text = held();
    if ((args[0]?.length ?? 0) >= 8 && text !== before) {
      tellCopied(text);
    }
    return result;
  });
  wrap(Client, 'send_clipboard_token', (_self, _args, inner) => (agent.readonly ? undefined : inner()));
}

/** Puts text on the program's clipboard. */
export function offer(text: string): void {
  const client = agent.client;
  if (client && !agent.readonly) {
    client.clipboard_buffer = isOld() ? toBytes(text) : text;
    client.send_clipboard_token(client.clipboard_buffer, ['text/plain']);
  }
}
