import { app, eventually, TestServer, type Answer } from '../../core/__tests__/server';
import { LabApps } from '../apps';
import { qconnectIcon } from '../icons';

let server: TestServer;
beforeEach(async () => {
  server = await new TestServer().start();
});
afterEach(() => server.stop());

describe('the apps with their icons', () => {
  let apps: Answer;
  let icon: Answer;
  let model: LabApps;

  beforeEach(() => {
    apps = { json: { apps: [app('xterm'), app('r')], problems: [] } };
    icon = { text: '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>' };
    server.answer = ({ path }) => (path.endsWith('/icon') ? icon : apps);
  });
  afterEach(() => model.dispose());

  it("shows an app's drawing as a picture, so that no script in it can run", async () => {
    model = new LabApps(server.way);
    await eventually(() => model.loaded, 'the catalogue');
    const drawn = model.icon('xterm').element();
    expect(drawn.querySelector('script')).toBeNull();
    const source = drawn.querySelector('image')?.getAttribute('href') ?? '';
    expect(atob(source.replace('data:image/svg+xml;base64,', ''))).toContain('<script>alert(1)</script>');
  });

  it('withholds no app because its icon cannot be loaded', async () => {
    icon = { status: 404, json: {} };
    model = new LabApps(server.way);
    await eventually(() => model.loaded, 'the catalogue');
    expect(model.all.map(({ name }) => name)).toEqual(['xterm', 'r']);
    expect(model.icon('xterm')).toBe(qconnectIcon);
  });

  it('says why it could not be loaded, and is not loaded', async () => {
    apps = { status: 502, json: { message: 'The app file r.yaml is wrong.', reason: 'bad-app-file' } };
    model = new LabApps(server.way);
    const errors: unknown[] = [];
    model.failed.connect((_, error) => errors.push(error));
    await eventually(() => errors.length > 0, 'the failure');
    expect(errors[0]).toMatchObject({ message: 'The app file r.yaml is wrong.' });
    expect(model.loaded).toBe(false);
  });
});
