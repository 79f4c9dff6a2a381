/**
 * The column beside the views: the list of parts and below it the panel of the tool in use; on a phone one at a time.
 * Each folds to its title; together they scroll where there is no room for all.
 */

import { h } from '../shared/dom.js';
import { closeButton } from './part-panel.js';

export class Panels {
  /** @param {HTMLElement} container */
  constructor(container) {
    this.element = h('div', { class: 'panels' });
    container.append(this.element);
    /** @type {Map<string, {element: HTMLElement, onClose: () => void}>} */
    this.all = new Map();
  }

  /**
   * @param {string} id @param {string} title @param {HTMLElement} content @param {() => void} onClose by the cross
   */
  add(id, title, content, onClose) {
    const fold = h('button', { type: 'button', class: 'panel-fold', 'aria-expanded': 'true', onclick: () => {
      const folded = element.classList.toggle('folded');
      fold.setAttribute('aria-expanded', String(!folded));
    } }, title);
    const element = h('section', { class: `sheet-panel ${id}-sheet`, 'aria-label': title, hidden: true },
      h('header', { class: 'panel-head' }, h('h2', {}, fold), closeButton(onClose)), content);
    this.all.set(id, { element, onClose });
    this.element.append(element);
  }

  /** @param {string} id @returns {boolean} */
  isOpen(id) {
    return !this.all.get(id)?.element.hidden;
  }

  /** The next Tab goes into it. @param {string} id */
  focus(id) {
    /** @type {HTMLElement | null | undefined} */ (this.all.get(id)?.element.querySelector('.panel-fold'))?.focus();
  }

  /** @param {string} id @param {boolean} on */
  toggle(id, on) {
    const panel = this.all.get(id);
    if (!panel) return;
    panel.element.hidden = !on;
    this.element.dataset.open = [...this.all].filter(([, { element }]) => !element.hidden)
      .map(([each]) => each).join(' ');
    document.body.classList.toggle('panel-open', Boolean(this.element.dataset.open));
    // What a person opens comes into sight, once it is filled; what opens by itself moves nothing.
    if (on && navigator.userActivation?.isActive) requestAnimationFrame(() =>
      panel.element.scrollIntoView({ block: 'nearest' }));
  }

  /**
   * Those that must go before another may open where there is room for one only.
   * @param {string} id that opens @returns {string[]}
   */
  others(id) {
    return [...this.all].filter(([each, { element }]) => each !== id && !element.hidden).map(([each]) => each);
  }
}

/** Where there is room for one panel only: phones, upright or sideways. */
export const narrow = matchMedia('(max-width: 640px), (max-height: 480px)');
