/** NIfTI and Nexus files into a study. */

import { bodyWithFile, postJson } from '../shared/api.js';
import { h, notice } from '../shared/dom.js';
import { FilePicker } from './file-picker.js';
import { field, NotYet, SurfaceOptions, WorkForm } from './work-form.js';

const uploading = (progress, then) => (fraction) => progress.show(fraction < 1 ? fraction : null, fraction < 1 ? 'uploading' : then);

/** @param {File} file @param {number} length @returns {Promise<Uint8Array>} its first bytes */
const beginning = async (file, length) => new Uint8Array(await file.slice(0, length).arrayBuffer());

export class NiftiForm extends WorkForm {
  /** @param {string} study @param {{onDone: (answer: any) => void, onJob?: (uuid: string) => void}} listeners */
  constructor(study, { onDone, onJob = () => {} }) {
    super('Generate', onDone);
    this.study = study;
    this.onJob = onJob;
    this.picker = new FilePicker('a NIfTI file (.nii or .nii.gz)', '.nii,.nii.gz,.gz', (file) => this.check(file));
    this.options = new SurfaceOptions();
    this.fields.append(this.picker.element, this.options.element);
    this.submitButton.disabled = true;
  }

  async check(file) {
    const head = await beginning(file, 352);
    const length = head.length >= 4 ? new DataView(head.buffer).getInt32(0, true) : 0;
    const compressed = head[0] === 0x1f && head[1] === 0x8b;
    const good = compressed || [348, 540].includes(length) || [348, 540].includes(swap(length));
    this.submitButton.disabled = !good;
    this.say(good ? null : notice('error', 'This file cannot be used', 'It does not begin as a NIfTI file does (NIfTI-1 or -2, plain or gzip).'));
  }

  async work(progress) {
    if (!this.picker.file) throw new NotYet('Choose a NIfTI file first.');
    progress.show(null, 'preparing the file');
    const body = await bodyWithFile('Nifti', 'data:application/octet-stream;base64,', this.picker.file,
      { ParentStudy: this.study, ...this.options.values, Asynchronous: true });
    progress.signal.throwIfAborted();
    const { ID } = await postJson('stl/encode-nifti', body, { signal: progress.signal, onProgress: uploading(progress, 'waiting for its turn') });
    this.onJob(ID);
    return this.await(ID, progress);
  }
}

const swap = (value) => {
  const view = new DataView(new ArrayBuffer(4));
  view.setInt32(0, value, true);
  return view.getInt32(0, false);
};

/** The first bytes of each Nexus file. */
const NEXUS_MAGIC = [0x20, 0x73, 0x78, 0x4e];

export class NexusForm extends WorkForm {
  /** @param {string} study @param {(answer: any) => void} onDone */
  constructor(study, onDone) {
    super('Import', onDone);
    this.study = study;
    this.picker = new FilePicker('a Nexus file (.nxs or .nxz)', '.nxs,.nxz', (file) => this.check(file));
    this.description = h('input', { type: 'text', maxlength: 64, value: 'Imported Nexus', name: 'description' });
    this.fields.append(this.picker.element, field('Series description', this.description));
    this.submitButton.disabled = true;
  }

  async check(file) {
    const head = await beginning(file, 4);
    const good = NEXUS_MAGIC.every((byte, i) => head[i] === byte);
    this.submitButton.disabled = !good;
    this.say(good ? null : notice('error', 'This file cannot be attached', 'It is not a Nexus model: it does not begin as .nxs and .nxz files do.'));
  }

  async work(progress) {
    if (!this.picker.file) throw new NotYet('Choose a Nexus file first.');
    progress.show(null, 'preparing the file');
    const body = await bodyWithFile('Content', '', this.picker.file, { Tags: { SeriesDescription: this.description.value.trim() }, Parent: this.study });
    progress.signal.throwIfAborted();
    return postJson('stl/create-nexus', body, { signal: progress.signal, onProgress: uploading(progress, 'checking and storing') });
  }
}
