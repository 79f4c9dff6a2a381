/** Models as files of any format that the server writes. */

import { getJson, request } from '../shared/api.js';
import { h, icon, notice, save } from '../shared/dom.js';
import { fileName } from '../shared/format.js';
import { t } from '../shared/language.js';

/** What each format is good for, by its suffix. @type {Record<string, string>} */
const GOOD_FOR = {
  glb: t('one file with colours, for viewers and slides'),
  '3mf': t('for printing, with colours'),
  'obj.zip': t('with colours, for most 3D programs'),
  obj: t('without colours, for CAD'),
  ply: t('with colours, for mesh programs'),
  stl: t('for printing, one surface'),
  'stl.zip': t('one file for each structure'),
};

/**
 * @param {string} path below Orthanc's root, up to "scene" @param {string} name of the files
 * @returns {HTMLElement} a list of formats to choose from
 */
export function downloadMenu(path, name) {
  const said = h('div', {});
  const list = h('div', { class: 'download-list' });
  /** @param {HTMLButtonElement} button @param {string} suffix */
  const act = async (button, suffix) => {
    button.disabled = true;
    try {
      save(await (await request(`${path}.${suffix}`)).blob(), `${fileName(name)}.${suffix}`);
      said.replaceChildren();
    } catch (error) {
      said.replaceChildren(notice('error', t('The file cannot be made'), /** @type {Error} */ (error).message));
    }
    button.disabled = false;
  };
  /** @param {{Suffix: string, Name: string}} format */
  const row = ({ Suffix, Name }) => {
    const button = h('button', { type: 'button', class: 'download-row', onclick: () => act(button, Suffix) },
      h('strong', {}, Name), h('small', {}, GOOD_FOR[Suffix] ?? ''));
    return button;
  };
  getJson('stl/formats').then((formats) => list.replaceChildren(...formats.map(row)),
    (error) => list.replaceChildren(notice('error', t('The formats cannot be listed'), error.message)));
  return h('div', { class: 'download-menu' }, list, said);
}

/** The same, folded behind a button. @param {string} path @param {string} name */
export function downloadFold(path, name) {
  const fold = h('details', { class: 'downloads' }, h('summary', { class: 'button' }, icon('download'), t('Download')));
  fold.addEventListener('toggle', () => {
    if (fold.open && fold.children.length === 1) fold.append(downloadMenu(path, name));
  });
  return fold;
}
