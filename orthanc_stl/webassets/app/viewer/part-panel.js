/** The list of parts: by series, filtered by text and kind, sorted, all or none, and ready-made looks. */

import { h, icon, sentenceOn } from '../shared/dom.js';
import { t } from '../shared/language.js';
import { forPerson } from '../shared/sentences.js';
import { KINDS } from './kinds.js';
import { PartRow } from './part-row.js';

/** @typedef {import('./parts.js').Part} Part */

/** @type {[string, string, (a: Part, b: Part) => number][]} */
const ORDERS = [
  ['file', 'As in the file', (a, b) => a.number - b.number],
  ['name', 'By name', (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true })],
  ['volume', 'By volume', (a, b) => (b.volumeMl ?? b.weight) - (a.volumeMl ?? a.weight)],
];

/**
 * The looks: ways to show all parts that are one press away.
 * @type {Record<string, (part: Part) => {color?: number[], opacity?: number, visible?: boolean}>}
 */
const LOOKS = {
  standard: (part) => ({ color: part.ownColor, opacity: part.ownOpacity, visible: true }),
  external: (part) => ({ opacity: part.kind === 'External' ? 0.15 : 1 }),
  targets: (part) => ({ opacity: part.kind === 'Target' ? 1 : part.kind === 'External' ? 0.1 : 0.35 }),
  xray: () => ({ opacity: 0.25 }),
};

/** @type {[keyof typeof LOOKS, string][]} */
const LOOK_NAMES = [['external', 'Body at 15 %'], ['targets', 'Targets opaque'], ['xray', 'X-ray'],
  ['standard', 'Reset']];

export class PartPanel {
  text = /** @type {HTMLInputElement} */ (h('input', { type: 'search', class: 'part-filter',
    placeholder: t('Filter by name'), 'aria-label': t('Filter by name'), oninput: () => this.arrange() }));

  total = h('p', { class: 'part-count', role: 'status' });

  list = h('div', { class: 'part-list', role: 'group', 'aria-label': t('Parts'),
    onkeydown: (/** @type {KeyboardEvent} */ event) => this.#press(event) });

  /**
   * @param {import('./parts.js').Parts} parts @param {{name: string, reason: string}[]} unusable
   * @param {{changed: () => void, centre: (part: Part) => void, selected: (part: Part | null) => void}} callbacks
   * `changed`: something to undo has happened
   */
  constructor(parts, unusable, callbacks) {
    this.parts = parts;
    this.callbacks = callbacks;
    this.kinds = new Set(/** @type {string[]} */ (KINDS));
    this.order = ORDERS[0][2];
    /** @type {Part | null} */
    this.selected = null;
    const actions = {
      set: (/** @type {Part} */ part, /** @type {any} */ change, lasting = true) => {
        this.parts.set(part, change);
        if (lasting) callbacks.changed();
      },
      solo: (/** @type {Part} */ part) => this.solo(part),
      select: (/** @type {Part} */ part) => this.select(part === this.selected ? null : part),
      centre: callbacks.centre,
    };
    this.rows = new Map(parts.all.map((part) => [part.id, new PartRow(part, actions)]));
    this.element = this.#build(unusable);
    parts.addEventListener('added', (event) => {
      const { detail: part } = /** @type {CustomEvent<Part>} */ (event);
      this.rows.set(part.id, new PartRow(part, actions));
      this.arrange();
    });
    parts.addEventListener('removed', (event) => {
      const { detail: part } = /** @type {CustomEvent<Part>} */ (event);
      if (this.selected === part) this.select(null);
      this.rows.delete(part.id);
      this.arrange();
    });
    const refresh = () => this.refresh();
    parts.addEventListener('list', () => parts.stage.drawSoon(refresh));
    parts.addEventListener('look', () => this.#soon());
    this.arrange();
  }

  /** Many changes in one turn are shown once. */
  #soon() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.refresh();
    });
  }

  refresh() {
    for (const row of this.rows.values()) row.refresh();
    this.#count();
  }

  /** @param {{name: string, reason: string}[]} unusable */
  #build(unusable) {
    const order = /** @type {HTMLSelectElement} */ (h('select', { class: 'part-order', 'aria-label': t('Order'),
      onchange: () => {
      this.order = (ORDERS.find(([id]) => id === order.value) ?? ORDERS[0])[2];
      this.arrange();
    } }, ...ORDERS.map(([id, name]) => h('option', { value: id }, t(name)))));
    const present = KINDS.filter((kind) => this.parts.all.some((part) => part.kind === kind));
    const kinds = present.map((kind) => this.#kindChip(kind));
    const many = this.parts.all.length > 1;
    return h('div', { class: 'part-panel' },
      many ? h('div', { class: 'row' }, this.text, order) : null,
      present.length > 1 ? h('div', { class: 'row wrap', role: 'group', 'aria-label': t('Kinds') }, ...kinds) : null,
      many ? h('div', { class: 'row' }, this.total,
        h('button', { type: 'button', class: 'chip', onclick: () => this.showListed(true) }, t('All')),
        h('button', { type: 'button', class: 'chip', onclick: () => this.showListed(false) }, t('None'))) : null,
      this.list,
      unusable.length ? h('details', { class: 'part-unusable' },
        h('summary', {}, t('{count} cannot be shown', { count: unusable.length })),
        h('ul', {}, ...unusable.map(({ name, reason }) => h('li', {},
          ...sentenceOn(name, forPerson(reason)))))) : null,
      h('div', { class: 'row wrap looks', role: 'group', 'aria-label': t('Looks') },
        ...LOOK_NAMES.filter(([id]) => many || id !== 'targets')
          .map(([id, name]) => h('button', { type: 'button', class: 'chip', 'data-look': id, onclick: () =>
          this.look(id) }, t(name)))));
  }

  /** @param {string} kind */
  #kindChip(kind) {
    const chip = h('button', { type: 'button', class: 'chip', 'aria-pressed': 'true', 'data-kind': kind,
      onclick: () => {
      if (!this.kinds.delete(kind)) this.kinds.add(kind);
      chip.setAttribute('aria-pressed', String(this.kinds.has(kind)));
      this.arrange();
    } }, t(kind));
    return chip;
  }

  /** @param {string} id of LOOKS */
  look(id) {
    this.parts.setAll(LOOKS[id]);
    this.callbacks.changed();
  }

  /** @returns {Part[]} what a preview shows, then those that pass the filter, in order */
  get listed() {
    const words = this.text.value.trim().toLowerCase();
    const { all, own } = this.parts;
    const preview = all.slice(own.length).sort(this.order);
    return [...preview, ...own.filter((part) => this.kinds.has(part.kind)
      && part.name.toLowerCase().includes(words)).sort(this.order)];
  }

  /** Puts the rows in order, below the titles of their series. */
  arrange() {
    /** @type {Map<string, Element[]>} */
    const groups = new Map();
    for (const part of this.listed) {
      const row = /** @type {PartRow} */ (this.rows.get(part.id));
      groups.set(part.group, [...(groups.get(part.group) ?? []), row.element]);
    }
    const several = new Set(this.parts.all.map((part) => part.group)).size > 1;
    this.list.replaceChildren(...[...groups].flatMap(([title, rows]) => [
      ...(several ? [h('h2', { class: 'part-group', dir: 'auto' }, title)] : []), h('ul', { class: 'part-rows' },
        ...rows)]));
    this.list.style.setProperty('--rows', String(this.rows.size)); // so many, or a few of them, have room at least
    if (!groups.size) this.list.append(h('p', { class: 'part-none' }, t('No part has this in its name.')));
    this.#count();
  }

  #count() {
    const { all, before } = this.parts;
    const waiting = all.filter((part) => part.visible && ['waiting', 'loading'].includes(part.state)).length;
    this.total.textContent = (before.size ? `${t('Preview')}: ` : '')
      + t('{shown} of {count} shown', { shown: all.filter((part) => part.visible).length, count: all.length })
      + (waiting ? ` · ${t('{count} to come', { count: waiting })}` : '');
  }

  /** @param {boolean} visible all that are listed, or none of them */
  showListed(visible) {
    const listed = new Set(this.listed);
    this.parts.setAll((part) => (listed.has(part) ? { visible } : {}));
    this.callbacks.changed();
  }

  /** Only this one; once more, all again. @param {Part} only */
  solo(only) {
    const alone = this.parts.all.every((part) => part.visible === (part === only));
    this.parts.setAll((part) => ({ visible: alone || part === only }));
    this.callbacks.changed();
  }

  /** @param {Part | null} part */
  select(part) {
    this.selected = part;
    for (const [id, row] of this.rows) row.select(id === part?.id);
    if (part) this.rows.get(part.id)?.element.scrollIntoView({ block: 'nearest' });
    this.callbacks.selected(part);
  }

  /** Arrows go up and down; V shows or hides, O shows only this one. @param {KeyboardEvent} event */
  #press(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest('input')) return;
    const rows = [...this.list.querySelectorAll('.part')];
    const at = rows.findIndex((row) => row.contains(target));
    const part = this.parts.byId.get(/** @type {HTMLElement} */ (rows[at])?.dataset.id ?? '');
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to !== undefined) /** @type {HTMLElement | null} */ (rows[to]?.querySelector('.part-name'))?.focus();
    else if (part && event.key.toLowerCase() === 'v') {
      this.parts.set(part, { visible: !part.visible });
      this.callbacks.changed();
    } else if (part && event.key.toLowerCase() === 'o') this.solo(part);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** @param {() => void} onclick @returns {HTMLElement} a cross that closes a panel */
export const closeButton = (onclick) => h('button', { type: 'button', class: 'panel-close', 'aria-label': t('Close'),
  onclick }, icon('close'));
