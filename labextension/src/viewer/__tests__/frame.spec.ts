import { Frame } from '../frame';

jest.mock('../../core/marks', () => ({ mark: () => undefined })); // jsdom keeps no marks

const frame = (sandbox: boolean, fill = false): HTMLIFrameElement => {
  const stage = document.createElement('div');
  return new Frame(
    stage,
    { url: '/x/index.html', path: '/x/ws', sandbox, hold_keys: false },
    { name: 'XTerm', fill },
    () => undefined,
  ).element;
};

describe('the frame of a display', () => {
  it('lets a client of this machine read the clipboard, and none that came from a node', () => {
    expect(frame(false).allow.split('; ')).toContain('clipboard-read');
    expect(frame(true).allow.split('; ')).not.toContain('clipboard-read');
    expect(frame(true).allow.split('; ')).toContain('clipboard-write');
    expect(frame(true).getAttribute('sandbox')).not.toContain('allow-same-origin');
  });

  it('says whether the main window takes all of it', () => {
    expect([frame(true), frame(true, true)].map(({ src }) => /fill=(.)/.exec(src)?.[1])).toEqual(['0', '1']);
  });
});
