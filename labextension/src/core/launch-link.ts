/** Links that open a filled launch form: `/qconnect/?start=paraview&cores=4`; they never start anything by themselves. */
import { lineOf } from './argv';
import type { ISession, ISpecRequest } from './models';

/** What a link asks for. */
export interface ILaunchLink {
  app: string;
  /** By field, as it would be typed. */
  spec: ISpecRequest;
  /** The command of an app that takes one; null where the link has none. */
  command: string[] | null;
}

/** The parameters that are no fields. */
const APP = 'start';
const COMMAND = 'command';
const OTHERS = [APP, COMMAND, 'token'];

/** What the address of the page asks for; null where it asks for nothing. */
export function launchLink(href: string): ILaunchLink | null {
  const { searchParams } = new URL(href);
  const [app, line] = [searchParams.get(APP), searchParams.get(COMMAND)];
  const fields = [...searchParams].filter(([name]) => !OTHERS.includes(name));
  const command = line === null ? null : ['bash', '-c', line];
  return app ? { app, spec: Object.fromEntries(fields), command } : null;
}

/** The address without what it asks for. */
export function withoutLink(href: string): string {
  const url = new URL(href);
  const link = launchLink(href);
  [APP, COMMAND, ...Object.keys(link?.spec ?? {})].forEach(name => link && url.searchParams.delete(name));
  return url.href;
}

/** The parameters of a link to a form that asks for what a session asked for; a program of its own ignores the command. */
export function linkTo({ app, spec, command }: ISession): string {
  const { fields, native, ...plain } = spec;
  const given = Object.entries({
    ...plain,
    ...fields,
    native: native.join('\n'),
    [COMMAND]: lineOf(command),
  });
  const told = given.filter(([, value]) => value !== null && value !== '');
  return new URLSearchParams([[APP, app], ...told.map(([name, value]) => [name, String(value)])]).toString();
}
