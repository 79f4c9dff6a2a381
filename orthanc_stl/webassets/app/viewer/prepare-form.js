/** The form of the panel "Prepare": which structures, and what is done to them. */

import { h } from '../shared/dom.js';
import { t } from '../shared/language.js';

/** @typedef {import('./parts.js').Part} Part */
/** @typedef {import('./prepare.js').Role} Role */

/** @type {[string, string][]} */
const ROLES = [['', 'not used'], ['model', 'the model'], ['subtract', 'taken away'], ['intersect', 'kept within']];

/** As SIDES of prepare.js. */
const SIDE_NAMES = ['Right', 'Left', 'Anterior', 'Posterior', 'Inferior', 'Superior'];

/** @type {[string, string][]} From where the text is seen. */
const TEXT_PLACES = [['front', 'Front'], ['back', 'Back'], ['left', 'Left'], ['right', 'Right'], ['head', 'Head'],
  ['feet', 'Feet']];

/** With more structures than this one gets a field to filter them by. */
const MANY = 10;

let ids = 0;

export class PrepareForm {
  /** @type {Map<Part, HTMLSelectElement>} */
  roles = new Map();

  /**
   * @param {boolean} separable whether several can become a model each
   * @param {() => void} cutting the section plane is needed @param {() => void} changed
   */
  constructor(separable, cutting, changed) {
    this.largest = check('Largest piece only');
    this.cavities = check('Fill cavities');
    this.separate = check('One model for each');
    this.outwards = check('Outwards');
    this.byPlane = check('Cut by the section plane');
    this.byPlane.input.addEventListener('change', () => this.byPlane.input.checked && cutting());
    this.smooth = number('Smooth below (mm)');
    this.tolerance = number('Tolerance (mm)');
    this.margin = number('Margin (mm)', null);
    this.sides = SIDE_NAMES.map((name) => number(name, null));
    this.margin.input.addEventListener('input', () => this.sides.forEach(({ input }) => {
      input.placeholder = this.margin.input.value;
    }));
    this.wall = number('Wall (mm)');
    this.drain = number('Drain hole (mm)');
    this.pegDiameter = number('Pegs, diameter (mm)');
    this.pegLength = number('Pegs, length (mm)');
    this.keep = choice('Keep', [['both', 'both halves'], ['front', 'the half that is shown'],
      ['back', 'the other half']]);
    this.mirror = choice('Mirror', [['', 'no'], ['x', 'left and right'], ['y', 'front and back'],
      ['z', 'head and feet']]);
    this.text = /** @type {HTMLInputElement} */ (h('input', { maxlength: '40',
      class: 'part-filter', autocomplete: 'off' }));
    this.textHeight = number('Height (mm)', '0', '8');
    this.textDepth = number('Depth (mm)', '0', '1');
    this.raised = check('Raised');
    this.textAt = choice('Where', TEXT_PLACES);
    this.list = h('ul', { class: 'prepare-parts' });
    this.filter = h('input', { type: 'search', class: 'part-filter', placeholder: t('Filter by name'),
      'aria-label': t('Filter by name'), autocomplete: 'off', oninput: () => this.#filterParts(),
      onchange: (/** @type {Event} */ event) => event.stopPropagation() }); // it asks for nothing
    this.element = h('div', { class: 'prepare-form', onchange: changed }, this.filter, this.list,
      separable ? this.separate.element : null,
      group('Surface', this.largest.element, this.cavities.element, this.smooth.element, this.tolerance.element),
      group('Margin', this.margin.element, h('p', { class: 'about' }, t('Different by direction:')),
        h('div', { class: 'prepare-sides' }, ...this.sides.map(({ element }) => element))),
      group('Hollow', this.wall.element, this.outwards.element, this.drain.element),
      group('Cut and mirror', this.byPlane.element, this.keep.element, this.pegDiameter.element,
        this.pegLength.element, this.mirror.element),
      group('Text', h('label', { class: 'prepare-field' }, h('span', {}, t('Letters')), this.text),
        this.textAt.element, this.textHeight.element, this.textDepth.element, this.raised.element,
        h('p', { class: 'about' }, t('Nothing of the patient is written unless you type it.'))));
  }

  /**
   * A line for each part; what was chosen stays.
   * @param {Part[]} parts @param {Part | null} first the model, if nothing was chosen
   */
  listParts(parts, first) {
    for (const part of this.roles.keys()) if (!parts.includes(part)) this.roles.delete(part);
    for (const part of parts) {
      if (!this.roles.has(part)) this.roles.set(part, select(t('What {name} is', { name: part.name }), ROLES));
    }
    if (first && ![...this.roles.values()].some(({ value }) => value)) {
      /** @type {HTMLSelectElement} */ (this.roles.get(first)).value = 'model';
    }
    this.list.replaceChildren(...[...this.roles].map(([part, input]) => h('li', {},
      h('span', { class: 'part-text', dir: 'auto' }, part.name), input)));
    this.filter.hidden = this.roles.size <= MANY;
    this.#filterParts();
  }

  /** @returns {Part[]} that become models */
  get models() {
    return [...this.roles].filter(([, { value }]) => value === 'model').map(([part]) => part);
  }

  /** What has a part in the model stays in sight. */
  #filterParts() {
    const words = this.filter.hidden ? '' : this.filter.value.trim().toLowerCase();
    [...this.roles].forEach(([part, { value }], i) => {
      /** @type {HTMLElement} */ (this.list.children[i]).hidden = !value && !part.name.toLowerCase().includes(words);
    });
  }

  /** What makes a structure printable: to a tenth of a millimetre, in one piece, without cavities. */
  forPrinting() {
    this.largest.input.checked = true;
    this.cavities.input.checked = true;
    this.tolerance.input.value = '0.1';
  }

  /** @param {() => {Point: number[], Normal: number[]}} planeOf @returns {import('./prepare.js').Wishes} */
  wishes(planeOf) {
    const margin = valueOf(this.margin.input);
    return {
      roles: new Map([...this.roles].filter(([, { value }]) => value)
        .map(([part, { value }]) => [part, /** @type {Role} */ (value)])),
      separate: this.separate.input.checked,
      keepLargest: this.largest.input.checked,
      fillCavities: this.cavities.input.checked,
      smooth: valueOf(this.smooth.input),
      tolerance: this.tolerance.input.value === '' ? null : valueOf(this.tolerance.input),
      margin: this.sides.some(({ input }) => input.value)
        ? this.sides.map(({ input }) => (input.value ? valueOf(input) : margin)) : [margin],
      wall: valueOf(this.wall.input),
      outwards: this.outwards.input.checked,
      drain: valueOf(this.drain.input),
      label: this.text.value.trim() ? { Text: this.text.value.trim(), Height: valueOf(this.textHeight.input),
        Depth: valueOf(this.textDepth.input), Raised: this.raised.input.checked, At: this.textAt.input.value } : null,
      mirror: this.mirror.input.value,
      plane: this.byPlane.input.checked ? planeOf() : null,
      keep: this.keep.input.value,
      pegDiameter: valueOf(this.pegDiameter.input),
      pegLength: valueOf(this.pegLength.input) || valueOf(this.pegDiameter.input),
    };
  }
}

/** @param {HTMLInputElement} input @returns {number} 0 where it is empty */
const valueOf = (input) => Number(input.value) || 0;

/** @param {string} title @param {...(Node | null)} content */
const group = (title, ...content) => h('details', { class: 'prepare-group' }, h('summary', {}, t(title)),
  h('div', { class: 'prepare-fields' }, ...content));

/** @param {string} label */
export function check(label) {
  const input = /** @type {HTMLInputElement} */ (h('input', { type: 'checkbox', autocomplete: 'off' }));
  return { input, element: h('label', { class: 'prepare-check' }, input, t(label)) };
}

/** @param {string} label @param {string | null} min null: less than 0, too */
export function number(label, min = '0', value = '') {
  const input = /** @type {HTMLInputElement} */ (h('input', { type: 'number', class: 'window-number', min, value,
    step: 'any', inputmode: 'decimal', autocomplete: 'off' }));
  return { input, element: h('label', { class: 'prepare-field' }, h('span', {}, t(label)), input) };
}

/** @param {string} name for screen readers @param {[string, string][]} ways @returns {HTMLSelectElement} */
const select = (name, ways, id = '') => /** @type {HTMLSelectElement} */ (h('select', { class: 'part-order',
  'aria-label': id ? null : name, id: id || null, autocomplete: 'off' },
...ways.map(([value, words]) => h('option', { value }, t(words)))));

/** @param {string} label @param {[string, string][]} ways */
function choice(label, ways) {
  const id = `prepare-${ids += 1}`;
  const input = select('', ways, id);
  return { input, element: h('div', { class: 'prepare-field' }, h('label', { for: id }, t(label)), input) };
}
