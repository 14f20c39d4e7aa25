/** @jest-environment node */
import type { ISession, SessionState } from '../../core/models';
import { phaseOf, type IKnown } from '../phase';

function known(state: SessionState | null, others: Partial<IKnown> = {}): IKnown {
  const session = state && ({ state } as ISession);
  return { session, linked: true, refused: false, picture: false, lost: false, resting: false, ...others };
}

describe('the phase', () => {
  it.each<[string, IKnown]>([
    ['opening', known(null)],
    ['opening', known(null, { linked: false })],
    ['opening', known('READY', { linked: false })],
    ['waiting', known('QUEUED')],
    ['waiting', known('HELD')],
    ['waiting', known('STARTING')],
    ['waiting', known('SUSPENDED')],
    ['waiting', known('ENDING')],
    ['waiting', known('UNREACHABLE')],
    ['connecting', known('READY')],
    ['live', known('READY', { picture: true })],
    ['waiting', known('SUSPENDED', { picture: true })],
    ['reconnecting', known('READY', { picture: true, lost: true })],
    ['reconnecting', known('READY', { picture: true, linked: false })],
    ['resting', known('READY', { picture: true, lost: true, resting: true })],
    ['reconnecting', known('READY', { picture: true, lost: true, resting: true, linked: false })],
    ['locked-out', known(null, { refused: true, linked: false })],
    ['locked-out', known('READY', { refused: true, linked: false, picture: true })],
    ['ended', known('ENDED')],
    ['ended', known('FAILED', { picture: true })],
    ['ended', known('ENDED', { linked: false, refused: true, picture: true, lost: true })],
  ])('is %s (case %#)', (phase, situation) => {
    expect(phaseOf(situation)).toBe(phase);
  });
});
