/** A browser tab that is opened inside the click and sent to its page when the server has answered. */
import type { ISession } from '../core/models';

/** A session that was started, and its tab. */
export interface IBegun {
  session: ISession;
  tab: PendingTab;
}

/**
 * Starts a session with a tab for it; call it in the click. Rejects as `start` does, and no tab is left then.
 *
 * The request is on its way while the browser takes a tenth of a second to open the tab.
 */
export async function startWithTab(
  title: string,
  message: string,
  start: () => Promise<ISession>,
): Promise<IBegun> {
  const started = start();
  const tab = new PendingTab(title, message);
  try {
    return { session: await started, tab };
  } catch (error) {
    tab.close();
    throw error;
  }
}

/**
 * Opens at once, because popup blockers eat every tab that opens later than its click.
 *
 * Until `go` or `close` it shows one line of text.
 */
export class PendingTab {
  constructor(title: string, message: string) {
    const tab = window.open('', '_blank');
    this._tab = tab?.closed === false ? tab : null; // some blockers answer with a window that is closed already
    if (this._tab) {
      describe(this._tab.document, title, message);
    }
  }

  /** Whether the browser did not let the tab open. */
  get blocked(): boolean {
    return this._tab === null;
  }

  /** Sends the tab to its page, for which this window is nobody; a tab that the user closed stays closed. */
  go(url: string): void {
    if (this._tab && !this._tab.closed) {
      this._tab.opener = null;
      this._tab.location.replace(url);
    }
  }

  close(): void {
    this._tab?.close();
  }

  private readonly _tab: Window | null;
}

function describe(page: Document, title: string, message: string): void {
  page.title = title;
  page.documentElement.style.colorScheme = 'light dark';
  page.body.style.font = '16px/1.5 system-ui, sans-serif';
  page.body.style.margin = '20vh auto 0';
  page.body.style.textAlign = 'center';
  const line = page.createElement('p');
  line.setAttribute('role', 'status');
  line.textContent = message;
  page.body.replaceChildren(line);
}
