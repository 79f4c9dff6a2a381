/** The list of an RT-STRUCT's structures, to tick. */

import { h, icon } from '../shared/dom.js';
import { plural, size } from '../shared/format.js';

/** With more structures than this one gets a field to search in. */
const MANY = 10;

export class StructureList {
  /** @param {object[]} structures as GET /instances/{id}/stl/structures gives them @param {() => void} onChange */
  constructor(structures, onChange) {
    this.onChange = onChange;
    this.rows = structures.map((structure) => this.#row(structure));
    this.usable = this.rows.filter(({ structure }) => structure.Usable);
    this.summary = h('span', { role: 'status' });
    const all = h('button', { type: 'button', class: 'link', onclick: () => this.#tickAll() }, 'All');
    const none = h('button', { type: 'button', class: 'link', onclick: () => this.#tickNone() }, 'None');
    this.list = h('div', { class: 'structures', role: 'group', 'aria-label': 'Structures' }, ...this.rows.map(({ element }) => element));
    this.nothing = h('p', { class: 'structures-nothing', hidden: true }, 'No structure has such a name.');
    this.list.append(this.nothing);
    this.element = h('div', { class: 'structure-list' },
      h('div', { class: 'structure-head' }, h('span', { class: 'field-label' }, 'Structures'), this.summary, h('span', { class: 'grow' }), all, none),
      structures.length > MANY ? this.#searchField() : null, this.list);
    if (this.usable.length === 1) this.usable[0].input.checked = true;
    this.#changed();
  }

  #searchField() {
    return h('input', { type: 'search', placeholder: 'Search a structure', 'aria-label': 'Search a structure', class: 'search',
      oninput: (event) => this.#filter(event.target.value.trim().toLowerCase()),
      onkeydown: (event) => event.key === 'Enter' && event.preventDefault() });
  }

  #row(structure) {
    const input = h('input', { type: 'checkbox', disabled: !structure.Usable, value: structure.Number, onchange: () => this.#changed() });
    const swatch = h('span', { class: 'swatch' });
    if (structure.Color) swatch.style.background = `rgb(${structure.Color.join(',')})`;
    const skipped = structure.Usable && structure.SkippedContours
      ? h('span', { class: 'skipped', title: structure.Skipped.slice(0, 20).join('\n') }, icon('warning'), `${plural(structure.SkippedContours, 'contour')} skipped`) : null;
    const element = h('label', { class: structure.Usable ? 'structure' : 'structure unusable' }, input, swatch,
      h('span', { class: 'structure-text' }, h('span', { class: 'structure-name' }, structure.Name || `(ROI ${structure.Number}, without a name)`),
        h('span', { class: 'structure-note' }, structure.Usable ? usableNote(structure) : `Not possible: ${structure.Reason}`, skipped)));
    return { structure, input, element };
  }

  #filter(words) {
    let shown = 0;
    for (const { structure, element } of this.rows) {
      element.hidden = !structure.Name.toLowerCase().includes(words);
      shown += element.hidden ? 0 : 1;
    }
    this.nothing.hidden = shown > 0;
  }

  /** What is hidden by the search is not meant by "All". */
  #tickAll() {
    for (const { input, element } of this.usable) input.checked ||= !element.hidden;
    this.#changed();
  }

  #tickNone() {
    for (const { input } of this.usable) input.checked = false;
    this.#changed();
  }

  /** @returns {number[]} the ROI numbers that are ticked */
  get chosen() {
    return this.usable.filter(({ input }) => input.checked).map(({ structure }) => structure.Number);
  }

  #changed() {
    const number = this.chosen.length;
    this.summary.textContent = number ? `${number} of ${this.rows.length} chosen` : `${plural(this.rows.length, 'structure')}`;
    this.onChange();
  }
}

function usableNote({ Type, Contours, Extent }) {
  const contours = Object.values(Contours).reduce((sum, number) => sum + number, 0);
  const extent = Extent ? size(Extent[1].map((high, i) => high - Extent[0][i])) : null;
  return [Type && Type.toLowerCase(), plural(contours, 'contour'), extent].filter(Boolean).join(' · ');
}
