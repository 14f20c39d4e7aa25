/** The way to the server extension through JupyterLab, with its login. */
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type { IServer } from '../core/request';

/** The server of these settings. */
export function labServer(settings: ServerConnection.ISettings): IServer {
  return {
    baseUrl: URLExt.join(settings.baseUrl, '/'),
    send: (url, init) => ServerConnection.makeRequest(url, init, settings),
    spawnUrl: spawnUrl(),
  };
}

/** As JupyterLab tells of its hub; null where it knows of none. */
function spawnUrl(): string | null {
  const [host, prefix, user, name] = ['hubHost', 'hubPrefix', 'hubUser', 'hubServerName'].map(option =>
    PageConfig.getOption(option),
  );
  return prefix && user ? `${host}${URLExt.join(prefix, 'spawn', user, name ?? '')}` : null;
}
