/** How models are made: detail, smoothing and the rest, each with one sentence of what it does. */

import { h } from '../shared/dom.js';
import { t } from '../shared/language.js';

/** Voxels along the longest side, the default first. @type {[number, string][]} */
const RESOLUTIONS = [[256, t('normal')], [128, t('quick')], [512, t('fine')]];

/** What a model is for decides the fields below; all of them stay in sight and can be changed. */
const PURPOSES = [
  { key: 'view', words: t('Viewing'), Resolution: 256, printable: false, Tolerance: '' },
  { key: 'print', words: t('Printing'), Resolution: 512, printable: true, Tolerance: '0.1' },
];

let ids = 0;

/** A label over its field, with a sentence below it. @param {string} label @param {HTMLElement} input */
export function field(label, input, help = '') {
  const id = `help-${ids += 1}`;
  if (help) input.setAttribute('aria-describedby', id);
  return h('div', { class: 'field' }, h('label', { class: 'field-with-label' },
    h('span', { class: 'field-label' }, label), input), help ? h('p', { class: 'help-text', id }, help) : null);
}

/** @param {string} label @param {boolean} checked @returns {{element: HTMLElement, input: HTMLInputElement}} */
export function checkbox(label, checked, help = '') {
  const id = `help-${ids += 1}`;
  const input = h('input', { type: 'checkbox', checked, autocomplete: 'off', 'aria-describedby': help ? id : null });
  return { input, element: h('div', { class: 'field' }, h('label', { class: 'check' }, input, label),
    help ? h('p', { class: 'help-text', id }, help) : null) };
}

/** Two or three ways to go, side by side. */
export class Choice {
  /** @param {string} label @param {[string, string][]} ways value and words @param {() => void} onChange */
  constructor(label, ways, onChange) {
    const name = `choice-${ids += 1}`;
    this.inputs = ways.map(([value], i) => h('input', { type: 'radio', name, value, checked: i === 0,
      autocomplete: 'off', onchange: onChange }));
    this.element = h('div', { class: 'segments', role: 'radiogroup', 'aria-label': label },
      ...ways.map(([, words], i) => h('label', { class: 'segment' }, this.inputs[i], words)));
  }

  get value() {
    return this.inputs.find((input) => input.checked)?.value ?? '';
  }

  /** @param {string} value '' for none of them */
  set value(value) {
    for (const input of this.inputs) input.checked = input.value === value;
  }
}

/** @param {string} name @param {object} attributes */
const number = (name, attributes) => h('input', { type: 'number', name, min: '0', step: 'any', inputmode: 'decimal',
  autocomplete: 'off', ...attributes });

export class SurfaceOptions {
  /** @param {{contours: boolean, threshold: boolean}} source what else can be told of this kind of source */
  constructor({ contours, threshold }) {
    this.purpose = new Choice(t('What it is for'), PURPOSES.map(({ key, words }) => [key, words]),
      () => this.#preset());
    this.resolution = h('select', { name: 'resolution', autocomplete: 'off',
      onchange: () => { this.purpose.value = ''; } },
      ...RESOLUTIONS.map(([value]) => h('option', { value })));
    this.smooth = checkbox(t('Smooth volume'), true,
      t('Takes the steps between slices away; the volume stays the same.'));
    this.endCaps = contours ? checkbox(t('Extend by half a slice at both ends'), true,
      t('As most planning systems count; without it a structure ends at its first and last contour.')) : null;
    this.biggest = checkbox(t('Main piece only'), false,
      t('Smaller pieces of each structure are left out, and that is told.'));
    this.cavities = checkbox(t('Fill cavities'), false,
      t('Hollows without a way out, which would hold resin or powder.'));
    this.minVolume = number('min-volume', { placeholder: t('nothing is left out') });
    this.tolerance = number('tolerance', { placeholder: t('as fine as the detail allows'), max: '10' });
    this.triangles = number('triangles', { placeholder: t('no limit'), min: '4', step: '1' });
    this.threshold = threshold ? number('threshold', { min: null, placeholder: t('as the file suggests') }) : null;
    this.moreFields = h('div', { class: 'options' },
      this.endCaps?.element ?? null, this.biggest.element, this.cavities.element,
      field(t('Leave out pieces below (mL)'), this.minVolume, t('Specks that would only disturb a view or a print.')),
      field(t('Error at most (mm)'), this.tolerance,
        t('How far triangles may stray from the full surface; 0 keeps it all.')),
      field(t('At most so many triangles'), this.triangles,
        t('For programs that bear only so many; instead of the error.')));
    this.more = h('details', { class: 'more-options' }, h('summary', {}, t('More options')), this.moreFields);
    this.element = h('div', { class: 'surface' }, h('div', { class: 'options' },
      h('div', { class: 'field' }, h('span', { class: 'field-label' }, t('Made for')), this.purpose.element,
        h('p', { class: 'help-text' }, t('Sets what follows. Printing: fine, one piece, without cavities.'))),
      field(t('Resolution'), this.resolution,
        t('Steps along the longest side. Finer takes longer and makes larger files.')),
      this.threshold ? field(t('Threshold'), this.threshold, t('What has this value or more is inside (CT: HU).'))
        : null,
      this.smooth.element), this.more);
    this.describe(null);
  }

  /** @param {number | null} mm the longest side of what is chosen: says the detail in mm */
  describe(mm) {
    [...this.resolution.options].forEach((option, i) => {
      const [value, word] = RESOLUTIONS[i];
      option.textContent = mm
        ? t('{word}, about {mm} mm ({count})', { word, mm: (mm / value).toPrecision(1), count: value })
        : `${word} (${value})`;
    });
  }

  #preset() {
    const { Resolution, printable, Tolerance } = PURPOSES.find(({ key }) => key === this.purpose.value)
      ?? PURPOSES[0];
    this.resolution.value = String(Resolution);
    this.smooth.input.checked = true;
    this.biggest.input.checked = printable;
    this.cavities.input.checked = printable;
    this.minVolume.value = '';
    this.tolerance.value = Tolerance;
    this.triangles.value = '';
    if (printable) this.more.open = true;
  }

  /** @returns {Record<string, number | boolean>} fields of POST /stl/encode; what was not touched is left out */
  get values() {
    /** @type {Record<string, HTMLInputElement | null>} */
    const given = { MinVolumeMl: this.minVolume, Triangles: this.triangles, Threshold: this.threshold };
    if (!this.triangles.value) given.Tolerance = this.tolerance;
    const numbers = Object.entries(given).flatMap(([key, input]) => (
      input?.value ? [[key, Number(input.value)]] : []));
    return { Resolution: Number(this.resolution.value), Smooth: this.smooth.input.checked,
      ...(this.endCaps ? { EndCaps: this.endCaps.input.checked } : {}),
      ...(this.biggest.input.checked ? { KeepLargest: true } : {}),
      ...(this.cavities.input.checked ? { FillCavities: true } : {}), ...Object.fromEntries(numbers) };
  }
}
