/** RT-STRUCT to STL: choose structures, then let the server work. */

import { getJson, postJson } from '../shared/api.js';
import { h, notice } from '../shared/dom.js';
import { count, volume } from '../shared/format.js';
import { StructureList } from './structures.js';
import { checkbox, NotYet, SurfaceOptions, WorkForm } from './work-form.js';

export class GenerateForm extends WorkForm {
  /**
   * @param {string} instance Orthanc's id of the RT-STRUCT instance
   * @param {object[]} structures as the server lists them
   * @param {{onDone: (answer: any) => void, onJob?: (uuid: string) => void}} listeners
   */
  constructor(instance, structures, { onDone, onJob = () => {} }) {
    super('Generate', onDone);
    this.instance = instance;
    this.onJob = onJob;
    this.options = new SurfaceOptions();
    this.endCaps = checkbox('Extend by half a slice at both ends', true);
    this.list = new StructureList(structures, () => { this.submitButton.disabled = this.list?.chosen.length === 0; });
    this.submitButton.disabled = this.list.chosen.length === 0;
    this.endCaps.element.classList.add('whole-line');
    this.options.element.append(this.endCaps.element);
    this.fields.append(this.list.element, this.options.element);
    if (!this.list.usable.length) this.say(notice('warning', 'None of the structures can become a model', 'Each of them says above why.'));
  }

  /** @param {string} instance @param {ConstructorParameters<typeof GenerateForm>[2]} listeners @returns {Promise<GenerateForm>} */
  static async of(instance, listeners) {
    return new GenerateForm(instance, await getJson(`instances/${encodeURIComponent(instance)}/stl/structures`), listeners);
  }

  async work(progress) {
    const numbers = this.list.chosen;
    if (!numbers.length) throw new NotYet('Tick at least one structure.');
    progress.show(null, 'asking the server');
    const body = { Instance: this.instance, RoiNumbers: numbers, ...this.options.values, EndCaps: this.endCaps.input.checked, Asynchronous: true };
    const { ID } = await postJson('stl/encode-rtstruct', JSON.stringify(body), { signal: progress.signal });
    this.onJob(ID);
    return this.await(ID, progress);
  }
}

/** What to tell of a model that was made. @param {any} answer @returns {string} */
export const resultLine = (answer) => [answer.Triangles && `${count(answer.Triangles)} triangles`,
  typeof answer.VolumeMl === 'number' && volume(answer.VolumeMl * 1000)].filter(Boolean).join(', ');

/** A line in place of a form while it is being fetched. */
export const waiting = (text) => h('p', { class: 'waiting', role: 'status' }, text);
