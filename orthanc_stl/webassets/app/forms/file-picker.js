/** A place to drop one file on, or to choose it. */

import { h, icon } from '../shared/dom.js';
import { bytes } from '../shared/format.js';

export class FilePicker {
  /** @param {string} label "an STL file" @param {string} accept as of an input @param {(file: File) => void} onFile */
  constructor(label, accept, onFile) {
    this.onFile = onFile;
    this.file = null;
    this.input = h('input', { type: 'file', accept, class: 'visually-hidden', 'aria-label': label, onchange: () => this.input.files[0] && this.take(this.input.files[0]) });
    this.text = h('span', { class: 'drop-text' }, h('strong', {}, `Choose ${label}`), h('span', {}, 'or drop it here'));
    this.element = h('label', { class: 'drop' }, this.input, icon('upload'), this.text);
    for (const type of ['dragenter', 'dragover']) this.element.addEventListener(type, (event) => this.#over(event, true));
    this.element.addEventListener('dragleave', (event) => this.#over(event, false));
    this.element.addEventListener('drop', (event) => {
      this.#over(event, false);
      const [file] = event.dataTransfer.files;
      if (file && !this.input.matches(':disabled')) this.take(file);
    });
  }

  #over(event, on) {
    event.preventDefault();
    this.element.classList.toggle('over', on);
  }

  /** @param {File} file */
  take(file) {
    this.show(file);
    this.onFile(file);
  }

  /** @param {File} file that is chosen already */
  show(file) {
    this.file = file;
    this.element.classList.add('filled');
    this.text.replaceChildren(h('strong', {}, file.name), h('span', {}, bytes(file.size)));
  }
}
