/** The state of the scene in the address, after #: the link that shows another person the same. */

const PREFIX = 'view=';
const WAIT = 300; // ms without a change, before the address follows

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {any} state @returns {string} URL-safe base64 of its JSON */
export function encode(state) {
  const bytes = new TextEncoder().encode(JSON.stringify(state));
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')).replaceAll('+', '-').replaceAll('/',
    '_').replace(/=+$/, '');
}

/** @param {string} text @returns {any} null if it is no state: links are hand-copied and get cut */
export function decode(text) {
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (each) => each.charCodeAt(0));
    return checked(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return null;
  }
}

const isList = (/** @type {any} */ value, /** @type {number} */ size) =>
  Array.isArray(value) && value.length === size && value.every(Number.isFinite);

/**
 * What is not as it should be is left out: a link is a stranger's text.
 * @param {any} state @returns {any} null for no state
 */
function checked(state) {
  if (typeof state !== 'object' || state === null) return null;
  const { camera, hidden, looks, section, slices, layout, measures } = state;
  const looksFine = (/** @type {any} */ each) => isList(each, 4) && each.every((/** @type {number} */ value) =>
    value >= 0 && value <= 255);
  return {
    camera: isList(camera?.position, 3) && isList(camera.target, 3) && camera.zoom > 0 ? camera : null,
    hidden: Array.isArray(hidden) ? hidden : [],
    looks: Object.fromEntries(Object.entries(looks ?? {}).filter(([, each]) => looksFine(each))),
    section: isList(section?.normal, 3) && Number.isFinite(section.at) ? section : null,
    slices: isList(slices?.at, 3) && isList(slices.window, 2) ? slices : null,
    layout: layout === 'four' ? 'four' : 'one',
    measures: (Array.isArray(measures) ? measures : []).filter(({ kind, text, points }) =>
      typeof kind === 'string' && typeof text === 'string' && Array.isArray(points)
        && points.every((each) => isList(each, 3))),
  };
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
