/** The panel of the slices: which images, which window, where the planes are. */

import { h, notice } from '../shared/dom.js';
import { t } from '../shared/language.js';

/** name, centre, width: Hounsfield units. @type {[string, number, number][]} */
const PRESETS = [
  ['Soft tissue', 40, 400], ['Lung', -600, 1500], ['Bone', 400, 1800], ['Brain', 40, 80], ['Liver', 60, 160],
    ['Head and neck', 50, 350],
];

export class SlicePanel {
  /**
   * @param {import('./slices.js').Slices} slices @param {import('./images.js').Images} images
   * @param {(series: string) => void} use
   */
  constructor(slices, images, use) {
    this.slices = slices;
    this.images = images;
    this.use = use;
    this.element = h('div', { class: 'slice-body' });
    this.rows = /** @type {{input: HTMLInputElement, output: HTMLElement, eye: HTMLInputElement}[]} */ ([]);
    slices.addEventListener('slice', () => this.update());
  }

  /** What there is has changed: the panel is built anew. */
  refresh() {
    const { stack } = this.slices;
    const reasons = this.images.all.filter(({ reason }) => reason).map(({ reason }) => reason);
    const choice = /** @type {HTMLSelectElement} */ (h('select', { class: 'part-order', 'aria-label': t('Images'),
      onchange: () => this.use(choice.value) },
      ...this.images.usable.map(({ id, name }) => h('option', { value: id, selected: id === this.slices.series },
        name))));
    this.element.replaceChildren(
      ...(this.images.usable.length ? [choice]
        : [h('p', { class: 'about' }, t('There are no images that could be shown with these parts.'))]),
      ...(stack ? [this.#windowRow(), ...this.#planeRows(stack)] : []),
      ...reasons.map((reason) => notice('info', '', reason)));
    this.update();
  }

  #windowRow() {
    const stack = /** @type {import('./stack.js').Stack} */ (this.slices.stack);
    /** @type {[string, number, number][]} */
    const presets = [['As in the file', ...stack.window], ...(/^(HU|hu)?$/.test(stack.units) && stack.units ? PRESETS
      : [])];
    const preset = /** @type {HTMLSelectElement} */ (h('select', { class: 'part-order window-preset',
      'aria-label': t('Window preset'), onchange: () => {
      const [, centre, width] = presets[Number(preset.value)];
      this.slices.setWindow([centre, width]);
      this.slices.changed();
    } }, ...presets.map(([name], i) => h('option', { value: String(i) }, t(name)))));
    const number = (/** @type {string} */ label, /** @type {0 | 1} */ which) =>
      /** @type {HTMLInputElement} */ (h('input', { type: 'number', class: 'window-number', 'aria-label': t(label),
      step: 'any', onchange: (/** @type {Event} */ event) => {
      const value = Number(/** @type {HTMLInputElement} */ (event.target).value);
      const window = /** @type {[number, number]} */ ([...this.slices.window]);
      window[which] = which ? Math.max(1, value) : value;
      this.slices.setWindow(window);
      this.slices.changed();
    } }));
    this.numbers = [number('Centre of the window', 0), number('Width of the window', 1)];
    return h('div', { class: 'row wrap' }, preset, h('label', { class: 'small' }, t('C'), this.numbers[0]),
      h('label', { class: 'small' }, t('W'), this.numbers[1]));
  }

  /** @param {import('./stack.js').Stack} stack */
  #planeRows(stack) {
    this.rows = this.slices.all.map((slice) => {
      const eye = /** @type {HTMLInputElement} */ (h('input',
        { type: 'checkbox', 'aria-label': t('Show the {plane} slice in the scene', { plane: t(slice.name) }),
        onchange: () => {
        slice.on = eye.checked;
        this.slices.stage.draw();
        this.slices.changed();
      } }));
      const input = /** @type {HTMLInputElement} */ (h('input',
        { type: 'range', min: '0', max: String(stack.size[slice.axis] - 1), step: '1', 'aria-label': t('{plane} slice',
        { plane: t(slice.name) }), 'data-plane': slice.name,
        oninput: () => this.slices.move(slice.axis, Number(input.value)), onchange: () => this.slices.changed() }));
      return { input, eye, output: h('output', { class: 'value' }) };
    });
    const words = this.slices.all.map(({ name }) => t(name.charAt(0).toUpperCase() + name.slice(1)));
    return this.rows.map(({ input, output, eye }, i) => h('div', { class: 'row' }, h('label', { class: 'plane-label' },
      eye, words[i]), input, output)).reverse();
  }

  update() {
    const { stack } = this.slices;
    if (!stack || this.rows.length !== 3) return;
    this.slices.all.forEach((slice, i) => {
      const { input, output, eye } = this.rows[i];
      if (Number(input.value) !== slice.index) input.value = String(slice.index);
      output.textContent = `${slice.index + 1}/${stack.size[slice.axis]}`;
      eye.checked = slice.on;
    });
    this.numbers?.forEach((input, i) => {
      if (document.activeElement !== input) input.value = String(Math.round(this.slices.window[i]));
    });
  }
}
