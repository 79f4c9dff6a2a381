/** The structures of a source, as a compact table to tick: what can be made first, the others folded. */

import { h, icon } from '../shared/dom.js';
import { size, volume } from '../shared/format.js';
import { counted, t } from '../shared/language.js';

/** With more structures than this one gets a field to search in. */
const MANY = 10;

/** So many names are written out below the table. */
const NAMED = 8;

export class StructureList {
  /** @param {any[]} structures as GET /instances/{id}/stl/structures gives them */
  constructor(structures) {
    /** What is called when other structures are ticked. */
    this.onChange = () => {};
    this.words = '';
    /** @type {string | null} the only type that is shown */
    this.type = null;
    /** @type {HTMLButtonElement[]} */
    this.chips = [];
    this.rows = structures.map((structure) => this.#row(structure));
    this.usable = this.rows.filter(({ structure }) => structure.Usable);
    this.summary = h('span', { role: 'status' });
    this.names = h('p', { class: 'chosen-names', 'aria-live': 'polite' });
    this.nothing = h('p', { class: 'structures-nothing', hidden: true }, t('No structure has such a name.'));
    this.element = h('div', { class: 'structure-list' }, this.#head(),
      this.usable.length > MANY ? this.#searchField() : null, this.#chips(),
      this.usable.length ? h('div', { class: 'structures', role: 'group', 'aria-label': t('Structures') },
        ...this.usable.map(({ element }) => element), this.nothing) : null,
      this.#folded(), this.names);
    if (this.usable.length === 1) this.usable[0].input.checked = true;
    this.changed();
  }

  #head() {
    const several = this.usable.length > 1;
    const button = (/** @type {string} */ text, /** @type {() => void} */ act) =>
      h('button', { type: 'button', class: 'link', onclick: act }, text);
    return h('div', { class: 'structure-head' }, h('span', { class: 'field-label' }, t('Structures')), this.summary,
      h('span', { class: 'grow' }), several ? button(t('All'), () => this.#tickAll()) : null,
      several ? button(t('None'), () => this.tick([])) : null);
  }

  #searchField() {
    const input = h('input', { type: 'search', placeholder: t('Search a structure'),
      'aria-label': t('Search a structure'), class: 'search', autocomplete: 'off' });
    input.addEventListener('input', () => {
      this.words = input.value.trim().toLowerCase();
      this.#filter();
    });
    input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') event.preventDefault();
    });
    return input;
  }

  /** One chip for each type, where there are several. */
  #chips() {
    const types = new Map();
    for (const { structure } of this.usable) types.set(typeOf(structure), (types.get(typeOf(structure)) ?? 0) + 1);
    if (types.size < 2 || this.usable.length <= MANY) return null;
    this.chips = [...types].map(([type, number]) => {
      const chip = h('button', { type: 'button', class: 'type-chip', 'aria-pressed': 'false',
        onclick: () => this.#choose(type, chip) }, `${type} ${number}`);
      return chip;
    });
    return h('div', { class: 'type-chips', role: 'group', 'aria-label': t('Show only one type') }, ...this.chips);
  }

  /** @param {string} type @param {HTMLButtonElement} chip */
  #choose(type, chip) {
    this.type = this.type === type ? null : type;
    for (const each of this.chips) each.setAttribute('aria-pressed', String(this.type !== null && each === chip));
    this.#filter();
  }

  #folded() {
    const rest = this.rows.filter(({ structure }) => !structure.Usable);
    if (!rest.length) return null;
    return h('details', { class: 'cannot', open: this.usable.length === 0 },
      h('summary', {}, t('{count} cannot be made', { count: rest.length })), h('div', { class: 'structures' },
        ...rest.map(({ element }) => element)));
  }

  /** @param {any} structure */
  #row(structure) {
    const input = h('input', { type: 'checkbox', disabled: !structure.Usable, value: structure.Number,
      autocomplete: 'off', onchange: () => this.changed() });
    const swatch = h('span', { class: 'swatch' });
    if (structure.Color) swatch.style.background = `rgb(${structure.Color.join(',')})`;
    const name = h('span', { class: 'structure-name', dir: 'auto' }, nameOf(structure));
    const cells = structure.Usable ? [skippedNote(structure),
      h('span', { class: 'structure-type' }, structure.Type ? typeOf(structure) : ''),
      h('span', { class: 'structure-note' }, measure(structure))]
      : [h('span', { class: 'structure-note reason' }, t('Not possible: {reason}', { reason: structure.Reason }))];
    const element = h('label', { class: structure.Usable ? 'structure' : 'structure unusable',
      title: nameOf(structure) }, input, swatch, name, ...cells);
    return { structure, input, element };
  }

  #filter() {
    let shown = 0;
    for (const { structure, element } of this.usable) {
      element.hidden = !nameOf(structure).toLowerCase().includes(this.words)
        || (this.type !== null && typeOf(structure) !== this.type);
      shown += element.hidden ? 0 : 1;
    }
    this.nothing.hidden = shown > 0;
  }

  /** What is hidden by the search is not meant by "All". */
  #tickAll() {
    for (const { input, element } of this.usable) input.checked ||= !element.hidden;
    this.changed();
  }

  /** @param {number[]} numbers the structures to tick; all others are not */
  tick(numbers) {
    for (const { input, structure } of this.usable) input.checked = numbers.includes(structure.Number);
    this.changed();
  }

  /** @returns {any[]} the structures that are ticked */
  get chosenStructures() {
    return this.usable.filter(({ input }) => input.checked).map(({ structure }) => structure);
  }

  /** @returns {number[]} the numbers of the structures that are ticked */
  get chosen() {
    return this.chosenStructures.map(({ Number: number }) => number);
  }

  changed() {
    const names = this.chosenStructures.map(nameOf);
    const total = this.usable.length;
    this.summary.textContent = names.length ? t('{number} of {total} chosen', { number: names.length, total })
      : counted(total, '1 structure', '{count} structures');
    const first = names.slice(0, NAMED).join(', ');
    const written = names.length > NAMED
      ? t('{names} and {count} more', { names: first, count: names.length - NAMED }) : first;
    this.names.textContent = names.length && total > 1 ? t('Chosen: {names}', { names: written }) : '';
    this.onChange();
  }
}

/** @param {any} structure @returns {string} */
const nameOf = ({ Name, Number: number }) => Name || t('(structure {number}, without a name)', { number });

/** @param {any} structure @returns {string} its type in plain words */
const typeOf = ({ Type }) => t(Type ? Type.toLowerCase().replaceAll('_', ' ') : 'no type');

/** @param {any} structure */
function skippedNote({ SkippedContours: number, Skipped: sentences }) {
  if (!number) return null;
  return h('span', { class: 'skipped', title: sentences.slice(0, 20).join('\n') }, icon('warning'),
    counted(number, '1 contour skipped', '{count} contours skipped'));
}

/** @param {number} value */
const short = (value) => String(Number(value.toPrecision(4)));

/** How large it is: the volume where it is known, else the box around it. @param {any} structure @returns {string} */
function measure({ VolumeMl, Extent, Threshold, Upper, Lowest, Highest }) {
  if (typeof VolumeMl === 'number') return volume(VolumeMl * 1000);
  if (Extent) return size(Extent[1].map((/** @type {number} */ high, /** @type {number} */ i) => high - Extent[0][i]));
  if (typeof Highest === 'number') return t('values {low} to {high}', { low: short(Lowest), high: short(Highest) });
  if (typeof Threshold === 'number') return t('from {value} HU', { value: Threshold });
  return typeof Upper === 'number' ? t('up to {value} HU', { value: Upper }) : '';
}
