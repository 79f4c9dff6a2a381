/** The state of the scene in the address, after #: the link that shows another person the same. */

const PREFIX = 'view=';
const WAIT = 300; // ms without a change, before the address follows

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {any} state @returns {string} URL-safe base64 of its JSON */
export function encode(state) {
  const bytes = new TextEncoder().encode(JSON.stringify(state));
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** @param {string} text @returns {any} null if it is no state: links are hand-copied and get cut */
export function decode(text) {
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (each) => each.charCodeAt(0));
    const state = JSON.parse(new TextDecoder().decode(bytes));
    return typeof state === 'object' ? state : null;
  } catch {
    return null;
  }
}

/** @returns {any} */
export function stateInAddress() {
  const text = location.hash.slice(1);
  return text.startsWith(PREFIX) ? decode(text.slice(PREFIX.length)) : null;
}

/** @param {any} state @returns {string} the address of this page with the state; a token is never in it */
export function linkOf(state) {
  const url = new URL(location.href);
  url.searchParams.delete('token');
  url.hash = PREFIX + encode(state);
  return url.href;
}

/** @param {() => any} take Keeps the address up to date, once the hand has come to rest. */
export function keepState(take) {
  clearTimeout(timer);
  timer = setTimeout(() => history.replaceState(history.state, '', linkOf(take())), WAIT);
}
