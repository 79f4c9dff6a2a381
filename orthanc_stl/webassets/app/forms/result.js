/** Models that were just made: in their viewer, with what is to be known, as files, or thrown away again. */

import { authorization, orthancUrl, pageUrl, request } from '../shared/api.js';
import { checkTable } from '../shared/check-table.js';
import { h, icon, notice } from '../shared/dom.js';
import { volume } from '../shared/format.js';
import { downloadFold } from './downloads.js';
import { resultLine, waiting } from './generate-form.js';
import { notesView } from './notes.js';
import { t } from '../shared/language.js';

/** Each kind of model has its viewers, the first one for the preview: name and address.
 * @type {Record<string, (answer: any) => [string, string][]>} */
const VIEWERS = {
  stl: ({ ID: id, ParentSeries: series, Models = [] }) => (Models.length > 1
    ? [[t('Open the viewer'), pageUrl('three.html', { series })]]
    : [[t('Open the viewer'), pageUrl('three.html', { instance: id })],
      ['Online3DViewer', pageUrl('o3dv.html', { instance: id })]]),
  nexus: ({ ID: id }) => [[t('Open the viewer'), pageUrl('../nexus/threejs.html',
    { model: `../../instances/${id}/nexus` })],
  ['3DHOP', pageUrl('../3dhop/3DHOP_all_tools.html', { instance: id })]],
};

/**
 * @param {{kind: 'stl' | 'nexus', answer: any, headline: string, again: [string, () => void],
 *   onDiscarded?: () => void}} what
 */
export function resultView({ kind, answer, headline, again, onDiscarded }) {
  const viewers = VIEWERS[kind](answer);
  /** @type {HTMLElement[]} */
  const links = viewers.map(([name, href], i) => h('a', { class: i === 0 ? 'button primary' : 'button', href,
    target: '_blank', rel: 'noopener' }, name));
  if (answer.ParentSeries && !('Authorization' in authorization())) links.push(h('a', { class: 'button',
    href: orthancUrl(`app/explorer.html#series?uuid=${answer.ParentSeries}`) }, t('Show in Orthanc Explorer')));
  links.push(h('button', { type: 'button', class: 'button', onclick: again[1] }, again[0]));
  const said = h('div', { class: 'form-message' });
  const several = (answer.Models?.length ?? 0) > 1;
  const facts = several ? '' : resultLine(answer);
  return h('section', { class: 'result' }, h('div', { class: 'result-text' }, h('h2', { tabindex: '-1' }, headline),
    facts ? h('p', { class: 'about' }, facts) : null, several ? modelTable(answer.Models) : null, notesView(answer),
    h('div', { class: 'result-links' }, ...links), kind === 'stl' ? downloadFold(scenePath(answer), nameOf(answer))
      : null,
    kind === 'stl' ? checkFold(answer) : null,
    onDiscarded ? discardButton(answer, said, onDiscarded) : null, said),
  h('iframe', { class: 'preview', src: viewers[0][1], title: t('Preview of the model'), allow: 'fullscreen' }));
}

/** The print check of each model, made when it is unfolded. @param {any} answer */
function checkFold({ ID, Models = [] }) {
  const fold = h('details', { class: 'check-fold' }, h('summary', {}, t('Print check')));
  fold.addEventListener('toggle', async () => {
    if (!fold.open || fold.children.length > 1) return;
    for (const { ID: id, Name: name } of Models.length ? Models : [{ ID, Name: '' }]) {
      if (Models.length > 1) fold.append(h('h3', { dir: 'auto' }, name));
      const place = waiting(t('Checking …'));
      fold.append(place);
      place.replaceWith(await checkTable(`instances/${encodeURIComponent(id)}/stl/print-check`)
        .catch((error) => notice('error', t('The print check cannot be made'), error.message)));
    }
  });
  return fold;
}

/** @param {any} answer */
const scenePath = ({ ID, ParentSeries, Models = [] }) => (Models.length > 1 ? `series/${ParentSeries}/stl/scene`
  : `instances/${ID}/stl/scene`);

/** @param {any} answer */
const nameOf = ({ Models = [] }) => (Models.length === 1 && Models[0].Name ? Models[0].Name : 'models');

/** @param {any[]} models */
function modelTable(models) {
  return h('ul', { class: 'made', 'aria-label': t('The models') }, ...models.map(({ ID, Name, Color, VolumeMl }) => {
    const swatch = h('span', { class: 'swatch' });
    if (Color) swatch.style.background = `rgb(${Color.join(',')})`;
    return h('li', {}, h('a', { class: 'made-row', href: pageUrl('three.html', { instance: ID }), target: '_blank',
      rel: 'noopener' }, swatch, h('span', { class: 'structure-name', dir: 'auto' }, Name),
    h('span', { class: 'structure-note' }, typeof VolumeMl === 'number' ? volume(VolumeMl * 1000) : '')));
  }));
}

/** @param {any} answer @param {HTMLElement} said @param {() => void} onDiscarded */
function discardButton(answer, said, onDiscarded) {
  /** @type {string[]} */
  const instances = answer.Models?.length ? answer.Models.map((/** @type {any} */ { ID }) => ID) : [answer.ID];
  const button = h('button', { type: 'button', class: 'button discard', onclick: async () => {
    button.disabled = true;
    try {
      for (const id of instances) await request(`instances/${encodeURIComponent(id)}`, { method: 'DELETE' });
      onDiscarded();
    } catch (error) {
      button.disabled = false;
      said.replaceChildren(notice('error', t('It could not be discarded'), /** @type {Error} */ (error).message));
    }
  } }, icon('trash'), instances.length === 1 ? t('Discard this model')
    : t('Discard these {count} models', { count: instances.length }));
  return button;
}
