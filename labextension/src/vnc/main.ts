/** The VNC client's page: speaks with the viewer around it as the agent of xpra's client does. */
import { join } from '../agent/join';
import { takeParameters, tell } from '../agent/page';
import { Desktop } from './desktop';

const place = document.getElementById('desktop');
if (!place) {
  throw new Error('The page has no place for the desktop.');
}
join(new Desktop(place, takeParameters().get('path') ?? '/'));
tell('loaded', { version: 'noVNC' });
