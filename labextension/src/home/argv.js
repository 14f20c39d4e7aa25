// What a user types at "Any command", as the argument list that the job runs.
// The same rule as labextension/src/argv.ts, whose tests hold both to what bash does.

/** What only a shell can carry out: expansions, wildcards, pipes, lists, redirections, comments, escapes. */
const NEEDS_A_SHELL = /[$`~{}!*?[\]|&;<>()#\\\n]|^\s*\w+=/;

/**
 * Plain words and quotes become the list itself; a line with anything that only a shell can carry out is given to bash.
 * @param {string} line as typed into a terminal
 * @returns {string[] | null} null when a quote is not closed
 */
export function splitCommand(line) {
  const text = line.trim();
  if (NEEDS_A_SHELL.test(text)) {
    return ['bash', '-c', text];
  }
  if (/["']/.test(text.replace(/"[^"]*"|'[^']*'/g, ''))) {
    return null;
  }
  const words = text.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  return words.map(word => word.replace(/"([^"]*)"|'([^']*)'/g, '$1$2'));
}
