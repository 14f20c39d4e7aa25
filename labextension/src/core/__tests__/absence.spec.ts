/** @jest-environment node */
import { readFileSync } from 'node:fs';

import { absenceIn, type Absence } from '../absence';

/** What a real JupyterHub said of a server that does not run. */
const RECORDED = JSON.parse(readFileSync('tests/data/recordings/jupyterhub-6.1.1.json', 'utf8')) as {
  'stopped-api': { out: string };
};
const HUB = (JSON.parse(RECORDED['stopped-api'].out) as { message: string }).message;

describe('an answer', () => {
  it.each<[Absence | null, string, number, string | null, string | null, boolean?]>([
    ['away', "nginx' page", 502, null, null],
    ['away', "nginx' page", 404, null, null],
    ['away', "nginx' page", 503, null, null],
    ['away', "Jupyter's, without the extension", 404, 'Not Found', null],
    ['away', 'a page in place of JSON', 200, null, null],
    ['stopped', "the hub's", 424, HUB, null],
    ['stopped', "the hub's page", 424, null, null],
    ['stopped', "the hub's, with the status of old", 503, HUB, null],
    ['logged-out', "Jupyter's", 403, 'Forbidden.', 'forbidden'],
    ['logged-out', "the hub's", 403, 'Forbidden', null],
    ['logged-out', "a front's", 401, null, null],
    ['logged-out', "a login's page", 200, null, null, true],
    ['logged-out', 'a way to another site', 302, null, null, true],
    ['stopped', "the hub's, where the proxy has sent us", 424, HUB, null, true],
    [null, 'ours', 404, 'There is no such session.', 'unknown-session'],
    [null, 'ours', 502, 'qsub: no', 'scheduler-failed'],
    [null, 'ours', 403, 'Origin a, Host b.', 'origin'],
    [null, 'ours', 403, 'The folder is not private.', 'not-private'],
  ])('tells %s (%s, %d)', (absence, _, status, word, reason, redirected = false) => {
    expect(absenceIn({ status, word, reason, redirected })).toBe(absence);
  });
});
