// Splits a typed command into words: quotes keep words together, a backslash takes the next character as it is.

/**
 * @param {string} text
 * @returns {string[] | null} null when a quote is not closed
 */
export function splitCommand(text) {
  /** @type {string[]} */
  const words = [];
  const part = /\s+|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)/gsuy;
  /** @type {string | null} */
  let word = null;
  while (part.lastIndex < text.length) {
    const found = part.exec(text);
    if (!found) {
      return null;
    }
    // Groups that took no part are undefined, whatever the types say.
    const [whole, single, double, escaped, plain] = /** @type {(string | undefined)[]} */ (found);
    const piece = single ?? double?.replace(/\\(["\\])/gu, '$1') ?? escaped ?? plain;
    if (piece !== undefined) {
      word = (word ?? '') + piece;
    } else if (whole && word !== null) {
      words.push(word);
      word = null;
    }
  }
  return word === null ? words : [...words, word];
}
