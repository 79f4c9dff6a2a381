/** The figures of each pair: a table that can be sorted, and a CSV file. */

import { csvOf } from '../shared/csv.js';
import { h, icon } from '../shared/dom.js';
import { t } from '../shared/language.js';

/**
 * @typedef {object} Pair a row of the answer of POST /stl/compare
 * @property {string} A @property {string} B @property {number} NumberA @property {number} NumberB
 * @property {number} [Dice] @property {string[]} WarningsA @property {string[]} WarningsB
 * @property {string} Reason why the two could not be compared, or empty
 */

/** Key in the answer, title, digits. @type {[string, string, number][]} */
const FIGURES = [
  ['Dice', 'Dice', 3],
  ['VolumeMlA', 'Volume of A (mL)', 2],
  ['VolumeMlB', 'Volume of B (mL)', 2],
  ['VolumeDifferenceMl', 'Difference (mL)', 2],
  ['MeanSurfaceDistanceMm', 'Mean distance (mm)', 2],
  ['Hausdorff95Mm', 'Hausdorff 95 % (mm)', 2],
  ['HausdorffMm', 'Hausdorff (mm)', 2],
];

/** @param {any} answer of POST /stl/compare @returns {string} */
export function csv(answer) {
  const head = ['A', 'B', ...FIGURES.map(([, title]) => title), 'Things to know'];
  const blank = FIGURES.map(() => '');
  const rows = answer.Pairs.map((/** @type {any} */ pair) => [pair.A, pair.B,
    ...FIGURES.map(([key]) => pair[key] ?? ''), [pair.Reason, ...notesOf(pair)].filter(Boolean).join(' | ')]);
  const only = (/** @type {string} */ side) => answer[`OnlyIn${side}`].map((/** @type {string} */ name) =>
    [side === 'A' ? name : '', side === 'B' ? name : '', ...blank, `only in ${side}`]);
  const skipped = (/** @type {string} */ side) => answer[`Skipped${side}`].map((/** @type {any} */ { Name, Reason }) =>
    [side === 'A' ? Name : '', side === 'B' ? Name : '', ...blank, Reason]);
  const told = answer.Warnings.map((/** @type {string} */ text) => ['', '', ...blank, text]);
  return csvOf([head, ...rows, ...only('A'), ...only('B'), ...skipped('A'), ...skipped('B'), ...told]);
}

/** @param {Pair} pair @returns {string[]} what is to be known of the two meshes */
export const notesOf = ({ WarningsA, WarningsB }) => [...WarningsA.map((text) => `A: ${text}`),
  ...WarningsB.map((text) => `B: ${text}`)];

/** @param {Pair} pair */
const nameOf = ({ A, B }) => (A === B ? A : `${A} – ${B}`);

export class PairTable {
  /** @param {Pair[]} pairs @param {(pair: Pair) => void} onChosen a row was pressed */
  constructor(pairs, onChosen) {
    this.pairs = pairs;
    this.onChosen = onChosen;
    this.by = '';
    this.up = true;
    /** @type {Pair | null} */
    this.chosen = null;
    this.head = h('tr', {});
    this.body = h('tbody', {});
    this.element = h('div', { class: 'pairs', tabindex: '0', role: 'group', 'aria-label': t('Structures compared') },
      h('table', {}, h('thead', {}, this.head), this.body));
    this.#show();
  }

  /** @param {string} key of a figure, or "" for the name */
  #sort(key) {
    this.up = this.by === key ? !this.up : key === '' || key === 'Dice'; // the worst first
    this.by = key;
    const value = (/** @type {any} */ pair) => (key ? pair[key] ?? Infinity * (this.up ? 1 : -1) : nameOf(pair));
    this.pairs.sort((a, b) => {
      const [x, y] = this.up ? [value(a), value(b)] : [value(b), value(a)];
      return typeof x === 'string' ? x.localeCompare(y, undefined, { numeric: true }) : x - y || 0;
    });
    this.#show();
    /** @type {HTMLElement | null} */ (this.head.querySelector('[aria-sort] button'))?.focus();
  }

  #show() {
    const titles = [['', 'Structure'], ...FIGURES];
    this.head.replaceChildren(...titles.map(([key, title]) => h('th', { scope: 'col',
      'aria-sort': this.#sorted && this.by === key ? (this.up ? 'ascending' : 'descending') : null,
      class: key ? 'number' : null },
    h('button', { type: 'button', class: 'sort', onclick: () => { this.#sorted = true; this.#sort(String(key)); } },
      t(String(title))))));
    this.body.replaceChildren(...this.pairs.map((pair) => this.#row(pair)));
  }

  #sorted = false;

  /** @param {any} pair */
  #row(pair) {
    const notes = notesOf(pair);
    const cells = pair.Reason ? [h('td', { colspan: String(FIGURES.length), class: 'reason' }, pair.Reason)]
      : FIGURES.map(([key, , digits]) => h('td', { class: 'number' }, pair[key].toFixed(digits)));
    const row = h('tr', { class: pair === this.chosen ? 'chosen' : null, onclick: () => this.#choose(pair) },
      h('th', { scope: 'row' }, h('button', { type: 'button', class: 'link', dir: 'auto',
        'aria-pressed': String(pair === this.chosen) }, nameOf(pair)),
      notes.length ? h('span', { class: 'skipped', title: notes.join('\n'), role: 'img',
        'aria-label': t('Things to know about {name}', { name: nameOf(pair) }) },
      icon('warning')) : null), ...cells);
    return row;
  }

  /** @param {Pair} pair */
  #choose(pair) {
    if (pair.Reason) return;
    this.chosen = pair;
    this.#show();
    /** @type {HTMLElement | null} */ (this.body.querySelector('.chosen button'))?.focus();
    this.onChosen(pair);
  }
}
