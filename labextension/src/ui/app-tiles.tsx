/** The programs that can be started, by category, and those that are not here with the reason. */
import type { DOMAttributes, MouseEvent, ReactElement } from 'react';

import type { IApp, ISettings } from '../core/models';
import type { ITrans } from '../core/trans';

/** What the tiles are given. */
export interface IAppTilesProps {
  /** In the site's order. */
  apps: readonly IApp[];
  /** The names of those whose start is under way. */
  starting: ReadonlySet<string>;
  onChoose: (app: IApp) => void;
  /** Opens the form, with these settings if any are given. */
  onOptions: (app: IApp) => void;
  /** Starts with settings that were saved by name. */
  onSaved: (app: IApp, settings: ISettings) => void;
  trans: ITrans;
}

/** A tile for each app that can run here. */
export function AppTiles(props: IAppTilesProps): ReactElement {
  const { apps, starting, trans } = props;
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
                <Tile key={app.name} {...props} app={app} busy={starting.has(app.name)} />
              ))}
          </div>
        </div>
      ))}
      {missing.length > 0 && <Missing apps={missing} trans={trans} />}
    </>
  );
}

interface ITileProps extends Pick<IAppTilesProps, 'onChoose' | 'onOptions' | 'onSaved' | 'trans'> {
  app: IApp;
  busy: boolean;
}

/**
 * One click starts; “…”, the right button and Shift open the form; below is what was saved by name.
 *
 * A busy tile is not `disabled`: that would lose the keyboard's place.
 */
function Tile({ app, busy, onChoose, onOptions, onSaved, trans }: ITileProps): ReactElement {
  const menu = (event: MouseEvent): void => {
    event.preventDefault();
    onOptions(app);
  };
  return (
    <div className="jp-qconnect-tile-frame" onContextMenu={menu}>
      <TileButton app={app} busy={busy} onChoose={onChoose} onOptions={onOptions} />
      <button
        type="button"
        className="jp-qconnect-tile-options"
        aria-label={trans.__('%1: options', app.title)}
        title={trans.__('Options')}
        aria-haspopup="dialog"
        onClick={() => onOptions(app)}
      >
        {trans.__('…')}
      </button>
      <SavedTiles app={app} onSaved={onSaved} trans={trans} />
    </div>
  );
}

/** What was saved by name: one click starts with it. */
function SavedTiles({
  app,
  onSaved,
  trans,
}: Pick<ITileProps, 'app' | 'onSaved' | 'trans'>): ReactElement | null {
  return app.saved.length ? (
    <div className="jp-qconnect-tile-saved">
      {app.saved.map(settings => (
        <button
          key={settings.id}
          type="button"
          aria-label={trans.__('Start %1 with the settings %2', app.title, settings.name)}
          onClick={() => onSaved(app, settings)}
        >
          {settings.name}
        </button>
      ))}
    </div>
  ) : null;
}

function TileButton({
  app,
  busy,
  onChoose,
  onOptions,
}: Pick<ITileProps, 'app' | 'busy' | 'onChoose' | 'onOptions'>): ReactElement {
  const gestures = gesturesOf(
    () => onOptions(app),
    () => {
      if (!busy) {
        onChoose(app);
      }
    },
  );
  return (
    <button
      type="button"
      className="jp-qconnect-tile"
      data-app={app.name}
      aria-disabled={busy || undefined}
      {...gestures}
    >
      <img src={app.icon} alt="" width={48} height={48} />
      <span className="jp-qconnect-tile-words">
        <strong>{app.title}</strong>
        <span className="jp-qconnect-soft">{app.description}</span>
      </span>
    </button>
  );
}

/** What keys and clicks mean on a tile: with Shift the form, else a start. */
function gesturesOf(
  form: () => void,
  start: () => void,
): Pick<DOMAttributes<Element>, 'onKeyDown' | 'onClick'> {
  return {
    onKeyDown: event => {
      if (event.key === 'Enter' && event.shiftKey) {
        event.preventDefault(); // a click would follow
        form();
      }
    },
    onClick: ({ shiftKey }) => (shiftKey ? form() : start()),
  };
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
