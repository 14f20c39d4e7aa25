// Starts the agent: holds the client until the page says go, and does what the page says.

import { agent, obey, takeParameters, tell } from './page.js';
import { blobWorkers, ownStorage } from './origin.js';
import { version, windows, wrap } from './methods.js';
import { watchPainting } from './painting.js';
import { watchPackets } from './packets.js';
import { offer, repairClipboard, watchClipboard } from './clipboard.js';
import { shortenTitles, watchPlaces } from './windows.js';
import { releaseKeyboard, takeKeyboard, watchKeyboard } from './keyboard.js';

/** @param {boolean} on */
function suspend(on) {
  const changed = on !== agent.suspended;
  agent.suspended = on;
  if (!changed || !agent.connected || !agent.client) {
    return;
  }
  agent.client.send([on ? 'suspend' : 'resume', true, windows()]);
  if (!on) {
    agent.client.redraw_windows();
    agent.client.request_refresh(-1);
  }
}

/** @param {boolean} on */
function setReadonly(on) {
  agent.readonly = on;
  if (agent.client) {
    agent.client.server_readonly = on;
  }
  if (on) {
    releaseKeyboard();
  }
}

/** Drops the connection: a dead socket may still speak, minutes later. @param {XpraClientObject} client */
function hangUp(client) {
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

/** @type {Parameters<typeof obey>[0]} */
const commands = {
  go: () => agent.start?.(),
  ping: () => {
    if (agent.connected) {
      agent.client?._send_ping();
    }
  },
  focus: takeKeyboard,
  release: releaseKeyboard,
  readonly: data => {
    setReadonly(Boolean(data.on));
  },
  suspend: data => {
    suspend(Boolean(data.on));
  },
  paste: data => {
    offer(String(data.text));
  },
};

/**
 * The client wants to connect for the first time: it waits for the page.
 * @param {XpraClientObject} client
 * @param {() => unknown} connect
 * @param {boolean} hold
 */
function prepare(client, connect, hold) {
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
function repairIds() {
  if (typeof Utilities !== 'undefined' && Utilities.getHexUUID) {
    Utilities.getHexUUID = () =>
      'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replaceAll('x', () =>
        Math.floor(Math.random() * 16).toString(16),
      );
  }
}

/** The box for notices, which are kept out, covers the picture from y = 96 down in frames narrower than 600 px. */
function removeNotices() {
  for (const box of document.querySelectorAll('body > div.notifications')) {
    box.remove();
  }
}

/** The client's scripts are there, its start is not yet. @param {boolean} hold */
function onScripts(hold) {
  if (typeof XpraClient === 'undefined') {
    tell('unknown');
    return;
  }
  repairIds();
  shortenTitles();
  watchPainting(XpraClient, typeof XpraWindow === 'undefined' ? null : XpraWindow);
  watchPlaces(typeof XpraWindow === 'undefined' ? null : XpraWindow);
  watchPackets(XpraClient);
  watchClipboard(XpraClient);
  wrap(XpraClient, 'connect', (client, _args, inner) => {
    prepare(client, inner, hold);
  });
}

function startAgent() {
  const hold = takeParameters().get('hold') === '1';
  ownStorage();
  blobWorkers();
  watchKeyboard();
  obey(commands);
  window.addEventListener('error', event => {
    tell('error', { message: event.message.slice(0, 200) });
  });
  document.addEventListener('securitypolicyviolation', event => {
    const where = `${event.sourceFile.slice(-40)}:${event.lineNumber}`;
    tell('csp', { what: `${event.violatedDirective} ${where}` });
  });
  document.addEventListener('DOMContentLoaded', () => {
    onScripts(hold);
  });
}

startAgent();
