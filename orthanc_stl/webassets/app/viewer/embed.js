/**
 * `window.viewer` for frames of another origin, by postMessage, where the configuration's EmbedOrigins names it.
 * In: {id, call: "parts", args: [...]}. Out: {id, result} or {id, error}; events as {event, detail}.
 */

import { getJson } from '../shared/api.js';

const CALLS = ['parts', 'setPart', 'images', 'showSlice', 'outlines', 'pixelAt', 'project', 'state', 'restore',
  'picture'];

/** @param {import('./api.js').PublicViewer} viewer */
export async function listenToFrames(viewer) {
  if (window.parent === window) return;
  const { EmbedOrigins: origins = [] } = await getJson('stl/app/settings.json').catch(() => ({}));
  if (!origins.length) return;
  addEventListener('message', async ({ data, origin, source }) => {
    if (source !== window.parent || !origins.includes(origin) || typeof data?.call !== 'string') return;
    const answer = (/** @type {any} */ message) => window.parent.postMessage({ id: data.id, ...message }, origin);
    try {
      if (!CALLS.includes(data.call)) {
        throw new Error(`There is no call "${data.call.slice(0, 40)}". There are: ${CALLS.join(', ')}.`);
      }
      await viewer.ready;
      answer({ result: await /** @type {any} */ (viewer)[data.call](...(Array.isArray(data.args) ? data.args : [])) });
    } catch (error) {
      answer({ error: /** @type {Error} */ (error).message });
    }
  });
  // The browser tells who the parent is by its list of ancestors, or by where the page was asked for.
  const parent = location.ancestorOrigins?.[0] ?? (document.referrer && new URL(document.referrer).origin);
  if (!origins.includes(parent)) return;
  const pass = (/** @type {Event} */ event) =>
    window.parent.postMessage({ event: event.type, detail: /** @type {CustomEvent} */ (event).detail }, parent);
  for (const kind of ['select', 'measure', 'slice']) viewer.addEventListener(kind, pass);
  viewer.ready.then(() => pass(new CustomEvent('ready')));
}
