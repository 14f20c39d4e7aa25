/** Which windows are terminals: they copy and paste with Ctrl+Shift, as Ctrl alone is for the program inside. */

const TERMINALS = /term|konsole|kitty|alacritty|tilix|guake|^st(-256color)?$/i;

/** Whether a window of this class (WM_CLASS: instance and class, whatever a client makes of it) is a terminal. */
export function isTerminal(names: unknown): boolean {
  return Array.isArray(names) && names.some(name => typeof name === 'string' && TERMINALS.test(name));
}
