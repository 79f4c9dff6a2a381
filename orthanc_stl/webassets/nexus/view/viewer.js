/** The page of a Nexus model: its window, what is known about it, and words for what goes wrong. */

import { h, notice } from '../../app/shared/dom.js';
import { bytes, count, date, person } from '../../app/shared/format.js';
import { getJson, RequestFailed } from '../../app/shared/api.js';
import { t } from '../../app/shared/language.js';
import { NexusError } from '../decoder/errors.js';
import { NexusStage } from './stage.js';
import { NexusTools } from './bars.js';

/** @typedef {import('../stream/model.js').NexusModel} NexusModel */

export class Viewer {
  progress = h('progress', { 'aria-label': t('Loading the model') });

  loading = h('div', { class: 'centre loading' }, h('div', { class: 'loading-box' }, this.progress,
    h('p', { role: 'status' }, `${t('Loading the model')} …`)));

  name = t('Nexus model');

  /** Of which patient and study it is. */
  about = '';

  title = h('h1', {}, this.name);

  aboutLine = h('p', { class: 'about' });

  shown = h('dd');

  received = h('dd');

  detail = h('dd');

  busy = h('progress', { class: 'busy', 'aria-hidden': 'true' });

  /** @type {NexusStage | null} */
  stage = null;

  /** @type {NexusTools | null} */
  tools = null;

  /** @param {HTMLElement} root @param {{tools: 'few' | 'all', instance?: string | null}} options */
  constructor(root, { tools, instance = null }) {
    this.root = root;
    this.which = tools;
    this.instance = instance;
    root.dataset.state = 'loading';
    root.replaceChildren(this.loading);
  }

  /** Instead of the model, a sentence. @param {string} title @param {string} message */
  fail(title, message) {
    this.root.dataset.state = 'error';
    this.root.replaceChildren(h('div', { class: 'centre' }, notice('error', title, message)));
  }

  /** @param {unknown} error @returns {boolean} whether it could be put in words */
  failBy(error) {
    if (!(error instanceof RequestFailed || error instanceof NexusError)) return false;
    this.fail(t('The model cannot be shown'), error.message);
    return true;
  }

  /** @returns {NexusStage | null} null, and a sentence on the page, where the browser cannot show 3D */
  makeStage() {
    try {
      this.stage = new NexusStage(this.root);
    } catch {
      this.fail(t('This browser cannot show 3D'),
        t('WebGL 2 is missing or switched off, perhaps by a graphics driver or a remote desktop.'));
      return null;
    }
    this.stage.canvas.addEventListener('webglcontextlost', () => this.fail(t('The graphics card gave up'),
      t('It may have run out of memory. Reload the page to try again.')));
    return this.stage;
  }

  /** @param {NexusStage} stage @param {NexusModel} model */
  show(stage, model) {
    model.addEventListener('trouble', (event) =>
      this.#trouble(model, /** @type {CustomEvent<{sentence: string, fatal: boolean}>} */ (event).detail));
    stage.onFrame.push(() => this.#follow(stage, model));
    stage.show(model);
  }

  /** With the first part on the screen come the tools. @param {NexusStage} stage @param {NexusModel} model */
  #begin(stage, model) {
    performance.mark('nexus-coarse', { detail: model.source.received });
    this.loading.remove();
    this.root.dataset.state = 'coarse';
    stage.goHome(false);
    this.tools = new NexusTools(stage, this.root, this.which, () => [this.name, this.about].filter(Boolean));
    this.root.append(h('header', { class: 'card' }, this.title, this.aboutLine,
      h('dl', { class: 'facts' }, h('dt', {}, t('Shown')), this.shown, h('dt', {}, t('Loaded')), this.received,
        h('dt', {}, t('Detail')), this.detail), this.busy));
    this.#nameIt();
  }

  /** @param {NexusStage} stage @param {NexusModel} model */
  #follow(stage, model) {
    const { root } = this;
    if (root.dataset.state === 'error') return;
    if (root.dataset.state === 'loading' && model.loaded.size > 0) this.#begin(stage, model);
    if (root.dataset.state === 'loading') return;
    if (model.complete && root.dataset.state !== 'complete') {
      performance.mark('nexus-complete', { detail: model.source.received });
    }
    root.dataset.state = model.complete ? 'complete' : 'coarse';
    this.shown.textContent = t(model.header.attributes.index ? '{count} triangles' : '{count} points',
      { count: count(model.drawn) });
    this.received.textContent = t('{part} of {whole}',
      { part: bytes(model.source.received), whole: bytes(model.source.size) });
    this.detail.textContent = !model.complete ? t('getting finer …')
      : model.full ? t('as fine as memory allows') : t('fine');
    this.busy.hidden = model.complete;
  }

  /** From the series of the instance; nothing is lost where that may not be read. */
  async #nameIt() {
    if (!this.instance) return;
    try {
      const [series, study] = await Promise.all(
        ['series', 'study'].map((level) => getJson(`instances/${this.instance}/${level}`)));
      const { PatientMainDicomTags: patient = {}, MainDicomTags: tags = {} } = study;
      this.name = series.MainDicomTags.SeriesDescription || this.name;
      this.about = [person(patient.PatientName ?? ''), patient.PatientID, tags.StudyDescription,
        date(tags.StudyDate ?? '')].filter(Boolean).join(' · ');
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
    }
    this.title.textContent = this.name;
    this.aboutLine.textContent = this.about;
    document.title = `${this.name} · 3D model`;
  }

  /** @param {NexusModel} model @param {{sentence: string, fatal: boolean}} trouble */
  #trouble(model, { sentence, fatal }) {
    if (fatal) {
      this.fail(t('The model cannot be shown'), sentence);
      return;
    }
    this.root.querySelector('.toast')?.remove();
    const again = h('button', { type: 'button', class: 'chip', onclick: () => {
      toast.remove();
      model.retry();
    } }, t('Try again'));
    const toast = h('div', { class: 'toast' }, notice('warning', t('A part of the model is missing'), sentence, again));
    this.root.append(toast);
  }
}
