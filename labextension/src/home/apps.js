// Shows the tiles, by category, and those programs that are not here with the reason.

import { element } from '../shared/text.js';

/**
 * @param {string} tag
 * @param {string} className
 * @param {string} [text]
 */
export function make(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) {
    made.textContent = text;
  }
  return made;
}

/**
 * @param {import("../types").App} app
 * @param {(app: import("../types").App, tile: HTMLButtonElement) => void} chosen
 */
function tile(app, chosen) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'tile';
  button.dataset.app = app.name;
  const icon = document.createElement('img');
  icon.src = app.icon;
  icon.alt = '';
  icon.width = icon.height = 48;
  const words = make('span', 'tile-words');
  words.append(make('strong', '', app.title), make('span', 'soft', app.description));
  button.append(icon, words);
  button.addEventListener('click', () => {
    chosen(app, button);
  });
  return button;
}

/**
 * @param {import("../types").App[]} apps in the site's order
 * @param {(app: import("../types").App, tile: HTMLButtonElement) => void} chosen
 */
export function showApps(apps, chosen) {
  const here = apps.filter(app => app.available);
  const categories = [...new Set(here.map(app => app.category))];
  const groups = categories.map(category => {
    const group = make('div', 'group');
    const tiles = make('div', 'tiles');
    tiles.append(...here.filter(app => app.category === category).map(app => tile(app, chosen)));
    group.append(make('h3', '', category), tiles);
    return group;
  });
  element('apps', HTMLElement).replaceChildren(...groups);
  const none = element('no-apps', HTMLElement);
  none.hidden = here.length > 0;
  none.textContent =
    'None of the programs that this site offers is installed here. See below for the reasons.';
  showMissing(apps.filter(app => !app.available));
}

/** @param {import("../types").App[]} apps */
function showMissing(apps) {
  element('missing', HTMLElement).hidden = apps.length === 0;
  const items = apps.map(app => {
    const item = make('li', '');
    item.append(make('strong', '', app.title), ` ${app.reason ?? ''}`);
    return item;
  });
  element('missing-list', HTMLElement).replaceChildren(...items);
}
