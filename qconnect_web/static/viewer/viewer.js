// The viewer page: joins the server's word, the display and what is shown; the only place that knows them all.

import { baseUrl, randomId } from '../shared/api.js';
import { mark } from '../shared/log.js';
import { element, isFinal } from '../shared/text.js';
import { Bar } from './bar.js';
import { Board } from './board.js';
import { Controls } from './controls.js';
import { Display } from './display.js';
import { Link } from './link.js';
import { phase } from './phase.js';
import { Room } from './room.js';
import { Size } from './size.js';
import { Way } from './way.js';

const TICK_MS = 250;
/** With this at its end, the page's address is a link for looking on. */
const VIEW_ONLY = '#view-only';
const STORED = 'qconnect-viewer';
const TITLES = {
  opening: '… ',
  waiting: '… ',
  connecting: '… ',
  reconnecting: '… ',
  ended: 'Ended: ',
  live: '',
  'locked-out': '',
};

/**
 * This tab's name for its connections. A duplicated tab must not get it too, so it is in storage only between pages.
 */
function viewerId() {
  try {
    const id = sessionStorage.getItem(STORED) ?? randomId();
    sessionStorage.removeItem(STORED);
    window.addEventListener('pagehide', () => {
      sessionStorage.setItem(STORED, id);
    });
    return id;
  } catch {
    return randomId(); // storage is closed: a new name each time does no harm
  }
}

class Viewer {
  constructor() {
    const { session = '', title = '' } = document.body.dataset;
    this.id = viewerId();
    this.firstTitle = title;
    this.programTitle = '';
    /** @type {import("../types").Session | null} */
    this.session = null;
    /** @type {import("../types").ClientAddress | null} */
    this.address = null;
    /** Whether the next heartbeat asks to decide on the size. */
    this.claim = false;
    /** Whether the user did something since the last heartbeat. */
    this.input = false;
    this.way = new Way(() => {
      this.link.ask();
    });
    this.room = new Room(this.way);
    this.display = this.makeDisplay();
    this.bar = this.makeBar();
    this.controls = this.makeControls();
    this.board = new Board(text => this.display.current?.tell('paste', { text }));
    const stage = element('stage', HTMLElement);
    this.link = this.makeLink(session);
    this.size = new Size(stage, this.id, () => {
      this.link.ask();
    });
    this.listen();
    if (location.hash === VIEW_ONLY) {
      this.viewOnly(true);
    }
  }

  makeDisplay() {
    return new Display(element('stage', HTMLElement), {
      event: (event, data) => {
        this.hearClient(event, data);
      },
      painted: () => {
        this.painted();
      },
      lost: () => {
        this.link.ask();
      },
      moved: () => {
        this.steer();
      },
      opened: () => {
        this.size.apply();
      },
    });
  }

  makeBar() {
    return new Bar({
      keyboard: () => {
        this.controls.setKeys(!this.controls.keys);
      },
      viewOnly: on => {
        this.viewOnly(on);
      },
      fullWindow: () => void this.controls.fullWindow(),
      clipboard: () => {
        this.board.open();
      },
      takeSize: () => {
        this.takeSize();
      },
    });
  }

  makeControls() {
    return new Controls({
      display: this.display,
      changed: () => {
        this.render();
      },
      looked: () => {
        this.look();
      },
      announce: text => {
        this.bar.announce(text);
      },
    });
  }

  /** @param {string} session */
  makeLink(session) {
    return new Link({
      url: `${location.origin.replace(/^http/, 'ws')}${baseUrl}qconnect/${session}/live`,
      session,
      display: this.display,
      beat: () => this.beat(),
      opened: () => {
        this.claim = document.hasFocus() && !document.hidden;
      },
      heard: answer => {
        this.hear(answer);
      },
      changed: () => {
        this.render();
      },
    });
  }

  listen() {
    document.addEventListener('visibilitychange', () => {
      this.look();
    });
    window.addEventListener('focus', () => {
      this.takeSize();
    });
    for (const name of ['pointerdown', 'keydown']) {
      window.addEventListener(name, () => (this.input = true), { passive: true });
    }
    window.addEventListener('online', () => {
      this.link.hurry();
    });
    setInterval(() => {
      this.link.tick();
      this.steer();
    }, TICK_MS);
  }

  beat() {
    const { claim: focus, input } = this;
    this.claim = this.input = false;
    const size = this.controls.visible && !this.display.readonly ? this.size.own : null; // who looks on decides nothing
    return { viewer: this.id, client: this.display.wanting, focus, size, input, ...this.way.beat() };
  }

  /** @param {import("../types").Answer} answer */
  hear(answer) {
    if (this.session?.state !== answer.session.state) {
      mark('state', answer.session.state);
    }
    this.session = answer.session;
    if (answer.client || !this.display.wanting) {
      this.address = answer.client;
    }
    this.way.hear(answer);
    this.size.setOwner(answer.owner);
    this.steer();
  }

  /**
   * @param {string} event
   * @param {Record<string, unknown>} data
   */
  hearClient(event, data) {
    if (event === 'echo') {
      this.link.echo();
    } else if (event === 'title') {
      this.programTitle = String(data.title);
      this.controls.tellParent({ qconnect: 'title', title: this.title });
      this.render();
    } else if (event === 'focus') {
      this.controls.entered();
      this.takeSize();
    } else if (event === 'input') {
      this.input = true;
    } else if (event === 'chord') {
      this.controls.escaped();
    } else if (event === 'copied') {
      this.board.copied(String(data.text));
    }
  }

  /** The title of the window in front, with the user's own name for the session where there is one. */
  get title() {
    const known = this.session?.title ?? this.firstTitle;
    const named = this.session !== null && this.session.name !== this.session.app;
    const said = this.programTitle.toLowerCase().includes(known.toLowerCase());
    return [named && !said ? known : '', this.programTitle].filter(Boolean).join(' – ') || known;
  }

  painted() {
    this.link.painted();
    this.size.apply();
    this.render();
    window.dispatchEvent(new CustomEvent('qconnect:painted'));
    this.controls.painted();
  }

  /** @param {boolean} on */
  viewOnly(on) {
    this.controls.viewOnly(on);
    this.bar.showViewOnly(on);
    history.replaceState(null, '', on ? VIEW_ONLY : `${location.pathname}${location.search}`);
    this.claim = !on;
    this.link.ask();
  }

  /** Asks to decide on the size, if somebody else does. */
  takeSize() {
    if (this.size.guest) {
      this.claim = true;
      this.link.ask();
    }
  }

  /** Whether anybody can see us may have changed. */
  look() {
    this.display.setSuspended(!this.controls.visible);
    if (this.controls.visible && document.hasFocus()) {
      this.claim = true;
    }
    this.link.ask();
    this.steer();
  }

  /** Does what is due, and shows how things are. */
  steer() {
    const over = this.session !== null && isFinal(this.session.state);
    if (over) {
      this.link.close();
    }
    this.display.steer({
      ready: this.session?.state === 'READY' && !this.way.asking,
      linked: this.link.up,
      visible: this.controls.visible,
      over,
      empty: this.session?.kind === 'terminal',
      address: this.address,
    });
    this.render();
  }

  render() {
    const { display, session, link } = this;
    const picture = display.current !== null;
    const lost = display.lost !== null;
    const now = phase({ session, linked: link.up, refused: link.refused, picture, lost });
    const attempts = display.next?.attempts ?? 0;
    window.qconnect.state = now === 'live' ? 'ready' : now;
    const { trouble } = this.way;
    this.room.render(now, session, { linked: link.up, lost: display.lost, attempts, picture, trouble });
    const title = now === 'live' ? this.title : (session?.title ?? this.firstTitle);
    this.bar.render(now, session, { title, keys: this.controls.keys, guest: this.size.guest });
    if (display.current) {
      display.current.element.title = title;
    }
    const before = this.way.asking ? 'Question: ' : TITLES[now];
    document.title = `${before}${title} · ${session?.id ?? ''}`;
  }
}

new Viewer();
