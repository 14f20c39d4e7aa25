/** Picks a file from Jupyter's own, whose folder the nodes see as well. */
import { useState, type ReactElement } from 'react';

import { listFolder } from '../core/api';
import type { IServer } from '../core/request';
import { explain } from '../core/text';
import type { ITrans } from '../core/trans';

/** What the picker is given. */
export interface IPathPickerProps {
  /** What is picked. */
  title: string;
  server: IServer;
  /** The folder that Jupyter's contents lie in; empty until it is told. */
  folder: string;
  onPick: (path: string) => void;
  trans: ITrans;
}

/** A box with the names of one folder; a folder opens in its place, a file is picked. */
export function PathPicker({ title, server, folder, onPick, trans }: IPathPickerProps): ReactElement | null {
  const { place, names, problem, open } = usePlace(server, trans);
  const choose = (name: string): void => {
    const path = place ? `${place}/${name}` : name;
    if (name.endsWith('/')) {
      open(path.slice(0, -1));
    } else {
      onPick(`${folder}/${path}`);
    }
  };
  const up = (): void => open(place.split('/').slice(0, -1).join('/'));
  return folder ? (
    <details className="jp-qconnect-picker" onToggle={event => event.currentTarget.open && open(place)}>
      <summary>{trans.__('Browse for %1', title)}</summary>
      <p className="jp-qconnect-soft">{`${folder}/${place}`}</p>
      <p className="jp-qconnect-problem" role="alert">
        {problem}
      </p>
      <ul>
        {place && <Place name={trans.__('Up')} onChoose={up} />}
        {names.map(name => (
          <Place key={name} name={name} onChoose={() => choose(name)} />
        ))}
      </ul>
    </details>
  ) : null;
}

function Place({ name, onChoose }: { name: string; onChoose: () => void }): ReactElement {
  return (
    <li>
      <button type="button" onClick={onChoose}>
        {name}
      </button>
    </li>
  );
}

interface IPlace {
  place: string;
  names: readonly string[];
  problem: string;
  open: (path: string) => void;
}

/** The folder that is looked at; one that cannot be opened leaves the one before. */
function usePlace(server: IServer, trans: ITrans): IPlace {
  const [shown, setShown] = useState({ place: '', names: [] as readonly string[], problem: '' });
  const open = (path: string): void => {
    listFolder(server, path).then(
      names => setShown({ place: path, names, problem: '' }),
      (error: unknown) => setShown(before => ({ ...before, problem: explain(error, trans) })),
    );
  };
  return { ...shown, open };
}
