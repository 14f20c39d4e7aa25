import { PageConfig } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { TestServer } from '../../core/__tests__/server';
import { request } from '../../core/request';
import { labServer } from '../server';

let server: TestServer;
beforeEach(async () => {
  server = await new TestServer().start();
});
afterEach(() => server.stop());

it("a request through JupyterLab brings its token and the XSRF cookie's value", async () => {
  document.cookie = '_xsrf=abc';
  const settings = { baseUrl: server.baseUrl, token: 'secret', fetch, Request, Headers };
  await request(labServer(ServerConnection.makeSettings(settings)), 'sessions', { method: 'POST', key: 'k' });
  expect(server.asked[0]).toMatchObject({ method: 'POST', path: '/a%40b/qconnect/api/sessions' });
  expect(server.asked[0]?.headers).toMatchObject({
    authorization: 'token secret',
    'x-xsrftoken': 'abc',
    'idempotency-key': 'k',
  });
});

it('a hub, where JupyterLab knows of one, starts the server at its own address', () => {
  const settings = ServerConnection.makeSettings({ baseUrl: server.baseUrl });
  expect(labServer(settings).spawnUrl).toBeNull();
  PageConfig.setOption('hubPrefix', '/jupyter/hub/');
  PageConfig.setOption('hubUser', 'alice');
  expect(labServer(settings).spawnUrl).toBe('/jupyter/hub/spawn/alice');
  PageConfig.setOption('hubServerName', 'gpu');
  PageConfig.setOption('hubHost', 'https://hub.example');
  expect(labServer(settings).spawnUrl).toBe('https://hub.example/jupyter/hub/spawn/alice/gpu');
});
