/** One part in the list: colour, name, volume, warning, eye; chosen, it opens for opacity, solo and what is known. */

import { hexOf, rgbOf } from '../shared/color.js';
import { h, icon } from '../shared/dom.js';
import { count, size, volume } from '../shared/format.js';
import { t } from '../shared/language.js';
import { forPerson } from '../shared/sentences.js';
import { notesOf } from './parts.js';

/** @typedef {import('./parts.js').Part} Part */

/** @param {number | null} ml @returns {string} "12.3 mL" */
export const millilitres = (ml) => (ml === null ? '' : volume(ml * 1000));

/**
 * @typedef {object} RowActions
 * @property {(part: Part, change: {visible?: boolean, color?: number[], opacity?: number}, lasting?: boolean) => void}
 * set
 * @property {(part: Part) => void} solo @property {(part: Part) => void} select @property {(part: Part) => void} centre
 */

export class PartRow {
  /** @param {Part} part @param {RowActions} actions */
  constructor(part, actions) {
    this.part = part;
    this.swatch = /** @type {HTMLInputElement} */ (h('input', { type: 'color', class: 'swatch',
      'aria-label': t('Colour of {name}', { name: part.name }),
      oninput: () => actions.set(part, { color: rgbOf(this.swatch.value) }, false),
      onchange: () => actions.set(part, { color: rgbOf(this.swatch.value) }) }));
    this.volume = h('span', { class: 'part-volume' });
    this.name = h('button', { type: 'button', class: 'part-name', 'aria-expanded': 'false', onclick: () =>
      actions.select(part) },
      h('span', { class: 'part-text', dir: 'auto' }, part.name), this.volume);
    this.badge = h('button', { type: 'button', class: 'part-badge', hidden: true, onclick: () =>
      actions.select(part) }, icon('warning'));
    this.eye = h('button', { type: 'button', class: 'part-eye', 'aria-label': t('Show {name}', { name: part.name }),
      onclick: () => actions.set(part, { visible: !part.visible }) });
    this.details = h('div', { class: 'part-details', hidden: true });
    this.element = h('li', { class: 'part', 'data-id': part.id },
      h('div', { class: 'part-line' }, this.swatch, this.name, this.badge, this.eye), this.details);
    this.actions = actions;
    this.selected = false;
    this.refresh();
  }

  refresh() {
    const { part } = this;
    this.swatch.value = hexOf(part.color);
    this.swatch.style.backgroundColor = hexOf(part.color);
    this.element.dataset.state = part.state;
    this.element.classList.toggle('hidden-part', !part.visible);
    this.volume.textContent = part.state === 'loading' ? '…' : part.state === 'failed' ? t('failed')
      : millilitres(part.volumeMl);
    if (this.eye.getAttribute('aria-pressed') !== String(part.visible)) {
      this.eye.setAttribute('aria-pressed', String(part.visible));
      this.eye.replaceChildren(icon(part.visible ? 'eye' : 'eyeOff'));
    }
    const notes = (part.state === 'failed' ? [part.reason] : notesOf(part).map(({ text }) => text)).map(forPerson);
    this.badge.hidden = notes.length === 0;
    this.badge.title = notes.slice(0, 6).join('\n');
    this.badge.setAttribute('aria-label', t('Things to know about {name}', { name: part.name }));
    if (this.selected) this.#fillDetails(notes);
  }

  /** @param {boolean} selected */
  select(selected) {
    if (this.selected === selected) return;
    this.selected = selected;
    this.details.hidden = !selected;
    this.name.setAttribute('aria-expanded', String(selected));
    this.element.classList.toggle('selected', selected);
    this.details.replaceChildren();
    if (selected) {
      this.#buildDetails();
      this.refresh();
    }
  }

  #buildDetails() {
    const { part, actions } = this;
    const value = h('output', { class: 'part-percent' });
    const slider = /** @type {HTMLInputElement} */ (h('input', { type: 'range', min: '0', max: '100', step: '1',
      value: String(Math.round(part.opacity * 100)),
      'aria-label': t('Opacity of {name}', { name: part.name }),
      oninput: () => actions.set(part, { opacity: Number(slider.value) / 100 }, false),
      onchange: () => actions.set(part, { opacity: Number(slider.value) / 100 }) }));
    this.opacity = { slider, value };
    this.facts = h('p', { class: 'part-facts' });
    this.notes = h('ul', { class: 'part-notes' });
    this.details.append(
      h('div', { class: 'row' }, h('span', { class: 'part-label' }, t('Opacity')), slider, value),
      h('div', { class: 'row' },
        h('button', { type: 'button', class: 'chip', onclick: () => actions.solo(part) }, t('Only this')),
        h('button', { type: 'button', class: 'chip', onclick: () => actions.centre(part) }, t('Look at it'))),
      this.facts, this.notes);
  }

  /** @param {string[]} notes */
  #fillDetails(notes) {
    const { part } = this;
    if (!this.opacity || !this.facts || !this.notes) return;
    const { slider } = this.opacity;
    if (document.activeElement !== slider) slider.value = String(Math.round(part.opacity * 100));
    this.opacity.value.textContent = `${Math.round(part.opacity * 100)} %`;
    const { model } = part;
    this.facts.textContent = model ? [
      size(model.max.map((high, i) => high - model.min[i])),
      `${(model.area / 100).toFixed(1)} cm²`,
      t('{count} triangles', { count: count(model.triangles) }),
    ].join(' · ') : '';
    this.notes.replaceChildren(...notes.slice(0, 200).map((text) => h('li', {}, text)));
  }
}
