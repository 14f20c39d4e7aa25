/** Links that open a filled launch form: `/qconnect/?start=paraview&cores=4`; they never start anything by themselves. */
import type { ISpecRequest } from './models';

/** What a link asks for. */
export interface ILaunchLink {
  app: string;
  /** By field, as it would be typed. */
  spec: ISpecRequest;
}

/** The parameters that are no fields. */
const APP = 'start';
const OTHERS = [APP, 'token'];

/** What the address of the page asks for; null where it asks for nothing. */
export function launchLink(href: string): ILaunchLink | null {
  const { searchParams } = new URL(href);
  const app = searchParams.get(APP);
  const fields = [...searchParams].filter(([name]) => !OTHERS.includes(name));
  return app ? { app, spec: Object.fromEntries(fields) } : null;
}

/** The address without what it asks for. */
export function withoutLink(href: string): string {
  const url = new URL(href);
  const link = launchLink(href);
  [APP, ...Object.keys(link?.spec ?? {})].forEach(name => link && url.searchParams.delete(name));
  return url.href;
}
