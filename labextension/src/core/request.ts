/**
 * One request to the server extension: typed JSON, or an error of one of two kinds.
 *
 * How a request travels is handed in, so that JupyterLab and the pages share everything else: how long an answer is
 * waited for, what is sent again, and what an error says.
 */
import { absenceIn, type Absence } from './absence';
import { shownAnswer } from './shown';

/** Milliseconds that an answer to a question is waited for: the server knows it, or asks the batch system once. */
const ANSWER_WITHIN_MS = 30_000;

/** The same for what changes something: above the server's own limit for a submission, and for waiting its turn. */
const CHANGE_WITHIN_MS = 90_000;

/** The way to the server. */
export interface IServer {
  /** Jupyter's base URL, in full or as a path, with a slash at its end. */
  readonly baseUrl: string;
  /** Sends one request with the login of this page. */
  readonly send: (url: string, init: RequestInit) => Promise<Response>;
  /** Where a hub starts this server anew; null where there is no hub. */
  readonly spawnUrl: string | null;
}

/** What is asked: JSON to send, and the idempotency key of a request that may be sent again. */
export interface IRequest {
  method?: 'GET' | 'POST' | 'DELETE';
  data?: unknown;
  key?: string;
  /** Whether to look, where nothing comes back, if that is because the address now leads to another site's login. */
  sure?: boolean;
}

/** The server did not answer: unknown whether it did what was asked. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
}

/** The server answered with an error; `word` is its own sentence, if it has one, and `reason` the same for programs. */
export class ResponseError extends Error {
  override readonly name = 'ResponseError';

  constructor(
    readonly status: number,
    readonly word: string | null,
    readonly reason: string | null,
    readonly redirected = false,
    /** What is wrong with which field of a form. */
    readonly fields: Readonly<Record<string, string>> = {},
  ) {
    super(word ?? `status ${status}`);
  }

  /** Why it is not the server itself that has answered; null when it is. */
  get absence(): Absence | null {
    return absenceIn(this);
  }
}

/** Why the server itself does not speak, by what a request threw; null when it does. */
export function absenceOf(error: unknown): Absence | null {
  return error instanceof ResponseError ? error.absence : 'away';
}

/**
 * The JSON at `qconnect/api/<endpoint>`; throws NetworkError or ResponseError.
 *
 * A request with a key is sent a second time when no answer came, and again for as long as the server says that it
 * does not know yet: it answers the same key with the same session, so that neither a lost answer nor a slow batch
 * system loses a session or starts two.
 */
export async function request<T>(server: IServer, endpoint: string, asked: IRequest = {}): Promise<T> {
  const url = `${server.baseUrl}qconnect/api/${endpoint}`;
  const init = initOf(asked);
  const asking = asked.key === undefined ? answer(server, url, init) : surely(server, url, init);
  const response = await (asked.sure
    ? asking.catch((error: unknown) => elsewhere(server, url, error))
    : asking);
  return response.status === 204 ? (undefined as T) : content<T>(response);
}

/** Asks by plain HTTP whether a websocket would be opened at its address; throws as `request`. */
export async function askWhyNot(server: IServer, address: string): Promise<void> {
  await answer(server, `${server.baseUrl}${address}`, { method: 'POST' });
}

/** The text at an address that the server gave (a path, or a full URL); throws NetworkError or ResponseError. */
export async function requestText(server: IServer, address: string): Promise<string> {
  const url = new URL(address, server.baseUrl).href;
  return (await answer(server, url, { method: 'GET' })).text();
}

/** The JSON at an address of Jupyter's own; throws NetworkError or ResponseError. */
export async function requestJson(server: IServer, url: string): Promise<unknown> {
  return content(await answer(server, url, { method: 'GET' }));
}

/** The server as a page reaches it that has no JupyterLab around it; `cookies` gives `document.cookie`. */
export function pageServer(baseUrl: string, cookies: () => string, spawnUrl: string | null = null): IServer {
  return {
    baseUrl,
    spawnUrl,
    send: (url, init) => {
      const headers = new Headers(init.headers);
      headers.set('X-XSRFToken', cookie(cookies(), '_xsrf'));
      return fetch(url, { ...init, headers, cache: 'no-store', credentials: 'same-origin' });
    },
  };
}

function cookie(all: string, name: string): string {
  const found = all.split('; ').find(part => part.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : '';
}

function initOf({ method = 'GET', data, key }: IRequest): RequestInit {
  return {
    method,
    headers: {
      ...(data !== undefined && { 'Content-Type': 'application/json' }),
      ...(key !== undefined && { 'Idempotency-Key': key }),
    },
    ...(data !== undefined && { body: JSON.stringify(data) }),
  };
}

/** The answer to a request that may be sent again. */
async function surely(server: IServer, url: string, init: RequestInit): Promise<Response> {
  const until = Date.now() + CHANGE_WITHIN_MS;
  for (let lost = 0; ;) {
    try {
      return await answer(server, url, init);
    } catch (error) {
      lost += error instanceof NetworkError ? 1 : 0;
      if (lost > 1 || Date.now() > until || !isOpen(error)) {
        throw error;
      }
    }
  }
}

/** Whether a failure leaves open what became of a request: no answer, or the server's word that it still waits. */
function isOpen(error: unknown): boolean {
  return error instanceof NetworkError || (error instanceof ResponseError && error.reason === 'unconfirmed');
}

/** Any answer. */
async function reach(server: IServer, url: string, init: RequestInit): Promise<Response> {
  try {
    const signal = AbortSignal.timeout(init.method === 'GET' ? ANSWER_WITHIN_MS : CHANGE_WITHIN_MS);
    return await server.send(url, { ...init, signal });
  } catch (error) {
    throw new NetworkError(error instanceof Error ? error.message : String(error));
  }
}

async function answer(server: IServer, url: string, init: RequestInit): Promise<Response> {
  const response = await reach(server, url, init);
  if (!response.ok) {
    throw refusal(response, json(await response.text()));
  }
  return response;
}

/** The JSON of an answer; throws a ResponseError for a page that was put in its place. */
async function content<T>(response: Response): Promise<T> {
  const found = json(await response.text());
  if (found === undefined) {
    throw refusal(response, found);
  }
  return found as T;
}

/** Throws the error, or, where the address leads to another site (which browsers report as no answer), that instead. */
async function elsewhere(server: IServer, url: string, error: unknown): Promise<never> {
  if (error instanceof NetworkError) {
    const response = await reach(server, url, { method: 'GET', redirect: 'manual' }).catch(() => null);
    if (response?.type === 'opaqueredirect') {
      throw new ResponseError(302, null, null, true);
    }
  }
  throw error;
}

/** An answer's JSON as it may be shown; undefined for what is none. */
function json(text: string): unknown {
  try {
    return shownAnswer(JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

/** The error in a response: `{"message", "reason", "fields"}`, or what a proxy on the way put in its place. */
function refusal({ status, redirected }: Response, body: unknown): ResponseError {
  const { message, reason, fields } = (body ?? {}) as {
    message?: unknown;
    reason?: unknown;
    fields?: unknown;
  };
  return new ResponseError(
    status,
    typeof message === 'string' && message ? message : null,
    typeof reason === 'string' ? reason : null,
    redirected,
    typeof fields === 'object' && fields !== null ? (fields as Record<string, string>) : {},
  );
}
