/** Buttons with an icon, a name and a key. */

import { h, icon } from '../shared/dom.js';
import { t } from '../shared/language.js';

/**
 * @typedef {object} Tool
 * @property {string} id @property {string} icon @property {string} label what the button does
 * @property {string} key one letter, also without the mouse
 * @property {(on: boolean) => void} act toggles get their new state
 * @property {boolean} [toggle] @property {boolean} [on] at the beginning @property {string} [short] below the icon, on
 * a touch screen
 */

export class Toolbar {
  /**
   * @param {HTMLElement} container @param {string} className @param {string} label
   * @param {(Tool | null)[]} tools null: a gap
   */
  constructor(container, className, label, tools) {
    /** @type {Map<string, Tool & {on: boolean, button: HTMLElement}>} */
    this.tools = new Map();
    this.element = h('div', { class: `toolbar ${className}`, role: 'toolbar', 'aria-label': label },
      ...tools.map((tool) => (tool ? this.#button(tool) : h('span', { class: 'gap' }))));
    container.append(this.element);
  }

  /** @param {Tool} tool */
  #button(tool) {
    const on = tool.on ?? false;
    const label = t(tool.label), short = t(tool.short ?? tool.label);
    // The word that is seen on a touch screen is in the name that is heard (WCAG 2.5.3, label in name).
    const heard = ` ${label} `.toLowerCase().includes(` ${short} `.toLowerCase());
    const name = heard ? label : `${short}: ${label}`;
    const button = h('button', { type: 'button', id: `tool-${tool.id}`, class: 'tool', 'aria-label': name,
      'aria-keyshortcuts': tool.key,
      'data-tip': `${label} (${tool.key.toUpperCase()})`, 'aria-pressed': tool.toggle ? String(on) : null,
        onclick: () => this.use(tool.id) },
    icon(/** @type {any} */ (tool.icon)), h('span', { class: 'tool-name', 'aria-hidden': 'true' }, short));
    this.tools.set(tool.id, { ...tool, on, button });
    return button;
  }

  /** @param {string} id @param {boolean} [on] for a toggle: the state it shall have */
  use(id, on) {
    const tool = this.tools.get(id);
    if (!tool) return;
    if (tool.toggle) {
      const state = on ?? !tool.on;
      if (state === tool.on) return;
      tool.on = state;
      tool.button.setAttribute('aria-pressed', String(state));
    }
    tool.act(tool.on);
  }

  /** Shows a state that came about in another way. @param {string} id @param {boolean} on */
  mark(id, on) {
    const tool = this.tools.get(id);
    if (!tool?.toggle) return;
    tool.on = on;
    tool.button.setAttribute('aria-pressed', String(on));
  }

  /** Whether there is such a tool at present. @param {string} id @param {boolean} on */
  show(id, on) {
    const tool = this.tools.get(id);
    if (tool) tool.button.hidden = !on;
  }

  /** @param {string} key @returns {boolean} whether it was one of ours */
  press(key) {
    const tool = [...this.tools.values()].find((each) => !each.button.hidden
      && each.key.toLowerCase() === key.toLowerCase());
    if (tool) this.use(tool.id);
    return Boolean(tool);
  }
}

/** @param {string} text */
const lowerFirst = (text) => text.charAt(0).toLowerCase() + text.slice(1);

const MOUSE = [['drag', 'turn'], ['right drag', 'move'], ['wheel', 'zoom'], ['double click', 'centre on a point'],
  ['two fingers', 'zoom and move'], ['arrows', 'turn'], ['Shift + arrows', 'move'], ['+ and -', 'zoom'],
  ['Alt + wheel', 'move the slice under the mouse'], ['drag the frame of a slice', 'move the slice'],
    ['Ctrl + Z', 'undo']];

/** @param {Tool[]} tools @param {string[][]} mouse @returns {HTMLDialogElement} the list of keys and mouse buttons */
export function helpDialog(tools, mouse = MOUSE) {
  const row = (/** @type {string} */ key, /** @type {string} */ text) => h('div', { class: 'help-row' },
    h('kbd', {}, key), h('span', {}, text));
  const dialog = /** @type {HTMLDialogElement} */ (h('dialog', { class: 'help', 'aria-label': t('Mouse and keys') },
    h('h2', { tabindex: '-1', autofocus: true }, t('Mouse and keys')), // not the button below all of it
    h('div', { class: 'help-columns' },
      h('div', {}, ...mouse.map(([gesture, does]) => row(t(gesture), t(does)))),
      h('div', {}, ...tools.map((tool) => row(tool.key.toUpperCase(), lowerFirst(t(tool.label)))),
        row('Esc', t('end the tool')))),
    h('form', { method: 'dialog' }, h('button', { class: 'button primary' }, t('Close')))));
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
  return dialog;
}
