/** The programs that can be started, by category, and those that are not here with the reason. */
import type { ReactElement } from 'react';

import type { IApp } from '../core/models';
import type { ITrans } from '../core/trans';

/** What the tiles are given. */
export interface IAppTilesProps {
  /** In the site's order. */
  apps: readonly IApp[];
  /** The names of those whose start is under way. */
  starting: ReadonlySet<string>;
  onChoose: (app: IApp) => void;
  trans: ITrans;
}

/** A tile for each app that can run here. */
export function AppTiles({ apps, starting, onChoose, trans }: IAppTilesProps): ReactElement {
  const here = apps.filter(app => app.available);
  const missing = apps.filter(app => !app.available);
  const categories = [...new Set(here.map(app => app.category))];
  return (
    <>
      {!here.length && <p className="jp-qconnect-soft">{nothingHere(trans)}</p>}
      {categories.map(category => (
        <div key={category}>
          <h3>{category}</h3>
          <div className="jp-qconnect-tiles">
            {here
              .filter(app => app.category === category)
              .map(app => (
                <Tile key={app.name} app={app} busy={starting.has(app.name)} onChoose={onChoose} />
              ))}
          </div>
        </div>
      ))}
      {missing.length > 0 && <Missing apps={missing} trans={trans} />}
    </>
  );
}

interface ITileProps {
  app: IApp;
  busy: boolean;
  onChoose: (app: IApp) => void;
}

/** A busy tile is not `disabled`: that would lose the keyboard's place. */
function Tile({ app, busy, onChoose }: ITileProps): ReactElement {
  return (
    <button
      type="button"
      className="jp-qconnect-tile"
      data-app={app.name}
      aria-disabled={busy || undefined}
      onClick={() => {
        if (!busy) {
          onChoose(app);
        }
      }}
    >
      <img src={app.icon} alt="" width={48} height={48} />
      <span className="jp-qconnect-tile-words">
        <strong>{app.title}</strong>
        <span className="jp-qconnect-soft">{app.description}</span>
      </span>
    </button>
  );
}

function Missing({ apps, trans }: { apps: readonly IApp[]; trans: ITrans }): ReactElement {
  return (
    <details className="jp-qconnect-missing">
      <summary>{trans.__('Not available here')}</summary>
      <ul>
        {apps.map(app => (
          <li key={app.name}>
            <strong>{app.title}</strong> {app.reason}
          </li>
        ))}
      </ul>
    </details>
  );
}

function nothingHere(trans: ITrans): string {
  return trans.__('None of the programs that this site offers is installed here. See below for the reasons.');
}
