/** Where a model lies: in a place of its own, or in the coordinates of images of the study. */

import { getJson } from '../shared/api.js';
import { h } from '../shared/dom.js';
import { field } from './options.js';
import { t } from '../shared/language.js';
import { knownSources } from '../shared/sources.js';

const OWN = ['', t('on its own, beside no images')];

export class FrameChoice {
  /** @param {string} study Orthanc's id */
  constructor(study) {
    this.select = h('select', { name: 'frame', autocomplete: 'off' }, h('option', { value: OWN[0] }, OWN[1]));
    this.element = h('div', { hidden: true }, field(t('The model lies'), this.select,
      t('If it was made from images of this study, in their millimetres, it is shown over them.')));
    this.ready = this.#fill(study).catch(() => {}); // without the list the model lies on its own, as the field says
  }

  /** @param {string} study */
  async #fill(study) {
    /** @type {[any[], import('../shared/sources.js').Sources]} */
    const [series, { shownModalities }] = await Promise.all([
      getJson(`studies/${encodeURIComponent(study)}/series`), knownSources()]);
    const frames = new Map();
    const images = series.filter(({ MainDicomTags: { Modality } }) => shownModalities.includes(Modality));
    await Promise.all(images.map(async ({ Instances, MainDicomTags }) => {
      const { Modality, SeriesDescription, SeriesNumber } = MainDicomTags;
      const tags = await getJson(`instances/${Instances[0]}/simplified-tags`);
      const uid = tags.FrameOfReferenceUID;
      const name = [Modality, SeriesDescription || `series ${SeriesNumber ?? ''}`.trim()].join(' ');
      if (uid) frames.set(uid, [...(frames.get(uid) ?? []), name]);
    }));
    for (const [uid, names] of frames) this.select.append(h('option', { value: uid },
      t('in the coordinates of {names}', { names: `${names.slice(0, 3).join(', ')}${names.length > 3 ? ' …' : ''}` })));
    this.element.hidden = frames.size === 0;
  }

  /** @returns {string} the UID of the frame of reference that was chosen; empty for one of its own */
  get uid() {
    return this.select.value;
  }
}
