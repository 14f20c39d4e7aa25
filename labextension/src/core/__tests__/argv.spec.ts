import { execFileSync } from 'node:child_process';

import { argvOf } from '../argv';

/** The arguments that a real bash gives a program for this line. */
function bashArgv(line: string): string[] {
  const out = execFileSync('bash', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' });
  return out.split('\0').slice(0, -1);
}

describe('plain words and quotes', () => {
  it.each([
    'xclock',
    '  xclock   -digital ',
    'xterm -title "two words"',
    "xterm -title 'two words' -e top",
    'paraview --state="my file.pvsm"',
    `say "it's" 'so "called"'`,
    `glued"to"'gether'`,
    'empty "" \'\' here',
    'grüße "schön ✓" 漢字',
    'program key=value --opt=1,2 file.name /an/abs-path %f @x +1 ^y',
    'tab\tseparated',
  ])('are split as bash does: %s', line => {
    expect(argvOf(line)).toEqual(bashArgv(line));
  });
});

describe('what only a shell can carry out', () => {
  it.each([
    'echo $HOME',
    'echo "$HOME"',
    'ls *.txt',
    'a | b',
    'a && b',
    'a; b',
    'a > out',
    'echo `date`',
    'echo $(date)',
    'ls ~/data',
    'echo {a,b}',
    'DISPLAY=:0 xclock',
    'one\\ word',
    'a # comment',
    'first\nsecond',
    "it's | open",
  ])('is given to bash as it stands: %s', line => {
    expect(argvOf(line)).toEqual(['bash', '-c', line.trim()]);
  });
});

it.each(['', '   ', '\t'])('nothing at all is refused: %j', line => {
  expect(() => argvOf(line)).toThrow('empty');
});

it.each(['xterm "open', "it's", `a "b' c`])('an open quote is refused: %s', line => {
  expect(() => argvOf(line)).toThrow('open-quote');
});
