/** A place to drop a file on, or several, or to choose them. */

import { h, icon } from '../shared/dom.js';
import { bytes } from '../shared/format.js';
import { t } from '../shared/language.js';

/** @param {File} file */
const companion = (file) => Number(/\.mtl$/i.test(file.name));

/** By name, and after the others what belongs to one of them. @param {File[]} files */
const inOrder = (files) => files.sort((a, b) => companion(a) - companion(b)
  || a.name.localeCompare(b.name, 'en', { numeric: true }));

export class FilePicker {
  /**
   * @param {string} label "an STL file" @param {string} accept as of an input
   * @param {(file: File, files: File[]) => void} onFile gets the first and all of them
   * @param {boolean} [several] whether more than one may come
   */
  constructor(label, accept, onFile, several = false) {
    this.onFile = onFile;
    this.several = several;
    /** @type {File | null} */
    this.file = null;
    this.input = h('input', { type: 'file', accept, multiple: several, class: 'visually-hidden',
      'aria-label': t(label), onchange: () => this.#took(this.input.files) });
    this.text = h('span', { class: 'drop-text' }, h('strong', {}, t(`Choose ${label}`)),
      h('span', {}, t('or drop it here')));
    this.element = h('label', { class: 'drop' }, this.input, icon('upload'), this.text);
    for (const type of /** @type {const} */ (['dragenter', 'dragover'])) {
      this.element.addEventListener(type, (event) => this.#over(event, true));
    }
    this.element.addEventListener('dragleave', (event) => this.#over(event, false));
    this.element.addEventListener('drop', (event) => {
      this.#over(event, false);
      if (!this.input.matches(':disabled')) this.#took(event.dataTransfer?.files);
    });
  }

  /** @param {DragEvent} event @param {boolean} on */
  #over(event, on) {
    event.preventDefault();
    this.element.classList.toggle('over', on);
  }

  /** @param {FileList | null | undefined} list */
  #took(list) {
    const files = inOrder([...(list ?? [])]).slice(0, this.several ? undefined : 1);
    if (files.length) this.take(files);
  }

  /** @param {File[]} files */
  take(files) {
    this.show(files);
    this.onFile(files[0], files);
  }

  /** @param {File[]} files that are chosen already */
  show(files) {
    [this.file] = files;
    this.element.classList.add('filled');
    this.text.replaceChildren(h('strong', {}, files.length > 1
      ? t('{count} files', { count: files.length }) : files[0].name),
      h('span', {}, bytes(files.reduce((sum, file) => sum + file.size, 0))));
  }
}
