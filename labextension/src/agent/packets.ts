/** Watches what the server says, and keeps out what it must not say. */
import type { XpraClientClass } from './client';
import { isOld, toText, wrap } from './methods';
import { tell } from './page';
import { agent, windowIds } from './state';

function tellTitle(): void {
  const client = agent.client;
  if (!client) {
    return;
  }
  const last = windowIds().at(-1);
  const front = client.id_to_window[client.focus] ?? client.id_to_window[String(last)];
  const title = front?.title ?? front?.metadata?.['title'];
  if (typeof title === 'string' && title) {
    const text = isOld() ? unescaped(toText(title)) : title;
    tell('title', { title: text.slice(0, 200) });
  }
}

/** A window of one pixel is for other programs, not for people. */
function tellWindows(): void {
  const windows = Object.values(agent.client?.id_to_window ?? {});
  tell('windows', { count: windows.filter(win => win && Math.min(win.w, win.h) > 1).length });
}

function unescaped(title: string): string {
  return title.replaceAll('&lt;', '<').replaceAll('&amp;', '&');
}

/** Old clients put titles into the page as HTML: what a program calls its window must stay text. */
function escapeTitle(metadata: unknown): void {
  if (isOld() && metadata && typeof metadata === 'object' && 'title' in metadata) {
    metadata.title = String(metadata.title).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  }
}

function watchConnection(Client: XpraClientClass): void {
  wrap(Client, '_process_open', (_self, _args, inner) => {
    agent.connected = true;
    tell('opened', {});
    return inner();
  });
  wrap(Client, '_process_hello', (_self, _args, inner) => {
    const result = inner();
    if (agent.readonly && agent.client) {
      agent.client.server_readonly = true; // the hello has just set it to what the server wants
    }
    tellWindows();
    return result;
  });
  wrap(Client, '_process_ping_echo', (_self, _args, inner) => {
    const result = inner();
    const latency = agent.client?.server_ping_latency ?? 0;
    tell('echo', { latency, draws: agent.draws, bytes: agent.bytes });
    return result;
  });
}

function watchWindows(Client: XpraClientClass): void {
  wrap(Client, '_process_window_metadata', (_self, args, inner) => {
    escapeTitle(args[0]?.[2]);
    const result = inner();
    tellTitle();
    return result;
  });
  wrap(Client, '_new_window_common', (_self, args, inner) => {
    escapeTitle(args[0]?.[6]);
    const result = inner();
    if (agent.suspended) {
      agent.client?.send(['suspend', true, [args[0]?.[1]]]); // a new window draws all the same
    }
    tellTitle();
    tellWindows();
    return result;
  });
  wrap(Client, '_process_lost_window', (_self, _args, inner) => {
    const result = inner();
    tellWindows();
    return result;
  });
}

export function watchPackets(Client: XpraClientClass): void {
  watchConnection(Client);
  watchWindows(Client);
  // A node may not open pages or notices in the user's browser.
  wrap(Client, '_process_open_url', () => undefined);
  wrap(Client, '_process_notify_show', () => undefined);
}
