/** @jest-environment node */
import { ASK_MS, backoff, Clocks, GAP_MS, LINK_DEAD_MS, NODE_DEAD_MS, patience } from '../clocks';

describe('the clocks', () => {
  it('hold each line for dead when it was silent for longer than its time', () => {
    const clocks = new Clocks(1000);
    expect([clocks.linkDead(1000 + LINK_DEAD_MS), clocks.linkDead(1001 + LINK_DEAD_MS)]).toEqual([
      false,
      true,
    ]);
    expect([clocks.nodeDead(1000 + NODE_DEAD_MS), clocks.nodeDead(1001 + NODE_DEAD_MS)]).toEqual([
      false,
      true,
    ]);
  });

  it('are apart: an answer of the server says nothing of the node, nor an echo of the server', () => {
    const clocks = new Clocks(0);
    clocks.beat(9000);
    expect([clocks.linkDead(9000), clocks.nodeDead(9000)]).toEqual([false, true]);
    const others = new Clocks(0);
    others.echo(9000);
    expect([others.linkDead(9000), others.nodeDead(9000)]).toEqual([true, false]);
  });

  it('begin anew when the browser slept, so that a closed lid is no cut', () => {
    const clocks = new Clocks(0);
    expect(clocks.tick(GAP_MS)).toBe(false);
    const woke = 2 * GAP_MS + 1 + NODE_DEAD_MS;
    expect(clocks.tick(woke)).toBe(true);
    expect([clocks.linkDead(woke), clocks.nodeDead(woke)]).toEqual([false, false]);
    expect(clocks.tick(woke + 250)).toBe(false);
  });

  it('have the node asked when its last echo is old, once a second', () => {
    const clocks = new Clocks(0);
    expect(clocks.shouldAsk(ASK_MS - 1)).toBe(false);
    expect(clocks.shouldAsk(ASK_MS)).toBe(true);
    expect(clocks.shouldAsk(ASK_MS + 999)).toBe(false);
    expect(clocks.shouldAsk(ASK_MS + 1000)).toBe(true);
    clocks.echo(ASK_MS + 1000);
    expect(clocks.shouldAsk(ASK_MS + 2100)).toBe(false);
  });

  it('let a new line be asked at once when it grows old', () => {
    const clocks = new Clocks(0);
    expect(clocks.shouldAsk(5000)).toBe(true);
    clocks.restart(5000);
    expect(clocks.shouldAsk(5100)).toBe(false);
    expect(clocks.shouldAsk(5000 + ASK_MS)).toBe(true);
  });
});

describe('the time before an attempt', () => {
  it('doubles from 0.1 s up to 1 s', () => {
    expect([0, 1, 2, 3, 4, 100, 5000].map(backoff)).toEqual([100, 200, 400, 800, 1000, 1000, 1000]);
  });

  it('that may be taken grows from 2 s up to 10 s', () => {
    expect([0, 1, 4, 8, 100].map(patience)).toEqual([2000, 3000, 6000, 10000, 10000]);
  });
});
