/** A small real HTTP server that answers as a test says, and remembers what it was asked. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { IApp, ISession } from '../models';
import type { IServer } from '../request';

export interface IAsked {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** An answer; `hang-up` closes the connection without one. */
export type Answer = { status?: number; json?: unknown; text?: string } | 'hang-up';

export class TestServer {
  readonly asked: IAsked[] = [];

  /** How a request is answered; set by the test. */
  answer: (asked: IAsked) => Answer | Promise<Answer> = () => ({ json: {} });

  async start(): Promise<this> {
    this._server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        void this._handle(request, Buffer.concat(chunks).toString()).then(answer => {
          if (answer === 'hang-up') {
            request.socket.destroy();
            return;
          }
          response.writeHead(answer.status ?? 200, {
            'Content-Type': 'application/json',
            Connection: 'close',
          });
          response.end(answer.text ?? JSON.stringify(answer.json));
        });
      });
    });
    await new Promise<void>(resolve => this._server?.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    this._server?.closeAllConnections();
    await new Promise(resolve => this._server?.close(resolve));
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${(this._server?.address() as AddressInfo).port}/a%40b/`;
  }

  /** The way to this server without a login. */
  get way(): IServer {
    return { baseUrl: this.baseUrl, send: fetch, spawnUrl: null };
  }

  private async _handle(request: IncomingMessage, body: string): Promise<Answer> {
    const path = (request.url ?? '').replace(/\?\d+$/, ''); // without JupyterLab's cache buster
    const asked = { method: request.method ?? '', path, headers: request.headers, body };
    this.asked.push(asked);
    return this.answer(asked);
  }

  private _server: Server | null = null;
}

export function session(id: string, changed: Partial<ISession> = {}): ISession {
  return {
    id,
    app: 'xterm',
    title: 'XTerm',
    kind: 'gui',
    window: 'float',
    name: 'xterm',
    state: 'READY',
    reason: null,
    url: `/a%40b/qconnect/${id}/`,
    created: '2026-11-23T06:32:00Z',
    started: null,
    ended: null,
    walltime_left: 3600,
    exit_status: null,
    stale_since: null,
    command: ['xterm'],
    spec: {
      name: 'xterm',
      queue: null,
      nodes: 1,
      cores: 1,
      memory: '1GB',
      walltime: '08:00:00',
      gpus: 0,
      account: null,
      native: [],
      gpu_type: null,
      mail: null,
      fields: {},
    },
    job: {
      id,
      state: 'RUNNING',
      node: 'n1',
      queue: null,
      name: 'xterm',
      comment: null,
      exit_status: null,
      submitted: null,
      started: null,
      ended: null,
      walltime_s: 28800,
      session: null,
      starts: null,
      cause: null,
    },
    ...changed,
  };
}

export function app(name: string, changed: Partial<IApp> = {}): IApp {
  return {
    name,
    title: name.toUpperCase(),
    description: `The program ${name}`,
    category: 'Tools',
    icon: `/a%40b/qconnect/api/apps/${name}/icon`,
    kind: 'gui',
    available: true,
    reason: null,
    takes_command: false,
    resources: {},
    form: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: name,
      type: 'object',
      additionalProperties: false,
      properties: {},
      'x-rules': [],
    },
    saved: [],
    ...changed,
  };
}

/** Resolves when `predicate` holds; rejects after two seconds. */
export async function eventually(predicate: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 2000;
  while (!predicate()) {
    if (Date.now() > deadline) {
      throw new Error(`${what} did not come true within 2 s`);
    }
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}
