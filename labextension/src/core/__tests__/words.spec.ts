/** @jest-environment node */
import { record, mark } from '../marks';
import type { SessionState } from '../models';
import { isFinal, isPending, stateWords } from '../states';
import { clock, duration, gigabytes, hours, staleWords } from '../text';
import { english, type ITrans } from '../trans';

const STATES: SessionState[] = [
  'QUEUED',
  'HELD',
  'STARTING',
  'READY',
  'SUSPENDED',
  'ENDING',
  'ENDED',
  'FAILED',
  'UNREACHABLE',
];

describe('a state', () => {
  it('has a word of its own, and a sentence that says what it means', () => {
    const words = STATES.map(state => stateWords(state, english));
    expect(new Set(words.map(({ word }) => word)).size).toBe(STATES.length);
    expect(new Set(words.map(({ meaning }) => meaning)).size).toBe(STATES.length);
    expect(words.every(({ meaning }) => /^[A-Z].+\.$/.test(meaning))).toBe(true);
  });

  it('is told in the language of the user', () => {
    const german: ITrans = { __: text => (text === 'Running' ? 'Läuft' : text) };
    expect(stateWords('READY', german).word).toBe('Läuft');
  });

  it('is final, pending or neither', () => {
    expect(STATES.filter(isFinal)).toEqual(['ENDED', 'FAILED']);
    expect(STATES.filter(state => !isPending(state))).toEqual(['READY', 'ENDED', 'FAILED']);
  });
});

describe('an amount', () => {
  it.each([
    [0, '0:00'],
    [42.9, '0:42'],
    [725, '12:05'],
    [11_220, '3:07:00'],
    [-3, '0:00'],
  ])('of %d seconds that passed is %s', (seconds, words) => {
    expect(clock(seconds)).toBe(words);
  });

  it.each([
    [45, '45 s'],
    [540, '9 min'],
    [18_725, '5 h 12 min'],
    [183_600, '2 d 3 h'],
    [-3, '0 s'],
  ])('of %d seconds that are left is %s', (seconds, words) => {
    expect(duration(seconds, english)).toBe(words);
  });

  it('of time or memory is told as sites write limits', () => {
    expect(hours(43_200, english)).toBe('12:00 h');
    expect(hours(90 * 60, english)).toBe('1:30 h');
    expect(gigabytes(23.9 * 2 ** 30, english)).toBe('23 GB');
  });
});

it('a scheduler that does not answer is told with the age of its last word', () => {
  const since = '2026-11-23T06:32:00Z';
  const now = Date.parse(since) + 125_000;
  expect(staleWords(since, english, now)).toBe(
    'The scheduler has not answered for 2 min; this is its last word.',
  );
  expect(staleWords(null, english, now)).toBe('');
});

it('a text keeps a place for which there is no value', () => {
  expect(english.__('%2 and %1, %3', 'a', 7)).toBe('7 and a, %3');
});

it('marks are kept up to a limit, and put into the timeline', () => {
  mark('first', 1);
  expect(record.log.at(-1)).toEqual([expect.any(Number), 'first', 1]);
  expect(performance.getEntriesByName('qconnect:first')).toHaveLength(1);
  for (let count = 0; count < 2500; count += 1) {
    mark('more');
  }
  expect(record.log.length).toBeLessThanOrEqual(2000);
});
