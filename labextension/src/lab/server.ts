/** The way to the server extension through JupyterLab, with its login. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type { IServer } from '../core/request';

/** The server of these settings. */
export function labServer(settings: ServerConnection.ISettings): IServer {
  return {
    baseUrl: URLExt.join(settings.baseUrl, '/'),
    send: (url, init) => ServerConnection.makeRequest(url, init, settings),
  };
}
