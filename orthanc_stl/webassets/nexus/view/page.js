/** What both pages do: ask for the model at once, and meanwhile fetch what draws it. */

import { authorization, startPage } from '../../app/shared/api.js';
import { language, t } from '../../app/shared/language.js';
import { NexusModel, limitsOf } from '../stream/model.js';
import { DecoderPool } from '../stream/pool.js';
import { Source } from '../stream/source.js';

/**
 * @param {string} address relative to the page
 * @returns {URL | null} null if it is none: "http://", "C:\\model.nxz", or what names this page itself, such as "http:"
 */
function addressOf(address) {
  try {
    const url = new URL(address, location.href);
    const own = url.origin === location.origin && url.pathname === location.pathname;
    return own || !/^https?:$/.test(url.protocol) ? null : url;
  } catch {
    return null;
  }
}

/**
 * @param {string | null} address of the model, relative to the page
 * @param {{tools: 'few' | 'all', missing: string, instance?: string | null, style?: Promise<string>}} options
 *   `missing`: what to say without an address; `style`: CSS for the canvas
 */
export async function showModel(address, { tools, missing, instance = null, style }) {
  startPage();
  document.documentElement.lang = language;
  const root = /** @type {HTMLElement} */ (document.getElementById('viewer'));
  document.body.classList.toggle('embedded', window.parent !== window);
  const url = address ? addressOf(address) : null;
  const limits = limitsOf({ deviceMemory: navigator.deviceMemory, small: matchMedia('(max-width: 640px)').matches });
  const foreign = url !== null && url.origin !== location.origin;
  const opening = url && !foreign ? NexusModel.open(new Source(url.href, authorization()), new DecoderPool(), limits)
    : null;
  opening?.catch(() => {}); // told below, once there is somebody to tell it
  const { Viewer } = await import('./viewer.js');
  const viewer = new Viewer(root, { tools, instance });
  Object.assign(globalThis, { nexusViewer: viewer });
  if (!url && address) {
    return viewer.fail(t('The address of the model is not one'),
      `${t('“{text}” is no address.', { text: address.slice(0, 200) })} ${missing}`);
  }
  if (!url) return viewer.fail(t('No model was named'), missing);
  if (foreign) {
    return viewer.fail(t('The model cannot be shown'),
      t('It is on another server than this page; only models of this Orthanc are shown.'));
  }
  const stage = viewer.makeStage();
  if (!stage) return undefined;
  style?.then((css) => { stage.canvas.style.cssText += css; });
  try {
    viewer.show(stage, /** @type {NexusModel} */ (await opening));
  } catch (error) {
    if (!viewer.failBy(error)) throw error;
  }
  return undefined;
}
