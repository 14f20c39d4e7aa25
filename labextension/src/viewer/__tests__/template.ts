/** The elements of the viewer's page, from the template that the server fills. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const TEMPLATES = join(__dirname, '../../../../qconnect_web/templates');

function template(name: string): string {
  return readFileSync(join(TEMPLATES, name), 'utf-8');
}

/** Puts the page's elements into the document, its texts as they are written and its values empty. */
export function fillPage(): void {
  const text = template('viewer.html').replace(/{% include "(\w+\.html)" %}/g, (_, name: string) =>
    template(name),
  );
  const body = text.slice(text.indexOf('<header'), text.indexOf('<noscript'));
  document.body.innerHTML = body.replace(/{{ _\((["'])(.*?)\1\) }}/g, '$2').replace(/{{.*?}}/g, '');
}

/** What an element of the page shows now; null when it is hidden. */
export function shown(id: string): string | null {
  const found = document.getElementById(id);
  return found?.closest('[hidden]') ? null : (found?.textContent.trim() ?? '');
}
