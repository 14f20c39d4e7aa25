/** A session's viewer page in a main-area tab of JupyterLab. */
import { MainAreaWidget } from '@jupyterlab/apputils';
import type { Message } from '@lumino/messaging';
import { Signal, type ISignal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import { readPanelNews, type PanelWord } from '../viewer/messages';

/** What a viewer shows. */
export interface IViewerOptions {
  sessionId: string;
  title: string;
  /** The full URL of the viewer page. */
  url: string;
}

/**
 * The page in a frame, and the few words that it and JupyterLab exchange by `postMessage`:
 *
 * - page → here `{qconnect: "focus"}`: the user came into the program (a click in a frame activates no tab by itself);
 * - page → here `{qconnect: "title", title}`: the title of the window in front;
 * - here → page `{qconnect: "hidden"}`, `{qconnect: "shown"}`: whether the tab is seen (`document.hidden` stays false
 *   in the frame of a hidden tab, and the program would be drawn for nobody).
 *
 * The page is loaded when the tab is first seen: tabs that JupyterLab restores in the background cost nothing.
 */
export class Viewer extends Widget {
  constructor(options: IViewerOptions) {
    super();
    this.sessionId = options.sessionId;
    this._url = new URL(options.url);
    this.addClass('jp-IFrame'); // JupyterLab's cover: drags over the frame stay with JupyterLab
    this.addClass('jp-qconnect-Viewer');
    this._frame = document.createElement('iframe');
    this._frame.title = options.title;
    this._frame.allow = 'clipboard-read; clipboard-write; fullscreen; keyboard-map';
    this.node.append(this._frame);
  }

  readonly sessionId: string;

  /** Emitted when the user works in the page. */
  get focused(): ISignal<this, void> {
    return this._focused;
  }

  /** Emitted with the title of the window in front. */
  get titled(): ISignal<this, string> {
    return this._titled;
  }

  override dispose(): void {
    if (!this.isDisposed) {
      Signal.clearData(this);
      super.dispose();
    }
  }

  handleEvent(event: Event): void {
    if (event.type === 'message') {
      this._onMessage(event as MessageEvent<unknown>);
    } else if (event.type === 'load' && !this.isVisible) {
      this._tell('hidden'); // the tab was left while the page loaded
    } else if (event.type === 'blur' && document.activeElement === this._frame) {
      this._focused.emit(); // the keyboard went from JupyterLab's page into the frame
    }
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    window.addEventListener('message', this);
    window.addEventListener('blur', this);
    this._frame.addEventListener('load', this);
    if (this.isVisible) {
      this._load();
    }
  }

  protected override onBeforeDetach(message: Message): void {
    window.removeEventListener('message', this);
    window.removeEventListener('blur', this);
    this._frame.removeEventListener('load', this);
    super.onBeforeDetach(message);
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._load();
    this._tell('shown');
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._tell('hidden');
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this._frame.focus();
  }

  private _load(): void {
    if (!this._frame.src) {
      this._frame.src = this._url.href;
    }
  }

  private _tell(word: PanelWord): void {
    this._frame.contentWindow?.postMessage({ qconnect: word }, this._url.origin);
  }

  /** Believes only the page in the frame, and only while it is ours. */
  private _onMessage(event: MessageEvent<unknown>): void {
    if (event.source !== this._frame.contentWindow || event.origin !== this._url.origin) {
      return;
    }
    const news = readPanelNews(event.data);
    if (news?.qconnect === 'focus') {
      this._focused.emit();
    } else if (news) {
      this._frame.title = news.title;
      this._titled.emit(news.title);
    }
  }

  private readonly _focused = new Signal<this, void>(this);
  private readonly _titled = new Signal<this, string>(this);
  private readonly _frame: HTMLIFrameElement;
  private readonly _url: URL;
}

/** A main-area tab around a viewer. */
export class ViewerTab extends MainAreaWidget<Viewer> {
  constructor(options: MainAreaWidget.IOptions<Viewer>) {
    super(options);
    this.id = `qconnect-${this.content.sessionId}`;
    this.title.closable = true;
    this.toolbar.hide();
  }
}
