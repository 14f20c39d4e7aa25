/** JupyterLab's own terminals, in which terminal sessions are shown by the command line's `qconnect`. */
import type { CommandRegistry } from '@lumino/commands';
import type { Widget } from '@lumino/widgets';

/** The command of JupyterLab's terminal extension; it resolves to a tab around a terminal. */
const CREATE = 'terminal:create-new';

/** What of such a tab is used here. */
interface ITerminalTab extends Widget {
  content: { session: { send: (message: { type: 'stdin'; content: string[] }) => void } };
}

/** Opens terminals that are connected to a session, one per session for as long as it is open. */
export class Terminals {
  /** `program` gives the path of `qconnect` on the server. */
  constructor(
    private readonly _commands: CommandRegistry,
    private readonly _program: () => string,
  ) {}

  /** Whether this JupyterLab has terminals; a site may have switched them off. */
  get available(): boolean {
    return this._commands.hasCommand(CREATE);
  }

  /** The terminal of a session: the one that is open, else a new one in which its user sees `qconnect` connect. */
  async open(id: string): Promise<Widget> {
    const shown = this._tabs.get(id);
    if (shown && !shown.isDisposed) {
      return shown;
    }
    const tab = (await this._commands.execute(CREATE)) as ITerminalTab;
    tab.content.session.send({ type: 'stdin', content: [`${quoted(this._program())} ${quoted(id)}\r`] });
    this._tabs.set(id, tab);
    tab.disposed.connect(() => this._tabs.delete(id));
    return tab;
  }

  private readonly _tabs = new Map<string, Widget>();
}

/** A word as every shell reads it. */
function quoted(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
