/** From a source to models: choose structures, then let the server work. */

import { getJson, postJson } from '../shared/api.js';
import { h, icon, notice } from '../shared/dom.js';
import { count, volume } from '../shared/format.js';
import { Choice, field, SurfaceOptions } from './options.js';
import { StructureList } from './structures.js';
import { NotYet, WorkForm } from './work-form.js';
import { t } from '../shared/language.js';

const text = (name) => h('input', { type: 'text', maxlength: 64, name, autocomplete: 'off' });

export class GenerateForm extends WorkForm {
  /** @param {{onDone: (answer: any) => void, onJob?: (uuid: string) => void}} listeners */
  constructor({ onDone, onJob = () => {} }) {
    super(t('Generate'), onDone);
    this.onJob = onJob;
    this.content = h('div', { class: 'generate-fields' });
    this.fields.append(this.content);
    this.submitButton.disabled = true;
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

  /** @param {import('./sources.js').Source} source @param {object[]} structures as the server lists them */
  show(source, structures) {
    this.source = source;
    this.list = null;
    // Images without a preset have one structure only: what the threshold says.
    this.byThreshold = source.kind.threshold && !structures.some(({ Usable }) => Usable);
    this.options = new SurfaceOptions(source.kind);
    this.separate = new Choice(t('Models'), [['each', t('One model for each')], ['one', t('One model of all')]], () => this.changed());
    this.name = text('model-name');
    this.nameField = field(t('Name of the model'), this.name, t('Empty: the names of its structures.'));
    this.description = text('description');
    this.description.value = source.name;
    this.options.more.querySelector('.options').append(field(t('Series description'), this.description,
      t('How Orthanc lists the new series. Empty: as the structures are called.')));
    this.several = h('div', { class: 'options' }, h('div', { class: 'field' },
      h('span', { class: 'field-label' }, t('Several structures become')), this.separate.element), this.nameField);
    this.options.threshold?.addEventListener('input', () => this.changed());
    this.list = new StructureList(this.byThreshold ? [] : structures, () => this.changed());
    this.content.replaceChildren(...[this.#look(structures), this.byThreshold ? null : this.list.element, this.several,
      this.options.element].filter(Boolean));
    this.changed();
    if (!this.byThreshold && !this.list.usable.length) this.say(notice('warning',
      t('None of the structures can become a model'), t('Each of them says above why.')));
  }

  #look(structures) {
    if (!this.source.scene || !structures.some(({ Usable }) => Usable)) return null;
    return h('a', { class: 'look', href: this.source.scene, target: '_blank', rel: 'noopener' }, icon('cube'),
      h('span', {}, h('strong', {}, t('Look at all structures at once')),
        h('small', {}, t('In the 3D viewer. Nothing is stored.'))));
  }

  get #hasThreshold() {
    return Boolean(this.options.threshold?.value);
  }

  changed() {
    if (!this.list) return;
    const chosen = this.list.chosenStructures;
    this.submitButton.disabled = !chosen.length && !this.#hasThreshold;
    this.several.hidden = this.list.usable.length < 2 || this.#hasThreshold;
    this.nameField.hidden = this.separate.value === 'each';
    const sides = chosen.flatMap(({ Extent: box }) => (box ? box[1].map((high, i) => high - box[0][i]) : []));
    this.options.describe(sides.length ? Math.max(...sides) : null);
  }

  /** After a result: no tick is left over for the next one. */
  clear() {
    this.list?.tick([]);
    this.name && (this.name.value = '');
    this.say(null);
  }

  /** @returns {object} the fields of POST /stl/encode */
  get request() {
    const fields = { ...this.options.values, Asynchronous: true };
    if (this.#hasThreshold && !this.source.name) return this.#described(fields); // of images: the threshold is all
    if (this.#hasThreshold) return this.#described({ ...fields, All: true });
    const one = this.separate.value === 'one';
    fields.Structures = this.list.chosen;
    if (!one && fields.Structures.length > 1) fields.Separate = true;
    if (one && this.name.value.trim()) fields.Name = this.name.value.trim();
    return this.#described(fields);
  }

  #described(fields) {
    const description = this.description.value.trim();
    return description ? { ...fields, Tags: { SeriesDescription: description } } : fields;
  }

  async work(progress) {
    if (this.submitButton.disabled) throw new NotYet('Tick at least one structure.');
    progress.show(null, 'asking the server');
    const body = await this.source.body(this.request);
    progress.signal.throwIfAborted();
    const onProgress = body instanceof Blob ? uploading(progress, 'waiting for its turn') : undefined;
    const { ID } = await postJson(this.source.route ?? 'stl/encode', body, { signal: progress.signal, onProgress });
    this.onJob(ID);
    return this.await(ID, progress);
  }

  /** The answer, with the colours that the list has: so that the result can be told apart. */
  async await(uuid, progress) {
    const answer = await super.await(uuid, progress);
    const colors = new Map(this.list?.rows.map(({ structure }) => [structure.Number, structure.Color]) ?? []);
    for (const model of answer.Models ?? []) model.Color ??= colors.get(model.Number) ?? null;
    return answer;
  }
}

/** @param {any} progress of a form @param {string} then what comes after the upload */
export const uploading = (progress, then) => (fraction) => progress.show(fraction < 1 ? fraction : null,
  fraction < 1 ? 'uploading' : then);

/** What to tell of a model that was made. @param {any} answer @returns {string} */
export const resultLine = (answer) => [answer.Triangles && t('{count} triangles', { count: count(answer.Triangles) }),
  typeof answer.VolumeMl === 'number' && volume(answer.VolumeMl * 1000)].filter(Boolean).join(', ');

/** A line in place of a form while it is being fetched. */
export const waiting = (words) => h('p', { class: 'waiting', role: 'status' }, words);

/** @param {string} id of an instance @returns {Promise<any>} what is known of a model that somebody else made */
export async function answerOf(id) {
  const path = `instances/${encodeURIComponent(id)}`;
  const [{ ParentSeries }, info] = await Promise.all([getJson(path), getJson(`${path}/stl/info`).catch(() => ({}))]);
  return { ID: id, ParentSeries, Triangles: info.Triangles, VolumeMl: info.VolumeMl, Warnings: info.Warnings ?? [],
    Notes: info.Notes ?? [] };
}
