/** The model as a file: also for a browser that cannot show it. */

import { h, icon, notice, save } from '../shared/dom.js';
import { fileName } from '../shared/format.js';
import { loadFacts, loadStored, namedInstance } from './load.js';
import { t } from '../shared/language.js';

/** @param {string} instance Orthanc's id @throws {import('../shared/api.js').RequestFailed} */
export async function download(instance) {
  const [{ file, suffix }, { name }] = await Promise.all([loadStored(instance), loadFacts(instance)]);
  save(file, `${fileName(name)}.${suffix}`);
}

/**
 * @param {URLSearchParams} parameters of the page
 * @returns {Node[]} a button below what went wrong; none if the address names no model
 */
export function downloadButton(parameters) {
  if (!['instance', 'series'].some((name) => parameters.get(name))) return [];
  const act = async () => {
    try {
      await download(await namedInstance(parameters) ?? '');
    } catch (error) {
      said.replaceChildren(notice('error', '', /** @type {Error} */ (error).message));
    }
  };
  const said = h('div', {});
  return [h('div', { class: 'form-buttons' }, h('button', { type: 'button', class: 'button', onclick: act },
    icon('download'), t('Download 3D model'))), said];
}
