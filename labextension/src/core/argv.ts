/** What a user types at "Any command", as the argument list that the job runs. */

/** What only a shell can carry out: expansions, wildcards, pipes, lists, redirections, comments, escapes. */
const NEEDS_A_SHELL = /[$`~{}!*?[\]|&;<>()#\\\n]|^\s*\w+=/;
const QUOTED = /"([^"]*)"|'([^']*)'/g;
const WORD = /(?:"[^"]*"|'[^']*'|[^\s"'])+/g;

/**
 * The argument list for a line that was typed as into a terminal.
 *
 * Plain words and quotes become the list itself, so that messages name the program; a line with anything that only a
 * shell can carry out is given to bash as it stands. Throws RangeError when nothing, or an open quote, was typed.
 */
export function argvOf(line: string): string[] {
  const text = line.trim();
  if (!text) {
    throw new RangeError('empty');
  }
  if (NEEDS_A_SHELL.test(text)) {
    return ['bash', '-c', text];
  }
  if (/["']/.test(text.replace(QUOTED, ''))) {
    throw new RangeError('open-quote');
  }
  return (text.match(WORD) ?? []).map(word => word.replace(QUOTED, '$1$2'));
}

/** A command as it can be typed: the line that bash was given, or its words. */
export function lineOf(command: readonly string[] | null | undefined): string {
  if (!command) {
    return '';
  }
  const [shell, option, script, ...more] = command;
  if (shell === 'bash' && option === '-c' && script !== undefined && !more.length) {
    return script;
  }
  return command
    .map(word => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}
