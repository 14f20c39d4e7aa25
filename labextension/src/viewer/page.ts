/** The viewer page: joins the server's word, the display and what is shown; the only place that knows them all. */
import { withoutToken } from '../core/address';
import { Attention } from '../core/attention';
import { mark, record } from '../core/marks';
import type { IClientAddress, ILiveAnswer, ISession } from '../core/models';
import { pageServer } from '../core/request';
import { onReturn } from '../core/retry';
import { shown } from '../core/shown';
import { isFinal } from '../core/states';
import { english } from '../core/trans';
import { ClipboardDialog } from './clipboard-dialog';
import { ConnectionHealth } from './connection-health';
import type { IContext } from './context';
import { element } from './element';
import { Frames } from './frames';
import { Keyboard } from './keyboard';
import { Leaving } from './leaving';
import type { Beat } from './live-socket';
import type { ClientEvent } from './messages';
import { NodeLogin } from './node-login';
import { Notes } from './notes';
import { Panel } from './panel';
import { phaseOf } from './phase';
import { Presence } from './presence';
import { Size } from './size';
import { SpecialKeys } from './special-keys';
import { Title } from './titles';
import { Toolbar } from './toolbar';
import { viewerId } from './viewer-id';
import { WaitingRoom } from './waiting-room';

const TICK_MS = 250;
/** With this at its end, the page's address is a link for looking on. */
const VIEW_ONLY = '#view-only';

class Page {
  /** `session` is its job id. */
  constructor(
    private readonly _context: IContext,
    session: string,
    private readonly _title: Title,
  ) {
    this._login = new NodeLogin(_context.trans, () => this._health.ask());
    this._frames = this._makeFrames();
    this._room = new WaitingRoom(_context, this._login);
    this._toolbar = this._makeToolbar();
    this._keyboard = this._makeKeyboard();
    this._specialKeys = new SpecialKeys(stroke => {
      this._frames.current?.tell('strike', stroke);
      this._keyboard.give(true);
    });
    this._notes = new Notes(_context.trans, () => this._keyboard.give(true));
    this._leaving = new Leaving(_context.trans, this._notes, () => record.state === 'ready');
    this._clipboard = new ClipboardDialog(_context.trans, text =>
      this._frames.current?.tell('paste', { text }),
    );
    this._health = this._makeHealth(session);
    this._size = new Size(this._stage, this._id, () => this._health.ask());
    this._listen();
    if (location.hash === VIEW_ONLY) {
      this._viewOnly(true);
    }
  }

  private _makeFrames(): Frames {
    return new Frames(this._stage, this._context.trans, {
      event: event => this._hearClient(event),
      painted: () => this._painted(),
      lost: () => this._health.ask(),
      moved: () => this._steer(),
      opened: () => this._size.apply(),
    });
  }

  private _makeToolbar(): Toolbar {
    return new Toolbar(this._context, {
      keyboard: () => this._keyboard.give(!this._keyboard.given),
      viewOnly: on => this._viewOnly(on),
      fullWindow: () => void this._keyboard.fullWindow(),
      clipboard: () => this._clipboard.open(),
      takeSize: () => this._takeSize(),
    });
  }

  private _makeKeyboard(): Keyboard {
    return new Keyboard({
      frames: this._frames,
      trans: this._context.trans,
      changed: () => this._render(),
      announce: text => this._toolbar.announce(text),
    });
  }

  private _makeHealth(session: string): ConnectionHealth {
    const { server } = this._context;
    return new ConnectionHealth({
      server,
      session,
      seen: () => this._panel.visible,
      frames: this._frames,
      beat: () => this._beat(),
      opened: () => this._presence.claim(document.hasFocus() && !document.hidden),
      heard: answer => this._hear(answer),
      changed: () => this._render(),
    });
  }

  private _listen(): void {
    document.addEventListener('visibilitychange', () => this._look());
    window.addEventListener('focus', () => this._takeSize());
    onReturn(window, document, () => this._health.hurry());
    setInterval(() => {
      this._heed();
      this._health.tick();
      this._steer();
    }, TICK_MS);
  }

  private _beat(): Beat {
    const decides = this._panel.visible && !this._frames.readonly; // who looks on decides nothing
    return {
      viewer: this._id,
      client: this._frames.wanting,
      size: decides ? this._size.own : null,
      ...this._presence.take(),
      ...this._login.beat(),
    };
  }

  private _hear(answer: ILiveAnswer): void {
    if (this._session?.state !== answer.session.state) {
      mark('state', answer.session.state);
    }
    this._session = this._title.session = answer.session;
    if (answer.client || !this._frames.wanting) {
      this._address = answer.client;
    }
    this._login.hear(answer);
    this._size.setOwner(answer.owner);
    this._frames.current?.tell('company', { on: answer.viewers > 1 });
    this._steer();
  }

  private _hearClient(event: ClientEvent): void {
    const { name, data } = event;
    if (name === 'echo') {
      this._health.echo();
    } else if (name === 'title') {
      this._title.window = shown(data.title);
      this._panel.tell({ qconnect: 'title', title: this._title.picture });
      this._render();
    } else if (name === 'focus') {
      this._panel.tell({ qconnect: 'focus' });
      this._keyboard.entered();
      this._takeSize();
    } else if (name === 'chord') {
      this._keyboard.escaped();
    }
    for (const part of [this._presence, this._leaving, this._clipboard, this._notes]) {
      part.hear(event);
    }
  }

  private get _over(): boolean {
    return this._session !== null && isFinal(this._session.state);
  }

  private _painted(): void {
    this._health.painted();
    this._size.apply();
    this._render();
    window.dispatchEvent(new CustomEvent('qconnect:painted'));
    this._keyboard.painted();
  }

  private _viewOnly(on: boolean): void {
    this._keyboard.viewOnly(on);
    this._toolbar.showViewOnly(on);
    history.replaceState(null, '', on ? VIEW_ONLY : `${location.pathname}${location.search}`);
    this._presence.claim(!on);
    this._health.ask();
  }

  /** Asks to decide on the size, if somebody else does. */
  private _takeSize(): void {
    if (this._size.guest) {
      this._presence.claim(true);
      this._health.ask();
    }
  }

  /** Is quiet when nobody has looked for long, and goes on when somebody does. */
  private _heed(): void {
    if (this._over || !this._attention.look(this._panel.visible, performance.now())) {
      return;
    }
    mark('resting', this._attention.resting);
    if (this._attention.resting) {
      this._health.rest();
      this._frames.rest();
    } else {
      this._health.wake();
    }
  }

  /** Whether anybody can see us may have changed. */
  private _look(): void {
    const { visible } = this._panel;
    this._heed();
    this._frames.setSuspended(!visible);
    if (visible) {
      if (document.hasFocus()) {
        this._presence.claim(true);
      }
      this._health.hurry();
    }
    this._health.ask();
    this._steer();
  }

  /** Does what is due, and shows how things are. */
  private _steer(): void {
    const session = this._session;
    const over = this._over;
    if (over) {
      this._health.close();
    }
    this._frames.steer({
      ready: session?.state === 'READY' && !this._login.asking,
      linked: this._health.up,
      visible: this._panel.visible,
      over,
      fill: session?.window === 'fill',
      address: this._address,
    });
    this._render();
  }

  private _render(): void {
    const { current, lost, attempts, windowless, resting } = this._frames;
    const { up, quiet, obstacle, words } = this._health;
    const [session, picture, linked] = [this._session, current !== null, up || quiet];
    const phase = phaseOf({ session, linked, obstacle, picture, lost: lost !== null, windowless, resting });
    record.state = phase === 'live' ? 'ready' : phase;
    const { trouble } = this._login;
    this._room.render(phase, session, { linked, lost, attempts, picture, trouble, words });
    const title = this._title.during(phase);
    this._toolbar.render(phase, session, { title, keys: this._keyboard.given, guest: this._size.guest });
    this._specialKeys.live = phase === 'live' && !this._frames.readonly;
    if (current) {
      current.element.title = title;
    }
    document.title = this._title.tab(phase, this._login.asking, this._context.trans);
  }

  private _session: ISession | null = null;
  private _address: IClientAddress | null = null;
  private readonly _presence = new Presence();
  private readonly _attention = new Attention(Number(document.body.dataset['unseen']));
  private readonly _id = viewerId();
  private readonly _stage = element('stage', HTMLElement);
  private readonly _panel = new Panel(() => this._look());
  private readonly _notes: Notes;
  private readonly _specialKeys: SpecialKeys;
  private readonly _leaving: Leaving;
  private readonly _login: NodeLogin;
  private readonly _frames: Frames;
  private readonly _room: WaitingRoom;
  private readonly _toolbar: Toolbar;
  private readonly _keyboard: Keyboard;
  private readonly _clipboard: ClipboardDialog;
  private readonly _health: ConnectionHealth;
  private readonly _size: Size;
}

const { base = '/', session = '', spawn = '', title = '' } = document.body.dataset;
history.replaceState(history.state, '', withoutToken(location.href));
Object.assign(window, { qconnect: record });
const server = pageServer(base, () => document.cookie, spawn || null);
new Page({ server, trans: english }, session, new Title(shown(title)));
