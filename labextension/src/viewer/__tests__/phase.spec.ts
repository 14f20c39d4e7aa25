/** @jest-environment node */
import type { ISession, SessionState } from '../../core/models';
import { phaseOf, type IKnown } from '../phase';

function known(state: SessionState | null, others: Partial<IKnown> = {}): IKnown {
  const session = state && ({ state } as ISession);
  const usual = {
    linked: true,
    obstacle: null,
    picture: false,
    lost: false,
    windowless: false,
    resting: false,
  };
  return { session, ...usual, ...others };
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
    ['windowless', known('READY', { windowless: true })],
    ['windowless', known('READY', { windowless: true, picture: true })],
    ['opening', known('READY', { windowless: true, linked: false })],
    ['ended', known('ENDED', { windowless: true })],
    ['live', known('READY', { picture: true })],
    ['waiting', known('SUSPENDED', { picture: true })],
    ['reconnecting', known('READY', { picture: true, lost: true })],
    ['reconnecting', known('READY', { picture: true, linked: false })],
    ['resting', known('READY', { picture: true, lost: true, resting: true })],
    ['reconnecting', known('READY', { picture: true, lost: true, resting: true, linked: false })],
    ['locked-out', known(null, { obstacle: 'logged-out', linked: false })],
    ['locked-out', known('READY', { obstacle: 'logged-out', linked: false, picture: true })],
    ['reconnecting', known('READY', { obstacle: 'away', linked: false, picture: true })],
    ['opening', known(null, { obstacle: 'away', linked: false })],
    ['stopped', known('READY', { obstacle: 'stopped', linked: false, picture: true })],
    ['removed', known('READY', { obstacle: 'removed', linked: false, picture: true })],
    ['refused', known(null, { obstacle: 'refused', linked: false })],
    ['no-upgrade', known(null, { obstacle: 'no-upgrade', linked: false })],
    ['waiting', known('QUEUED', { obstacle: 'no-upgrade' })],
    ['ended', known('ENDED')],
    ['ended', known('FAILED', { picture: true })],
    ['ended', known('ENDED', { linked: false, obstacle: 'logged-out', picture: true, lost: true })],
  ])('is %s (case %#)', (phase, situation) => {
    expect(phaseOf(situation)).toBe(phase);
  });
});
