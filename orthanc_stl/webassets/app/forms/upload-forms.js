/** Files of volumes, of structures and of Nexus models into a study. */

import { bodyWithFile, postJson, RequestFailed } from '../shared/api.js';
import { h, notice } from '../shared/dom.js';
import { FilePicker } from './file-picker.js';
import { GenerateForm, uploading, waiting } from './generate-form.js';
import { field } from './options.js';
import { beginning, isGzip, isNexus, isNifti } from './recognise.js';
import { fileSource, stem } from './sources.js';
import { NotYet, WorkForm } from './work-form.js';
import { t } from '../shared/language.js';

/** Files of structures or of voxels: what is in them is listed, then models are made of it. */
export class FileForm extends GenerateForm {
  /**
   * @param {string} study
   * @param {ConstructorParameters<typeof GenerateForm>[0]} listeners
   * @param {string} [label] of files
   * @param {string} [accept]
   */
  constructor(study, listeners, label = 'a file with structures', accept = '') {
    super(listeners);
    this.study = study;
    this.picker = new FilePicker(label, accept, (file, files) => this.check(file, files), true);
    this.fields.prepend(this.picker.element);
  }

  /** @param {File} file @returns {Promise<string>} why it is refused before any upload; empty if it is not */
  async refusal(file) { // eslint-disable-line no-unused-vars
    return '';
  }

  /** @param {File} file @param {File[]} files of which it is the first */
  async check(file, files = [file]) {
    this.empty();
    const reason = await this.refusal(file);
    if (reason) return void this.say(notice('error', t('This file cannot be used'), reason));
    this.say(waiting(t(files.length > 1 ? 'Looking for structures in the files …'
      : 'Looking for structures in the file …')));
    const source = fileSource(files, this.study);
    try {
      const structures = await source.list({});
      if (this.picker.file !== file) return undefined;
      this.say(null);
      const list = this.show(source, structures);
      list.tick(list.usable.map(({ structure }) => structure.Number));
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      if (this.picker.file === file) {
        this.say(notice('error', t('This file cannot be used'), error.message));
      }
    }
    return undefined;
  }
}

export class NiftiForm extends FileForm {
  /** @param {string} study @param {ConstructorParameters<typeof GenerateForm>[0]} listeners */
  constructor(study, listeners) {
    super(study, listeners, 'a NIfTI file (.nii or .nii.gz)', '.nii,.nii.gz,.gz');
  }

  /** @param {File} file */
  async refusal(file) {
    const head = await beginning(file, 352);
    return isNifti(head) || isGzip(head) ? ''
      : t('It does not begin as a NIfTI file does (NIfTI-1 or -2, plain or gzip).');
  }
}

export class NexusForm extends WorkForm {
  /** @param {string} study @param {(answer: any) => void} onDone */
  constructor(study, onDone) {
    super(t('Import'), onDone);
    this.study = study;
    this.picker = new FilePicker('a Nexus file (.nxs or .nxz)', '.nxs,.nxz', (file) => this.check(file));
    this.description = h('input', { type: 'text', maxlength: 64, value: 'Imported Nexus', name: 'description' });
    this.fields.append(this.picker.element, field(t('Series description'), this.description));
    this.submitButton.disabled = true;
  }

  /** @param {File} file */
  async check(file) {
    const head = await beginning(file, 4);
    const good = isNexus(head);
    this.description.value = stem(file.name);
    this.submitButton.disabled = !good;
    this.say(good ? null : notice('error', t('This file cannot be attached'),
      t('It is not a Nexus model: it does not begin as .nxs and .nxz files do.')));
  }

  /** @param {import('./work-form.js').Progress} progress */
  async work(progress) {
    if (!this.picker.file) throw new NotYet('Choose a Nexus file first.');
    progress.show(null, 'preparing the file');
    const tags = { SeriesDescription: this.description.value.trim() };
    const body = await bodyWithFile('Content', '', this.picker.file, { Tags: tags, Parent: this.study });
    progress.signal.throwIfAborted();
    return postJson('stl/create-nexus', body,
      { signal: progress.signal, onProgress: uploading(progress, 'checking and storing') });
  }
}
