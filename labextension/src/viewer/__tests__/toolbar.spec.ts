import { session } from '../../core/__tests__/server';
import { english } from '../../core/trans';
import type { Phase } from '../phase';
import { Toolbar } from '../toolbar';
import { fillPage, shown } from './template';

const SHOWN = { title: 'Alpine survey – xterm', keys: false, guest: false };
const context = { server: { baseUrl: '/', spawnUrl: null, send: fetch }, trans: english };
const nothing = (): void => undefined;
const actions = {
  ...{ keyboard: nothing, viewOnly: nothing, fullWindow: nothing, clipboard: nothing, takeSize: nothing },
};
let bar: Toolbar;

beforeEach(() => {
  fillPage();
  bar = new Toolbar(context, actions);
});

function renderLeft(left: number | null): void {
  bar.render('live', session('17.local', { walltime_left: left }), SHOWN);
}

describe('the time that is left', () => {
  it('is told, and a warning with it before the end', () => {
    renderLeft(9.5 * 60);
    expect(shown('bar-left')).toMatch(/^[89] min left$/);
    expect(document.getElementById('bar-left')?.className).toBe('short');
    expect(shown('announcer')).toContain('Save your work');
  });

  it('is announced once', () => {
    renderLeft(570);
    bar.announce('');
    renderLeft(560);
    expect(shown('announcer')).toBe('');
  });

  it('is told without a warning while there is enough, and not when it is unknown', () => {
    renderLeft(29.5 * 3600);
    expect(shown('bar-left')).toBe('1 d 5 h left');
    expect(document.getElementById('bar-left')?.className).toBe('');
    expect(shown('announcer')).toBe('');
    renderLeft(null);
    expect(shown('bar-left')).toBeNull();
  });
});

describe('the bar', () => {
  it('has the name first, and where it runs', () => {
    bar.render('live', session('17.local', { job: { ...session('17.local').job, node: 'n1' } }), SHOWN);
    expect(shown('bar')).toMatch(/^All sessions\s+Alpine survey – xterm Running on n1/);
  });

  it.each<[Phase, boolean]>([
    ['live', true],
    ['windowless', false],
    ['waiting', false],
  ])('offers what needs a picture only with one: %s', (phase, offered) => {
    bar.render(phase, session('17.local'), SHOWN);
    const buttons = ['keyboard', 'clipboard', 'view-only'].map(id => document.getElementById(id));
    expect(buttons.map(button => !(button as HTMLButtonElement).disabled)).toEqual([
      offered,
      offered,
      offered,
    ]);
  });

  it('offers no end of what has ended', () => {
    bar.render('ended', session('17.local', { state: 'ENDED' }), SHOWN);
    expect(shown('end-session')).toBeNull();
  });
});
