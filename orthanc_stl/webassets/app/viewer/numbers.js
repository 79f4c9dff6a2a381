/** The parts as a table of numbers, and as a CSV file. */

import { pageUrl } from '../shared/api.js';
import { csvOf } from '../shared/csv.js';
import { h, icon, save } from '../shared/dom.js';
import { fileName } from '../shared/format.js';
import { t } from '../shared/language.js';
import { notesOf } from './parts.js';

/** @typedef {import('./parts.js').Part} Part */

/** Title and value, empty where it is not known. @type {[string, (part: Part) => string | number][]} */
const COLUMNS = [
  ['Number', (part) => part.number],
  ['Name', (part) => part.name],
  ['Kind', (part) => part.kind],
  ['Volume (mL)', (part) => rounded(part.volumeMl, 3)],
  ['Volume of the contours (mL)', (part) => rounded(part.facts?.ContoursMl, 3)],
  ['Area (cm²)', (part) => rounded(part.model && part.model.area / 100, 2)],
  ['Extent (mm)', (part) => (part.model ? part.model.max
    .map((high, i) => rounded(high - /** @type {any} */ (part.model).min[i], 1)).join(' × ') : '')],
  ['Pieces', (part) => part.facts?.Pieces ?? ''],
  ['Triangles', (part) => part.model?.triangles ?? ''],
  ['Closed', (part) => (part.facts ? t(part.facts.Closed ? 'yes' : 'no') : '')],
  ['Things to know', (part) => notesOf(part).map(({ text }) => text).join(' | ') || part.reason],
];

/** @param {number | null | undefined} value @param {number} digits */
const rounded = (value, digits) => (value === null || value === undefined ? '' : Number(value.toFixed(digits)));

/** @param {Part[]} parts @returns {string} with a header */
export const csv = (parts) => csvOf([COLUMNS.map(([title]) => title), ...parts.map((part) =>
  COLUMNS.map(([, of]) => of(part)))]);

/**
 * @param {import('./catalogue.js').Catalogue} catalogue
 * @returns {string | null} what compare.html calls it; null for models of several series
 */
function comparable({ source, series, parts }) {
  if (source) return source;
  if (series) return `series/${series}`;
  return parts.length === 1 ? parts[0].instance : null;
}

/** @param {Part} part @returns {HTMLElement} */
const rowOf = (part) => h('tr', {}, ...COLUMNS.map(([title, of], i) =>
  h(i === 1 ? 'th' : 'td', { dir: i === 1 ? 'auto' : null, scope: i === 1 ? 'row' : null,
    class: typeof of(part) === 'number' ? 'number' : title === 'Things to know' ? 'notes' : null }, String(of(part)))));

/** @param {import('./app.js').App} app */
export function numbersDialog(app) {
  const list = h('tbody', {});
  const fill = () => list.replaceChildren(...app.parts.all.map(rowOf));
  const a = app.scale ? null : comparable(app.catalogue);
  const dialog = /** @type {HTMLDialogElement} */ (h('dialog',
    { class: 'help numbers', 'aria-label': t('Table of numbers') },
    h('h2', {}, t('Table of numbers')),
    h('div', { class: 'numbers-table', tabindex: '0', role: 'group', 'aria-label': t('Table of numbers') },
      h('table', {}, h('thead', {}, h('tr', {}, ...COLUMNS.map(([title]) => h('th', { scope: 'col' }, t(title))))),
      list)),
    h('form', { method: 'dialog', class: 'row wrap' },
      h('button', { type: 'button', class: 'button', onclick: () =>
        save(new Blob(['\ufeff', csv(app.parts.all)], { type: 'text/csv' }), `${fileName(app.catalogue.title)}.csv`) },
        icon('download'), 'CSV'),
      a ? h('a', { class: 'button', href: pageUrl('compare.html', { a }), target: '_blank', rel: 'noopener' },
        t('Compare with others')) : null,
      h('button', { class: 'button primary' }, t('Close')))));
  app.parts.addEventListener('list', fill); // figures come after the surfaces
  dialog.addEventListener('close', () => {
    app.parts.removeEventListener('list', fill);
    dialog.remove();
  });
  fill();
  app.root.append(dialog);
  dialog.showModal();
}
