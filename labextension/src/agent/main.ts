/**
 * The agent: the first script of the HTML5 client's page and the only code that touches the client's objects. It holds
 * the client until the page around says go, and does what that says (viewer/messages.ts).
 */
import type { IXpraClient } from './client';
import { held, offer, repairClipboard, watchClipboard } from './clipboard';
import { join, type IDisplayClient } from './join';
import {
  keepFocusInside,
  releaseKeyboard,
  setCompany,
  strikeKey,
  takeKeyboard,
  takeOverKeyboard,
} from './keyboard';
import { version, wrap } from './methods';
import { blobWorkers, ownStorage } from './origin';
import { takeParameters, tell } from './page';
import { watchPackets } from './packets';
import { watchPainting } from './painting';
import { agent, windowIds } from './state';
import { dressWindows, watchPlaces } from './windows';

const display: IDisplayClient = {
  get connected() {
    return agent.connected;
  },
  get readonly() {
    return agent.readonly;
  },
  get clipboard() {
    return held();
  },
  connect: () => agent.start?.(),
  ping: () => {
    if (agent.connected) {
      agent.client?._send_ping();
    }
  },
  leave: () => {
    if (agent.client) {
      hangUp(agent.client);
    }
  },
  takeKeyboard,
  releaseKeyboard,
  strikeKey,
  setCompany,
  setReadonly: on => {
    agent.readonly = on;
    if (agent.client) {
      agent.client.server_readonly = on;
    }
  },
  setSuspended,
  paste: offer,
};

function setSuspended(on: boolean): void {
  const changed = on !== agent.suspended;
  agent.suspended = on;
  if (!changed || !agent.connected || !agent.client) {
    return;
  }
  agent.client.send([on ? 'suspend' : 'resume', true, windowIds()]);
  if (!on) {
    agent.client.redraw_windows();
    agent.client.request_refresh(-1);
  }
}

/** Drops the connection: a dead socket may still speak, minutes later. */
function hangUp(client: IXpraClient): void {
  agent.connected = false;
  const protocol = client.protocol;
  client.protocol = null;
  if (protocol) {
    protocol.set_packet_handler(() => undefined, client);
    if (protocol.terminate) {
      protocol.terminate();
    } else {
      protocol.close();
    }
    client.clear_timers();
  }
}

/** The client wants to connect for the first time: it waits for the page. */
function prepare(client: IXpraClient, connect: () => unknown, hold: boolean): void {
  let over = false;
  agent.client = client;
  client.reconnect = false;
  client.close_windows = () => undefined; // the last picture stays
  client.callback_close = reason => {
    if (!over) {
      over = true; // a failed websocket is reported as an error and as a close
      agent.connected = false;
      tell('closed', { reason: reason ? reason.slice(0, 300) : null });
    }
  };
  removeNotices();
  repairClipboard(client);
  agent.start = () => {
    hangUp(client);
    over = false;
    client.disconnect_reason = null;
    connect();
  };
  tell('loaded', { version: version() });
  if (!hold) {
    agent.start();
  }
}

/** Some versions make ids of a random length, and a server that checks them turns the client away. */
function repairIds(): void {
  if (typeof Utilities !== 'undefined' && Utilities.getHexUUID) {
    Utilities.getHexUUID = () =>
      'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replaceAll('x', () =>
        Math.floor(Math.random() * 16).toString(16),
      );
  }
}

/** The box for notices, which are kept out, covers the picture from y = 96 down in frames narrower than 600 px. */
function removeNotices(): void {
  for (const box of document.querySelectorAll('body > div.notifications')) {
    box.remove();
  }
}

/** The client's scripts are there, its start is not yet. */
function onScripts(parameters: URLSearchParams): void {
  if (typeof XpraClient === 'undefined') {
    tell('unknown', {});
    return;
  }
  const Window = typeof XpraWindow === 'undefined' ? undefined : XpraWindow;
  repairIds();
  dressWindows();
  watchPainting(XpraClient, Window);
  watchPackets(XpraClient);
  watchPlaces(XpraClient, Window);
  watchClipboard(XpraClient);
  takeOverKeyboard(XpraClient, parameters.get('hold_keys') === '1');
  wrap(XpraClient, 'connect', (client, _args, inner) =>
    prepare(client, inner, parameters.get('hold') === '1'),
  );
}

const parameters = takeParameters();
agent.fill = parameters.get('fill') === '1';
ownStorage();
blobWorkers();
keepFocusInside();
join(display);
document.addEventListener('DOMContentLoaded', () => onScripts(parameters));
