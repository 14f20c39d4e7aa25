/** The REST interface of the server extension, as calls. */
import type {
  ICatalogue,
  IExamination,
  ILaunchForm,
  IProbe,
  IQueueList,
  ISession,
  ISettings,
  IStartRequest,
} from './models';
import { request, requestJson, type IServer } from './request';

/** All apps of the site. */
export async function getCatalogue(server: IServer): Promise<ICatalogue> {
  return request<ICatalogue>(server, 'apps');
}

/** What may be asked for when an app is started, with the limits of the moment. */
export async function getForm(server: IServer, app: string): Promise<ILaunchForm> {
  return request<ILaunchForm>(server, `${appPath(app)}/form`);
}

/** The script that a start would submit. */
export async function previewScript(server: IServer, { app, spec, command }: IStartRequest): Promise<string> {
  const data = { spec: spec ?? {}, ...(command && { command }) };
  const answer = await request<{ script: string }>(server, `${appPath(app)}/script`, {
    method: 'POST',
    data,
  });
  return answer.script;
}

/** Keeps settings by name. */
export async function saveSettings(server: IServer, name: string, asked: IStartRequest): Promise<ISettings> {
  const data = { name, spec: asked.spec ?? {}, ...(asked.command && { command: asked.command }) };
  return request<ISettings>(server, `${appPath(asked.app)}/saved`, { method: 'POST', data });
}

/** Forgets settings that were saved. */
export async function removeSettings(server: IServer, app: string, id: string): Promise<void> {
  return request(server, `${appPath(app)}/saved/${encodeURIComponent(id)}`, { method: 'DELETE' });
}

/** The names in one of Jupyter's folders; those of folders end with a slash. */
export async function listFolder(server: IServer, path: string): Promise<string[]> {
  const places = path.split('/').map(encodeURIComponent).join('/');
  const url = `${server.baseUrl}api/contents/${places}?type=directory&content=1`;
  const { content } = (await requestJson(server, url)) as { content: { name: string; type: string }[] };
  return content.map(({ name, type }) => (type === 'directory' ? `${name}/` : name)).sort();
}

/** The batch system and its queues. */
export async function getQueues(server: IServer): Promise<IQueueList> {
  return request<IQueueList>(server, 'queues');
}

/** What an examination of the installation found; `page` is this page's origin. */
export async function getExamination(server: IServer, page: string): Promise<IExamination> {
  return request<IExamination>(server, `doctor?page=${encodeURIComponent(page)}`);
}

/** The small job of an examination. */
export async function getProbe(server: IServer): Promise<IProbe> {
  return request<IProbe>(server, 'doctor/probe');
}

/** Starts one, unless it runs already. */
export async function beginProbe(server: IServer): Promise<IProbe> {
  return request<IProbe>(server, 'doctor/probe', { method: 'POST' });
}

/** All sessions of the user. */
export async function listSessions(server: IServer): Promise<ISession[]> {
  const { sessions } = await request<{ sessions: ISession[] }>(server, 'sessions', { sure: true });
  return sessions;
}

/** One session; `sure` as in IRequest. */
export async function getSession(server: IServer, id: string, sure: boolean): Promise<ISession> {
  return request<ISession>(server, sessionPath(id), { sure });
}

/** Starts a session, once per key. */
export async function startSession(server: IServer, data: IStartRequest, key: string): Promise<ISession> {
  return request<ISession>(server, 'sessions', { method: 'POST', data, key });
}

/** Stops a session; stopping it again is no error. */
export async function stopSession(server: IServer, id: string): Promise<ISession> {
  return request<ISession>(server, `${sessionPath(id)}/stop`, { method: 'POST' });
}

/** Forgets an ended session and its logs. */
export async function forgetSession(server: IServer, id: string): Promise<void> {
  return request(server, sessionPath(id), { method: 'DELETE' });
}

/** The ends of the session's logs, each under its name. */
export async function getLog(server: IServer, id: string): Promise<string> {
  return (await request<{ log: string }>(server, `${sessionPath(id)}/log`)).log;
}

function appPath(app: string): string {
  return `apps/${encodeURIComponent(app)}`;
}

function sessionPath(id: string): string {
  return `sessions/${encodeURIComponent(id)}`;
}
