/** The JupyterLab panel around the page, if there is one. */
import { readPanelWord, type PanelNews } from './messages';

export class Panel {
  /** `changed` is called when whether anybody can see the page may differ. */
  constructor(changed: () => void) {
    window.addEventListener('message', (event: MessageEvent<unknown>) => {
      const word = isOurs(event) ? readPanelWord(event.data) : null;
      if (word) {
        this._hidden = word === 'hidden';
        changed();
      }
    });
  }

  /** Whether anybody could see the page. */
  get visible(): boolean {
    return !document.hidden && !this._hidden;
  }

  tell(news: PanelNews): void {
    if (window.parent !== window) {
      window.parent.postMessage(news, location.origin);
    }
  }

  private _hidden = false;
}

function isOurs(event: MessageEvent<unknown>): boolean {
  return event.source === window.parent && event.source !== window && event.origin === location.origin;
}
