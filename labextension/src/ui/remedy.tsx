/** What a user can do while the server itself does not speak: one button beside the words. */
import type { ReactElement } from 'react';

import type { Absence } from '../core/absence';
import { spawnFor } from '../core/address';
import type { ITrans } from '../core/trans';

/** `spawnUrl`: where a hub starts the server, null where there is none. */
export interface IRemedyProps {
  absence: Absence | null;
  spawnUrl: string | null;
  trans: ITrans;
}

/** A way through the login, or to the hub's page that starts the server; both lead back here. */
export function Remedy({ absence, spawnUrl, trans }: IRemedyProps): ReactElement | null {
  if (absence === 'logged-out') {
    return (
      <button type="button" onClick={() => location.reload()}>
        {trans.__('Log in')}
      </button>
    );
  }
  if (absence === 'stopped' && spawnUrl !== null) {
    return <a href={spawnFor(spawnUrl, location.href)}>{trans.__('Start the server')}</a>;
  }
  return null;
}
