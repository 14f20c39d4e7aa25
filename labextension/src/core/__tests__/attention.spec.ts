/** @jest-environment node */
import { Attention } from '../attention';

describe('the attention', () => {
  it('is lost when the page was unseen for as long as it may be, and is back with the first look', () => {
    const attention = new Attention(1);
    expect(attention.look(false, 500)).toBe(false);
    expect(attention.look(false, 1499)).toBe(false);
    expect(attention.resting).toBe(false);
    expect(attention.look(false, 1500)).toBe(true);
    expect(attention.look(false, 90_000)).toBe(false);
    expect(attention.resting).toBe(true);
    expect(attention.look(true, 90_001)).toBe(true);
    expect(attention.resting).toBe(false);
  });

  it('counts from when the page was last seen', () => {
    const attention = new Attention(1);
    attention.look(false, 0);
    attention.look(true, 999);
    attention.look(false, 1000);
    expect(attention.look(false, 1999)).toBe(false);
    expect(attention.look(false, 2000)).toBe(true);
  });

  it('is never lost while the page is seen, or where the site says so', () => {
    const seen = new Attention(1);
    const patient = new Attention(0);
    expect([seen.look(true, 0), seen.look(true, 1e9), seen.resting]).toEqual([false, false, false]);
    expect([patient.look(false, 0), patient.look(false, 1e9), patient.resting]).toEqual([
      false,
      false,
      false,
    ]);
  });
});
