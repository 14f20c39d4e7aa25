/** @jest-environment node */
import type { ISession } from '../../core/models';
import { english } from '../../core/trans';
import { pictureTitle, tabTitle } from '../titles';

const UNNAMED = { app: 'xterm', name: 'xterm' } as ISession;
const NAMED = { app: 'xterm', name: 'Fit of May' } as ISession;

describe('the title of the picture', () => {
  it.each([
    ['XTerm', 'XTerm', null, ''],
    ['~: bash', 'XTerm', UNNAMED, '~: bash'],
    ['Fit of May – ~: bash', 'Fit of May', NAMED, '~: bash'],
    ['fit of may, page 2', 'Fit of May', NAMED, 'fit of may, page 2'],
    ['Fit of May', 'Fit of May', NAMED, ''],
  ])('is %s', (expected, known, session, window) => {
    expect(pictureTitle(known, session, window)).toBe(expected);
  });
});

describe('the title of the tab', () => {
  it('says how things are before what it is', () => {
    const of = (phase: Parameters<typeof tabTitle>[0], asking = false): string =>
      tabTitle(phase, asking, 'XTerm', '17.local', english);
    expect(of('live')).toBe('XTerm · 17.local');
    expect(of('windowless')).toBe('XTerm · 17.local');
    expect(of('waiting')).toBe('… XTerm · 17.local');
    expect(of('ended')).toBe('Ended: XTerm · 17.local');
    expect(of('locked-out')).toBe('XTerm · 17.local');
    expect(of('connecting', true)).toBe('Question: XTerm · 17.local');
  });
});
