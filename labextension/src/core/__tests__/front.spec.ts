/** @jest-environment node */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

import { measureFront } from '../front';
import type { IFinding } from '../models';
import { english as trans } from '../trans';

/** As a browser's own: a failure is an event like another, also when nobody listens to it. */
class BrowserSocket extends WebSocket {
  constructor(address: string) {
    super(address);
    this.on('error', () => undefined);
  }
}

Object.assign(globalThis, { WebSocket: BrowserSocket });

const SHORT_MS = 100;

let server: Server;
let echo: WebSocketServer;
let over: AbortController;
/** Whether a line is cut soon after its first word. */
let cut: boolean;

async function measured(): Promise<IFinding[]> {
  const found: IFinding[] = [];
  const { port } = server.address() as AddressInfo;
  const times = { answer: 2_000, silence: SHORT_MS };
  await measureFront(
    `ws://127.0.0.1:${port}/echo`,
    finding => void found.push(finding),
    over.signal,
    trans,
    times,
  );
  return found;
}

beforeEach(async () => {
  over = new AbortController();
  cut = false;
  server = createServer();
  echo = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    echo.handleUpgrade(request, socket, head, line => {
      line.on('message', data => {
        line.send(data as Buffer, { binary: false });
        if (cut) {
          setTimeout(() => line.terminate(), SHORT_MS / 4);
        }
      });
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  echo.clients.forEach(line => line.terminate());
  server.closeAllConnections();
  await new Promise(resolve => server.close(resolve));
});

it('finds nothing wrong where websockets live', async () => {
  expect((await measured()).map(({ check, level }) => [check, level])).toEqual([
    ['front', 'ok'],
    ['front', 'ok'],
  ]);
});

it('names what eats the upgrade', async () => {
  server.removeAllListeners('upgrade');
  server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'));
  const [finding, ...others] = await measured();
  expect(finding?.level).toBe('problem');
  expect(finding?.advice).toContain('proxy_set_header Upgrade $http_upgrade');
  expect(others).toEqual([]);
});

it('names what opens a websocket and lets nothing through', async () => {
  const { port } = server.address() as AddressInfo;
  server.removeAllListeners('upgrade');
  server.on('upgrade', (request, socket, head) => {
    echo.handleUpgrade(request, socket, head, () => undefined);
  });
  const found: IFinding[] = [];
  const times = { answer: SHORT_MS, silence: SHORT_MS };
  const tell = (finding: IFinding): void => void found.push(finding);
  await measureFront(`ws://127.0.0.1:${port}/echo`, tell, over.signal, trans, times);
  expect(found.map(({ level }) => level)).toEqual(['problem']);
});

it('says after how long a silent connection is cut', async () => {
  cut = true;
  const [first, second] = await measured();
  expect(first?.level).toBe('ok');
  expect(second).toMatchObject({ level: 'warning', found: 'A silent connection was cut after 0 s.' });
  expect(second?.advice).toContain('proxy_read_timeout 3600s');
});

it('says nothing more once it is left', async () => {
  const measuring = measured();
  over.abort();
  expect(await measuring).toEqual([]);
});
