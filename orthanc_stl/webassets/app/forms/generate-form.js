/** From a source to models: choose structures, then let the server work. */

import { getJson, postJson } from '../shared/api.js';
import { h, icon, notice } from '../shared/dom.js';
import { DEFAULT_RGB, hexOf, rgbOf } from '../shared/color.js';
import { count, volume } from '../shared/format.js';
import { Choice, field, SurfaceOptions } from './options.js';
import { StructureList } from './structures.js';
import { ThresholdPreview } from './threshold-preview.js';
import { NotYet, WorkForm } from './work-form.js';
import { t } from '../shared/language.js';

/** @param {string} name */
const text = (name) => h('input', { type: 'text', maxlength: 64, name, autocomplete: 'off' });

/** What can be chosen once the structures of a source are known. */
class Choices {
  /** @param {import('./sources.js').Source} source @param {any[]} structures @param {() => void} onChange */
  constructor(source, structures, onChange) {
    this.source = source;
    this.onChange = onChange;
    // Images without a preset have one structure only: what the threshold says.
    this.byThreshold = source.kind.threshold && !structures.some(({ Usable }) => Usable);
    this.options = new SurfaceOptions(source.kind);
    this.separate = new Choice(t('Models'), [['each', t('One model for each')],
      ['one', t('One model of all')]], () => this.changed());
    this.name = text('model-name');
    /** As the structures have it, until a person chooses. */
    this.color = h('input', { type: 'color', name: 'model-color', autocomplete: 'off',
      oninput: () => { this.colored = true; } });
    this.colored = false;
    this.looks = h('div', { class: 'options' },
      field(t('Name of the model'), this.name, t('Empty: the names of its structures.')),
      field(t('Colour'), this.color, t('That of the structure, until another one is chosen.')));
    this.description = text('description');
    this.description.value = source.name;
    this.options.moreFields.append(field(t('Series description'), this.description,
      t('How Orthanc lists the new series. Empty: as the structures are called.')));
    this.several = h('div', { class: 'options' }, h('div', { class: 'field' },
      h('span', { class: 'field-label' }, t('Several structures become')), this.separate.element,
      h('p', { class: 'help-text' }, t('Each: parts with names and colours, in one series. All: a single surface.'))));
    this.options.threshold?.addEventListener('input', () => this.changed());
    if (this.options.threshold && source.overview) {
      const { element } = new ThresholdPreview(this.options.threshold, source.overview);
      this.options.threshold.closest('.options')?.after(element);
    }
    this.list = new StructureList(this.byThreshold ? [] : structures);
    this.list.onChange = () => this.changed();
    this.elements = [this.#look(structures), this.byThreshold ? null : this.list.element, this.several,
      this.looks, this.options.element].filter((element) => element !== null);
    this.changed();
  }

  /** @param {any[]} structures */
  #look(structures) {
    if (!this.source.scene || !structures.some(({ Usable }) => Usable)) return null;
    return h('a', { class: 'look', href: this.source.scene, target: '_blank', rel: 'noopener' }, icon('cube'),
      h('span', {}, h('strong', {}, t('Look at all structures at once')),
        h('small', {}, t('In the 3D viewer. Nothing is stored.'))));
  }

  get #hasThreshold() {
    return Boolean(this.options.threshold?.value);
  }

  /** Whether one model is made, which can have a name and a color. */
  get #isOne() {
    return this.#hasThreshold || this.list.chosen.length === 1
      || (this.separate.value === 'one' && this.list.chosen.length > 1);
  }

  /** Whether something can be made of what is chosen. */
  get ready() {
    return this.list.chosen.length > 0 || this.#hasThreshold;
  }

  changed() {
    this.several.hidden = this.list.usable.length < 2 || this.#hasThreshold;
    const chosen = this.list.chosenStructures;
    this.looks.hidden = !this.#isOne;
    if (!this.colored) this.color.value = hexOf((chosen.length === 1 && chosen[0].Color) || DEFAULT_RGB);
    const sides = chosen.flatMap(({ Extent: box }) => (
      box ? box[1].map((/** @type {number} */ high, /** @type {number} */ i) => high - box[0][i]) : []));
    this.options.describe(sides.length ? Math.max(...sides) : null);
    this.onChange();
  }

  /** @returns {object} the fields of POST /stl/encode */
  get request() {
    /** @type {Record<string, any>} */
    const fields = { ...this.options.values, Asynchronous: true, ...this.#looks };
    if (this.#hasThreshold && !this.source.name) return this.#described(fields); // of images: the threshold is all
    if (this.#hasThreshold) return this.#described({ ...fields, All: true });
    fields.Structures = this.list.chosen;
    if (!this.#isOne) fields.Separate = true;
    return this.#described(fields);
  }

  get #looks() {
    const name = this.name.value.trim();
    if (!this.#isOne) return {};
    return { ...(name ? { Name: name } : {}), ...(this.colored ? { Color: rgbOf(this.color.value) } : {}) };
  }

  /** @param {Record<string, any>} fields */
  #described(fields) {
    const description = this.description.value.trim();
    return description ? { ...fields, Tags: { SeriesDescription: description } } : fields;
  }
}

export class GenerateForm extends WorkForm {
  /** @param {{onDone: (answer: any) => void, onJob?: (uuid: string) => void}} listeners */
  constructor({ onDone, onJob = () => {} }) {
    super(t('Generate'), onDone);
    this.onJob = onJob;
    this.content = h('div', { class: 'generate-fields' });
    this.fields.append(this.content);
    this.submitButton.disabled = true;
    /** @type {Choices | null} */
    this.choices = null;
  }

  /**
   * @param {import('./sources.js').Source} source @param {ConstructorParameters<typeof GenerateForm>[0]} listeners
   * @returns {Promise<GenerateForm>}
   */
  static async of(source, listeners) {
    const form = new GenerateForm(listeners);
    form.show(source, await source.list({}));
    return form;
  }

  /**
   * @param {import('./sources.js').Source} source @param {any[]} structures as the server lists them
   * @returns {StructureList}
   */
  show(source, structures) {
    const choices = new Choices(source, structures, () => this.#changed());
    this.choices = choices;
    this.content.replaceChildren(...choices.elements);
    this.#changed();
    if (!choices.byThreshold && !choices.list.usable.length) this.say(notice('warning',
      t('None of the structures can become a model'), t('Each of them says above why.')));
    return choices.list;
  }

  #changed() {
    this.submitButton.disabled = !this.choices?.ready;
  }

  /** Another source is going to be shown. */
  empty() {
    this.choices = null;
    this.content.replaceChildren();
    this.submitButton.disabled = true;
  }

  /** @returns {StructureList | undefined} */
  get list() {
    return this.choices?.list;
  }

  /** After a result: no tick is left over for the next one. */
  clear() {
    this.list?.tick([]);
    if (this.choices) Object.assign(this.choices, { colored: false }).name.value = '';
    this.say(null);
  }

  /** @param {import('./work-form.js').Progress} progress */
  async work(progress) {
    if (!this.choices?.ready) throw new NotYet('Tick at least one structure.');
    progress.show(null, 'asking the server');
    const { source, request } = this.choices;
    const body = await source.body(request);
    progress.signal.throwIfAborted();
    const onProgress = body instanceof Blob ? uploading(progress, 'waiting for its turn') : undefined;
    const { ID } = await postJson(source.route ?? 'stl/encode', body, { signal: progress.signal, onProgress });
    this.onJob(ID);
    return this.await(ID, progress);
  }

  /**
   * The answer, with the colours that the list has: so that the result can be told apart.
   * @param {string} uuid @param {import('./work-form.js').Progress} progress
   */
  async await(uuid, progress) {
    const answer = await super.await(uuid, progress);
    const colors = new Map(this.list?.rows.map(({ structure }) => [structure.Number, structure.Color]) ?? []);
    for (const model of answer.Models ?? []) model.Color ??= colors.get(model.Number) ?? null;
    return answer;
  }
}

/** @param {any} progress of a form @param {string} then what comes after the upload */
export const uploading = (progress, then) => (/** @type {number} */ fraction) => (
  fraction < 1 ? progress.show(fraction, 'uploading') : progress.show(null, then));

/** What to tell of a model that was made. @param {any} answer @returns {string} */
export const resultLine = (answer) => [answer.Triangles && t('{count} triangles', { count: count(answer.Triangles) }),
  typeof answer.VolumeMl === 'number' && volume(answer.VolumeMl * 1000)].filter(Boolean).join(', ');

/** A line in place of a form while it is being fetched. @param {string} words */
export const waiting = (words) => h('p', { class: 'waiting', role: 'status' }, words);

/** @param {string} id of an instance @returns {Promise<any>} what is known of a model that somebody else made */
export async function answerOf(id) {
  const path = `instances/${encodeURIComponent(id)}`;
  const [{ ParentSeries }, info] = await Promise.all([getJson(path), getJson(`${path}/stl/info`).catch(() => ({}))]);
  return { ID: id, ParentSeries, Triangles: info.Triangles, VolumeMl: info.VolumeMl, Notes: info.Notes ?? [] };
}
