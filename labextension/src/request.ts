/** One request to the server extension: typed JSON, or an error of one of two kinds. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

/** Longest wait for an answer, milliseconds: above the server's own limit for a scheduler command. */
const ANSWER_WITHIN_MS = 90_000;

/** The server did not answer: unknown whether it did what was asked. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
}

/** The server answered with an error; `message` is its own word and `reason` the machine-readable one. */
export class ResponseError extends Error {
  override readonly name = 'ResponseError';

  constructor(
    readonly status: number,
    message: string,
    readonly reason: string | null,
  ) {
    super(message);
  }
}

/** The JSON at `qconnect/api/<endpoint>`; throws NetworkError or ResponseError. */
export async function requestAPI<T>(
  endpoint: string,
  settings: ServerConnection.ISettings,
  init: RequestInit = {},
): Promise<T> {
  const url = URLExt.join(settings.baseUrl, 'qconnect', 'api', endpoint);
  const response = await answer(url, settings, init);
  if (response.status === 204) {
    return undefined as T;
  }
  return (await response.json()) as T;
}

/** The text at an address that the server gave (a path, or a full URL); throws NetworkError or ResponseError. */
export async function requestText(address: string, settings: ServerConnection.ISettings): Promise<string> {
  const url = new URL(address, settings.baseUrl).href;
  return (await answer(url, settings, {})).text();
}

async function answer(
  url: string,
  settings: ServerConnection.ISettings,
  init: RequestInit,
): Promise<Response> {
  let response: Response;
  try {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    response = await ServerConnection.makeRequest(url, { signal, ...init }, settings);
  } catch (error) {
    throw new NetworkError(error instanceof Error ? error.message : String(error));
  }
  if (!response.ok) {
    throw await refusal(response);
  }
  return response;
}

/** The error in a response: `{"message", "reason"}`, or what a proxy on the way put in its place. */
async function refusal(response: Response): Promise<ResponseError> {
  const text = await response.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = null;
  }
  const { message, reason } = (body ?? {}) as { message?: unknown; reason?: unknown };
  return new ResponseError(
    response.status,
    typeof message === 'string' && message
      ? message
      : `The server answered with status ${response.status} (${response.statusText}).`,
    typeof reason === 'string' ? reason : null,
  );
}
