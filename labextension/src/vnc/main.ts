/** The VNC client's page: speaks with the viewer around it as the agent of xpra's client does. */
import { join } from '../agent/join';
import { takeParameters, tell } from '../agent/page';
import { Desktop } from './desktop';

const place = document.getElementById('desktop');
const field = document.getElementById('typing');
if (!place || !(field instanceof HTMLTextAreaElement)) {
  throw new Error('The page has no place for the desktop.');
}
const parameters = takeParameters();
join(
  new Desktop(place, field, {
    path: parameters.get('path') ?? '/',
    hold: parameters.get('hold_keys') === '1',
  }),
);
tell('loaded', { version: 'noVNC' });
