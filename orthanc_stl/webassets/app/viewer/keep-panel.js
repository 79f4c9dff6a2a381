/** The panel for downloads and for storing. */

import { pageUrl } from '../shared/api.js';
import { h, notice } from '../shared/dom.js';
import { counted, t } from '../shared/language.js';
import { downloadScene, formats, storeParts } from './keep.js';

/**
 * @param {import('./app.js').App} app
 * @returns {{element: HTMLElement, fill: () => void}} `fill`: when it is first opened
 */
export function keepPanel(app) {
  const { catalogue } = app;
  const said = h('div', { class: 'keep-said', role: 'status' });
  const chosen = () => {
    const { own, before } = app.parts;
    const shown = own.filter((part) => part.visible && part.state !== 'failed');
    if (shown.length) return shown;
    throw new Error(t(before.size ? 'Only the preview is shown: "Prepare" stores and downloads it.'
      : 'Nothing is shown: show in the list of parts what you want.'));
  };
  const guard = (/** @type {() => Promise<void>} */ act) => async () => {
    try {
      await act();
    } catch (error) {
      said.replaceChildren(notice('error', '', /** @type {Error} */ (error).message));
    }
  };
  const store = guard(async () => {
    const answer = await storeParts(/** @type {string} */ (catalogue.source), chosen(), (fraction, step) => {
      said.textContent = `${t(step)} … ${Math.round(fraction * 100)} %`;
    });
    said.replaceChildren(h('p', {}, counted(answer.Models?.length ?? 1, '1 model was stored.',
      '{count} models were stored.')),
      h('a', { class: 'button', href: pageUrl('three.html', { series: answer.ParentSeries }) },
        t('Open the stored models')));
  });
  const files = h('div', { class: 'row wrap' });
  let asked = false;
  const fill = () => {
    if (asked) return;
    asked = true;
    formats(catalogue).then((list) => files.replaceChildren(...list.map(({ Suffix: suffix, Name: name }) =>
      h('button', { type: 'button', class: 'chip', title: name,
        onclick: guard(() => downloadScene(catalogue, chosen(), suffix)) }, suffix))));
  };
  const element = h('div', { class: 'keep-body' },
    h('p', { class: 'about' }, catalogue.distanceTo ? catalogue.title
      : t('What is shown now is taken: hide what you do not need.')),
    catalogue.source ? h('button', { type: 'button', class: 'button primary', onclick: store },
      t('Store the shown ones as models')) : null,
    files, said);
  return { element, fill };
}
