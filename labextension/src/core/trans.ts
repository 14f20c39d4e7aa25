/** How texts are put into the user's language: JupyterLab's translation, or the pages' plain English. */

/** What of a translation bundle is used; JupyterLab's own is one. */
export interface ITrans {
  /** The text in the user's language, with `%1`, `%2`, … replaced by the values that follow. */
  __(text: string, ...values: (string | number)[]): string;
}

/** The texts as they are written. */
export const english: ITrans = {
  __: (text, ...values) =>
    text.replace(/%(\d+)/g, (place, number: string) => String(values[Number(number) - 1] ?? place)),
};
