/** What a print check found, as a table. */

import { getJson } from './api.js';
import { h, notice } from './dom.js';
import { t } from './language.js';
import { withName } from './sentences.js';

/** @type {[string, (part: any) => string | number][]} */
const ROWS = [
  ['Closed', (part) => t(part.Closed ? 'yes' : 'no')],
  ['Pieces', (part) => part.Pieces],
  ['Cavities', (part) => part.Cavities],
  ['Crossing triangles', (part) => part.Crossings],
  ['Thinnest wall (mm)', (part) => part.SmallestWallMm?.toFixed(2) ?? t('none is thin')],
  ['Thin walls (mm²)', (part) => part.ThinAreaMm2.toFixed(1)],
  ['Overhang (mm²)', (part) => Math.round(part.OverhangAreaMm2)],
  ['Size (mm)', (part) => part.SizeMm.map((/** @type {number} */ mm) => mm.toFixed(1)).join(' × ')],
  ['Fits the bed', (part) => (part.FitsBed === null ? '–' : t(part.FitsBed ? 'yes' : 'no'))],
  ['Material (mL)', (part) => part.SolidMl.toFixed(2)],
];

/** @param {string} path of a print check, below Orthanc's root @returns {Promise<HTMLElement>} */
export async function checkTable(path) {
  const { Parts: parts } = await getJson(path);
  const problems = parts.flatMap((/** @type {any} */ part) => part.Problems.map((/** @type {string} */ text) =>
    (parts.length > 1 ? withName(part.Name, text) : text)));
  const table = h('table', { class: 'check-table' },
    parts.length > 1 ? h('thead', {}, h('tr', {}, h('td'), ...parts.map((/** @type {any} */ part) =>
      h('th', { scope: 'col', dir: 'auto' }, part.Name)))) : null,
    h('tbody', {}, ...ROWS.map(([title, of]) => h('tr', {}, h('th', { scope: 'row' }, t(title)),
      ...parts.map((/** @type {any} */ part) => h('td', { class: 'number' }, String(of(part))))))));
  return h('div', { class: 'print-check' },
    problems.length ? notice('warning', t('The print check found something'), ...problems)
      : notice('info', t('The print check found nothing')),
    h('div', { class: 'check-scroll', tabindex: '0', role: 'group', 'aria-label': t('Print check') }, table));
}
