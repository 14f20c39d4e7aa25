import { fit, frameStyle, Size } from '../size';

describe('a picture on a stage', () => {
  it.each([
    [{ scale: 1, left: 0, top: 0 }, [800, 600] as const, [800, 600] as const],
    [{ scale: 1, left: 100, top: 50 }, [800, 600] as const, [600, 500] as const],
    [{ scale: 0.5, left: 0, top: 100 }, [400, 400] as const, [800, 400] as const],
    [{ scale: 0.5, left: 150, top: 0 }, [500, 300] as const, [400, 600] as const],
  ])('fits as %j', (expected, stage, picture) => {
    expect(fit([...stage], [...picture])).toEqual(expected);
  });

  it('is as large as the stage when nobody else decides', () => {
    expect(frameStyle([800, 600], null)).toEqual({ width: '800px', height: '600px', transform: '' });
  });

  it('has the size that another has decided on, scaled', () => {
    expect(frameStyle([400, 400], [800, 400])).toEqual({
      width: '800px',
      height: '400px',
      transform: 'translate(0px, 100px) scale(0.5)',
    });
  });
});

describe('the size', () => {
  function stageOf(width: number, height: number): { stage: HTMLElement; frame: HTMLIFrameElement } {
    const stage = document.createElement('main');
    Object.defineProperties(stage, {
      clientWidth: { get: () => width },
      clientHeight: { get: () => height },
    });
    const frame = document.createElement('iframe');
    stage.append(frame);
    return { stage, frame };
  }

  it('is decided here until another viewer has it', () => {
    const { stage, frame } = stageOf(400, 400);
    const size = new Size(stage, 'me', () => undefined);
    size.setOwner({ viewer: 'me', size: [400, 400] });
    expect([size.guest, frame.style.width]).toEqual([false, '400px']);
    size.setOwner({ viewer: 'other', size: [800, 400] });
    expect([size.guest, frame.style.width]).toEqual([true, '800px']);
    size.setOwner(null);
    expect([size.guest, frame.style.width]).toEqual([false, '400px']);
  });

  it('stays while nothing is shown, or the program would be squeezed to nothing', () => {
    const { stage, frame } = stageOf(0, 0);
    frame.style.width = '640px';
    const size = new Size(stage, 'me', () => undefined);
    size.setOwner({ viewer: 'other', size: [800, 400] });
    expect([size.own, frame.style.width]).toEqual([null, '640px']);
  });
});
