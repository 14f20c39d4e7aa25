// Derives what the viewer shows from what is known; nothing is stored.

import { isFinal } from '../shared/text.js';

/**
 * @typedef {"opening" | "waiting" | "connecting" | "live" | "reconnecting" | "ended" | "locked-out"} Phase
 *
 * @typedef {object} Known
 * @property {import("../types").Session | null} session the server's last word
 * @property {boolean} linked whether the server answers
 * @property {boolean} refused whether it answers that the user is not logged in
 * @property {boolean} picture whether a picture of the program is there
 * @property {boolean} lost whether the connection that painted it is gone
 */

/**
 * @param {Known} known
 * @returns {Phase}
 */
export function phase({ session, linked, refused, picture, lost }) {
  if (session && isFinal(session.state)) {
    return 'ended';
  }
  if (refused) {
    return 'locked-out';
  }
  if (!linked) {
    return picture ? 'reconnecting' : 'opening';
  }
  if (!session) {
    return 'opening';
  }
  if (session.state !== 'READY') {
    return 'waiting';
  }
  if (!picture) {
    return 'connecting';
  }
  return lost ? 'reconnecting' : 'live';
}
