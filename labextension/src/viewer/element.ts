/** The page's own elements, as its template has them (qconnect_web/templates/viewer.html). */

/** The element with this id; throws when the page lacks it. */
export function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) {
    throw new Error(`The page has no ${type.name} #${id}.`);
  }
  return found;
}
