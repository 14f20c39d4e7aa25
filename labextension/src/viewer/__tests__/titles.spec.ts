/** @jest-environment node */
import type { ISession } from '../../core/models';
import { english } from '../../core/trans';
import { Title } from '../titles';

const UNNAMED = { app: 'xterm', name: 'xterm', title: 'XTerm', id: '17.local' } as ISession;
const NAMED = { app: 'xterm', name: 'Fit of May', title: 'Fit of May', id: '17.local' } as ISession;

function titled(session: ISession | null, window: string): Title {
  const title = new Title('XTerm');
  title.session = session;
  title.window = window;
  return title;
}

describe('the title of the picture', () => {
  it.each([
    ['XTerm', null, ''],
    ['~: bash', UNNAMED, '~: bash'],
    ['Fit of May – ~: bash', NAMED, '~: bash'],
    ['fit of may, page 2', NAMED, 'fit of may, page 2'],
    ['Fit of May', NAMED, ''],
  ])('is %s', (expected, session, window) => {
    expect(titled(session, window).picture).toBe(expected);
  });
});

describe('the title of the tab', () => {
  it('says how things are before what it is', () => {
    const title = titled(UNNAMED, '');
    const of = (phase: Parameters<Title['tab']>[0], asking = false): string =>
      title.tab(phase, asking, english);
    expect(of('live')).toBe('XTerm · 17.local');
    expect(of('windowless')).toBe('XTerm · 17.local');
    expect(of('waiting')).toBe('… XTerm · 17.local');
    expect(of('ended')).toBe('Ended: XTerm · 17.local');
    expect(of('locked-out')).toBe('XTerm · 17.local');
    expect(of('connecting', true)).toBe('Question: XTerm · 17.local');
  });

  it('shows the window in front while it is seen', () => {
    const title = titled(UNNAMED, '~: bash');
    expect(title.tab('live', false, english)).toBe('~: bash · 17.local');
    expect(title.tab('reconnecting', false, english)).toBe('… XTerm · 17.local');
  });
});
