import { appear, arrange, arrangeAll, heed, keptOf, spread } from '../arrange';
import type { IXpraClient, IXpraWindow } from '../client';
import { agent } from '../state';

/** The stage as it is now. */
function room(width: number, height: number): void {
  Object.assign(window, { innerWidth: width, innerHeight: height });
}

let told: [number, number, number, number][] = [];

function win(wid: number, others: Partial<IXpraWindow> = {}): IXpraWindow {
  const made: IXpraWindow = {
    ...{ wid, x: 40, y: 50, w: 300, h: 200 },
    ...{ leftoffset: 0, rightoffset: 0, topoffset: 30, bottomoffset: 0 },
    updateCSSGeometry: () => undefined,
    geometry_cb: ({ x, y, w, h }) => void told.push([x, y, w, h]),
    ...others,
  };
  const div = document.createElement('div');
  div.id = String(wid);
  document.body.append(div);
  client.id_to_window[String(wid)] = made;
  return made;
}

const box = ({ x, y, w, h }: IXpraWindow): number[] => [x, y, w, h];
let client: IXpraClient;
let resized = 0;

beforeEach(() => {
  room(1200, 760);
  told = [];
  resized = 0;
  document.body.replaceChildren();
  const container = document.createElement('main');
  client = { id_to_window: {}, container, _screen_resized: () => ++resized } as unknown as IXpraClient;
  Object.assign(agent, { client, fill: false, readonly: false });
});

describe('a window that has no room', () => {
  it('is fitted, and is as it was when there is room again', () => {
    const large = win(1, { x: 50, y: 30, w: 1096, h: 822 });
    appear(large);
    expect(box(large)).toEqual([50, 30, 1096, 730]);
    room(600, 400);
    arrange(large);
    expect(box(large)).toEqual([0, 30, 600, 370]);
    room(1600, 1000);
    arrange(large);
    expect(box(large)).toEqual([50, 30, 1096, 822]);
    expect(told).toHaveLength(3);
    expect(client.container?.style.minHeight).toBe('');
  });

  it('is left to a program that insists on its size, and the stage grows', () => {
    const large = win(1);
    for (let turn = 0; turn < 20; turn++) {
      large.h = 900;
      heed(large);
    }
    expect(told).toHaveLength(5);
    expect(client.container?.style.minHeight).toBe('930px');
    expect(document.documentElement.className).toBe('qconnect-scrolls');
    expect(resized).toBe(1);
    delete client.id_to_window['1'];
    spread();
    expect(client.container?.style.minHeight).toBe('');
    expect(document.documentElement.className).toBe('');
  });

  it.each<Partial<IXpraWindow>>([
    { override_redirect: true },
    { tray: true },
    { fullscreen: true },
    { maximized: true },
  ])('is left alone when it is %j', others => {
    const other = win(1, { ...others, x: 5000, w: 5000 });
    appear(other);
    expect(box(other)).toEqual([5000, 50, 5000, 200]);
  });

  it('is left alone by who looks on', () => {
    agent.readonly = true;
    const large = win(1, { w: 5000 });
    appear(large);
    expect(told).toEqual([]);
  });
});

describe('a program that fills the stage', () => {
  beforeEach(() => (agent.fill = true));

  it('has its main window on all of it, without a title bar', () => {
    const main = win(1);
    appear(main);
    expect([...box(main), main.topoffset]).toEqual([0, 0, 1200, 760, 0]);
    expect(document.getElementById('1')?.className).toBe('qconnect-main');
    room(700, 500);
    arrange(main);
    expect(box(main)).toEqual([0, 0, 700, 500]);
  });

  it('has its dialogs over the middle, and other windows as they are', () => {
    appear(win(1));
    const dialog = win(2, { metadata: { 'transient-for': 1 } });
    const plot = win(3, { w: 2000 });
    [dialog, plot].forEach(appear);
    expect(box(dialog)).toEqual([450, 280, 300, 200]);
    expect([...box(plot), plot.topoffset]).toEqual([0, 50, 1200, 200, 30]);
  });

  it('lets no dialog fill it, also where there is nothing else yet', () => {
    const question = win(1, { metadata: { modal: true } });
    appear(question);
    expect(box(question)).toEqual([450, 280, 300, 200]);
  });

  it('lets no splash and no window of a fixed size fill it, but the next that can', () => {
    const splash = win(1, { metadata: { 'window-type': ['SPLASH'] } });
    const fixed = win(2, { metadata: { 'size-constraints': { 'maximum-size': [300, 200] } } });
    const main = win(3, { metadata: { 'window-type': ['NORMAL'] } });
    [splash, fixed, main].forEach(appear);
    expect([splash, fixed, main].map(({ w }) => w)).toEqual([300, 300, 1200]);
  });

  it('has another main window when the first is gone, and a title bar on one that is none any more', () => {
    const [first, second] = [win(1), win(2)];
    [first, second].forEach(appear);
    delete client.id_to_window['1'];
    arrangeAll();
    expect(box(second)).toEqual([0, 0, 1200, 760]);
    agent.fill = false;
    arrange(second);
    expect([...box(second), second.topoffset]).toEqual([40, 50, 300, 200, 30]);
    expect(document.getElementById('2')?.className).toBe('');
  });

  it('may take another size for it, and gets the stage back', () => {
    const main = win(1);
    appear(main);
    Object.assign(main, { w: 500, h: 400 });
    heed(main);
    expect(box(main)).toEqual([0, 0, 1200, 760]);
    expect(keptOf(main).insisted).toBe(1);
  });
});
