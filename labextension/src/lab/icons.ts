/** The icons of apps: drawings from the site's files, shown without trusting them. */
import { LabIcon } from '@jupyterlab/ui-components';

/** The general icon: a window on a cluster. */
export const qconnectIcon = new LabIcon({
  name: 'qconnect-web:icon',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <path d="M4 3h16a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zm0 4v7h16V7z"/>
    <path d="M4 18h4v3H4zm6 0h4v3h-4zm6 0h4v3h-4z"/>
  </g>
</svg>`,
});

/**
 * An icon of the SVG text of an app.
 *
 * The text comes from files of the site and of the user. JupyterLab puts an icon's markup into its own page, where a
 * script or an event handler in it would run; as a picture inside a picture it cannot (SVG 2, secure static mode).
 */
export function appIcon(app: string, svg: string): LabIcon {
  const bytes = new TextEncoder().encode(svg);
  const source = `data:image/svg+xml;base64,${btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(''))}`;
  return new LabIcon({
    name: `qconnect-web:app-${app}`,
    svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><image width="24" height="24" href="${source}"/></svg>`,
  });
}
