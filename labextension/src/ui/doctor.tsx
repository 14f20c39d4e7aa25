/** The examination of the installation, when somebody opens it: what is right, what is not, and what to do. */
import { useEffect, useRef, useState, type ReactElement, type SyntheticEvent } from 'react';

import { beginProbe, getExamination, getProbe } from '../core/api';
import { measureFront } from '../core/front';
import type { IFinding, IProbe } from '../core/models';
import type { IServer } from '../core/request';
import { explain } from '../core/text';
import type { ITrans } from '../core/trans';

/** Milliseconds between two looks at a probe that runs. */
const LOOK_MS = 2_000;

/** What the box is given. */
export interface IDoctorProps {
  server: IServer;
  /** Whether it is open from the start. */
  open?: boolean;
  trans: ITrans;
}

/** A box that examines each time it is opened, and measures what lies before the server meanwhile. */
export function Doctor({ server, open, trans }: IDoctorProps): ReactElement {
  const { findings, words, probing, examine, probe, leave } = useExamination(server, trans);
  const toggle = (event: SyntheticEvent<HTMLDetailsElement>): void => {
    if (event.currentTarget.open) {
      examine();
    } else {
      leave();
    }
  };
  return (
    <details className="jp-qconnect-doctor" open={open} onToggle={toggle}>
      <summary>{trans.__('Something does not work?')}</summary>
      <p className="jp-qconnect-soft" role="status">
        {words}
      </p>
      <Findings findings={findings} trans={trans} />
      <p className="jp-qconnect-actions">
        <button type="button" disabled={probing} onClick={probe}>
          {trans.__('Try a small job')}
        </button>
      </p>
      {findings.length > 0 && <Report findings={findings} trans={trans} />}
    </details>
  );
}

/** How bad something is, in words, the worst first. */
function levelsOf(trans: ITrans): Record<IFinding['level'], string> {
  return { problem: trans.__('Problem'), warning: trans.__('Warning'), ok: trans.__('Good') };
}

/** All that was found, the worst first. */
function Findings({ findings, trans }: { findings: readonly IFinding[]; trans: ITrans }): ReactElement {
  const levels = levelsOf(trans);
  const order = Object.keys(levels);
  const sorted = [...findings].sort((one, other) => order.indexOf(one.level) - order.indexOf(other.level));
  return (
    <ul className="jp-qconnect-findings">
      {sorted.map(({ check, level, found, advice }) => (
        <li key={`${check} ${found}`} data-level={level}>
          <b>{levels[level]}</b> {`${check}: ${found}`}
          {advice && <p>{advice}</p>}
        </li>
      ))}
    </ul>
  );
}

/** What was found, as lines of text. */
function reportOf(findings: readonly IFinding[], trans: ITrans): string {
  const levels = levelsOf(trans);
  return findings
    .map(
      ({ check, level, found, advice }) =>
        `${levels[level]}\t${check}: ${found}${advice && `\n\t→ ${advice}`}`,
    )
    .join('\n');
}

/** The same as text that can be sent to whoever helps. */
function Report({ findings, trans }: { findings: readonly IFinding[]; trans: ITrans }): ReactElement {
  const [words, setWords] = useState('');
  const text = reportOf(findings, trans);
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setWords(trans.__('Copied.')),
      () => setWords(trans.__('The browser does not allow it. Select the text instead.')),
    );
  };
  return (
    <details>
      <summary>{trans.__('As text, for whoever helps you')}</summary>
      <pre className="jp-qconnect-log" tabIndex={0}>
        {text}
      </pre>
      {'clipboard' in navigator && (
        <p className="jp-qconnect-actions">
          <span role="status">{words}</span>
          <button type="button" onClick={copy}>
            {trans.__('Copy')}
          </button>
        </p>
      )}
    </details>
  );
}

interface IExamination {
  findings: readonly IFinding[];
  words: string;
  probing: boolean;
  examine: () => void;
  probe: () => void;
  leave: () => void;
}

/** What was found so far, from the server, from its probe and from this page; nothing goes on once it is left. */
function useExamination(server: IServer, trans: ITrans): IExamination {
  const [found, setFound] = useState<readonly IFinding[]>([]);
  const [words, setWords] = useState('');
  const probe = useProbe(server, trans);
  const front = useFront(server, trans);
  const examine = (): void => {
    setWords(trans.__('Examining… How long a silent connection lives is known in a minute.'));
    const measured = front.measure();
    getExamination(server, location.origin).then(
      async answer => {
        setFound(answer.findings);
        probe.look(answer.probe);
        await measured;
        setWords('');
      },
      (error: unknown) => setWords(explain(error, trans)),
    );
  };
  const findings = [...found, ...front.findings, ...probe.findings];
  const { running: probing, begin } = probe;
  return { findings, words: probe.words || words, probing, examine, probe: begin, leave: front.leave };
}

interface IFront {
  findings: readonly IFinding[];
  measure: () => Promise<void>;
  leave: () => void;
}

/** What lies before the server, as this page measures it. */
function useFront(server: IServer, trans: ITrans): IFront {
  const [findings, setFindings] = useState<readonly IFinding[]>([]);
  const over = useRef(new AbortController());
  const leave = (): void => over.current.abort();
  useEffect(() => leave, []);
  const measure = async (): Promise<void> => {
    leave();
    over.current = new AbortController();
    setFindings([]);
    const echo = new URL(`${server.baseUrl}qconnect/echo`, location.href);
    echo.protocol = echo.protocol.replace('http', 'ws');
    const note = (finding: IFinding): void => setFindings(known => [...known, finding]);
    return measureFront(echo.href, note, over.current.signal, trans);
  };
  return { findings, measure, leave };
}

interface IProbing {
  findings: readonly IFinding[];
  running: boolean;
  words: string;
  look: (probe: IProbe) => void;
  begin: () => void;
}

/** The server's probe: begun from here, and looked at while it runs and the page is seen. */
function useProbe(server: IServer, trans: ITrans): IProbing {
  const [state, setState] = useState<IProbe>();
  const [problem, setProblem] = useState('');
  const fail = (error: unknown): void => setProblem(explain(error, trans));
  useEffect(() => {
    if (!state?.running) {
      return undefined;
    }
    const timer = setInterval(() => {
      if (!document.hidden) {
        getProbe(server).then(setState, fail);
      }
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, [state?.running]);
  const begin = (): void => {
    setProblem('');
    beginProbe(server).then(setState, fail);
  };
  const running = state?.running ?? false;
  const words = running ? trans.__('A small job runs. %1', state?.words ?? '') : problem;
  return { findings: state?.findings ?? [], running, words, look: setState, begin };
}
