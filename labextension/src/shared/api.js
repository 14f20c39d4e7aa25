// Speaks REST with the server: JSON, the XSRF token, and errors that may be shown.

const TIMEOUT_MS = 30000;

/** What the server, or the lack of one, said. */
export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {number} status 0: no answer
   */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** Jupyter's base URL, from the page. */
export const baseUrl = document.body.dataset.base ?? '/';

/** @param {string} name */
function cookie(name) {
  const found = document.cookie.split('; ').find(part => part.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : '';
}

/**
 * A random word that works without a secure context too.
 * @returns {string}
 */
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * @param {Response} response
 * @returns {Promise<unknown>}
 */
async function body(response) {
  try {
    /** @type {unknown} */
    const found = await response.json();
    return found;
  } catch {
    return null;
  }
}

/**
 * Sends a request, for at most TIMEOUT_MS; throws ApiError when nobody answers.
 * @param {string} path
 * @param {RequestInit} init
 */
async function send(path, init) {
  const stop = new AbortController();
  const timer = setTimeout(() => {
    stop.abort();
  }, TIMEOUT_MS);
  try {
    return await fetch(`${baseUrl}qconnect/api/${path}`, {
      ...init,
      cache: 'no-store',
      credentials: 'same-origin',
      signal: stop.signal,
    });
  } catch {
    throw new ApiError('The server does not answer. Check the connection, then try again.', 0);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Calls `<base>qconnect/api/<path>`; throws ApiError.
 * @param {string} path
 * @param {{method?: string, data?: unknown, key?: string}} [options] `key`: the Idempotency-Key
 * @returns {Promise<unknown>}
 */
export async function call(path, { method = 'GET', data, key } = {}) {
  /** @type {Record<string, string>} */
  const headers = { 'X-XSRFToken': cookie('_xsrf') };
  if (data !== undefined) {
    headers['Content-Type'] = 'application/json';
  }
  if (key) {
    headers['Idempotency-Key'] = key;
  }
  const response = await send(path, {
    method,
    headers,
    body: data === undefined ? undefined : JSON.stringify(data),
  });
  const found = await body(response);
  if (response.ok) {
    return found;
  }
  throw new ApiError(refusal(found, response.status), response.status);
}

/**
 * @param {unknown} found
 * @param {number} status
 */
function refusal(found, status) {
  if (status === 401 || status === 403) {
    return 'You are no longer logged in here. Reload the page to log in again.';
  }
  const message = found && typeof found === 'object' && 'message' in found ? found.message : null;
  return typeof message === 'string' ? message : `The server refused the request (${status}). Try again.`;
}
