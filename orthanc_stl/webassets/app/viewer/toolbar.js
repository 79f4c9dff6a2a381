/** Buttons with an icon, a name and a key. */

import { h, icon } from '../shared/dom.js';

/**
 * @typedef {object} Tool
 * @property {string} id @property {string} icon @property {string} label what the button does
 * @property {string} key one letter, also without the mouse
 * @property {(on: boolean) => void} act toggles get their new state
 * @property {boolean} [toggle] @property {boolean} [on] at the beginning
 */

export class Toolbar {
  /** @param {HTMLElement} container @param {string} className @param {string} label @param {(Tool | null)[]} tools null: a gap */
  constructor(container, className, label, tools) {
    this.tools = new Map(tools.filter(Boolean).map((tool) => [tool.id, { ...tool, on: tool.on ?? false }]));
    this.element = h('div', { class: `toolbar ${className}`, role: 'toolbar', 'aria-label': label },
      ...tools.map((tool) => (tool ? this.#button(this.tools.get(tool.id)) : h('span', { class: 'gap' }))));
    container.append(this.element);
  }

  #button(tool) {
    tool.button = h('button', { type: 'button', id: `tool-${tool.id}`, class: 'tool', 'aria-label': tool.label, 'aria-keyshortcuts': tool.key,
      'data-tip': `${tool.label} (${tool.key.toUpperCase()})`, 'aria-pressed': tool.toggle ? String(tool.on) : null,
      onclick: () => this.use(tool.id) }, icon(tool.icon));
    return tool.button;
  }

  /** @param {string} id @param {boolean} [on] for a toggle: the state it shall have */
  use(id, on) {
    const tool = this.tools.get(id);
    if (tool.toggle) {
      const state = on ?? !tool.on;
      if (state === tool.on) return;
      tool.on = state;
      tool.button.setAttribute('aria-pressed', String(state));
    }
    tool.act(tool.on);
  }

  /** @param {string} key @returns {boolean} whether it was one of ours */
  press(key) {
    const tool = [...this.tools.values()].find((each) => each.key.toLowerCase() === key.toLowerCase());
    if (tool) this.use(tool.id);
    return Boolean(tool);
  }
}

const lowerFirst = (text) => text.charAt(0).toLowerCase() + text.slice(1);

const MOUSE = [['drag', 'turn'], ['right drag', 'move'], ['wheel', 'zoom'], ['double click', 'centre on a point'], ['two fingers', 'zoom and move'], ['arrows', 'turn'], ['Shift + arrows', 'move'], ['+ and -', 'zoom']];

/** @param {Tool[]} tools @param {string[][]} mouse @returns {HTMLDialogElement} the list of keys and mouse buttons */
export function helpDialog(tools, mouse = MOUSE) {
  const row = (key, text) => h('div', { class: 'help-row' }, h('kbd', {}, key), h('span', {}, text));
  const dialog = h('dialog', { class: 'help', 'aria-label': 'Mouse and keys' },
    h('h2', {}, 'Mouse and keys'),
    h('div', { class: 'help-columns' },
      h('div', {}, ...mouse.map(([gesture, does]) => row(gesture, does))),
      h('div', {}, ...tools.map((tool) => row(tool.key.toUpperCase(), lowerFirst(tool.label))), row('Esc', 'end the tool'))),
    h('form', { method: 'dialog' }, h('button', { class: 'button primary' }, 'Close')));
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
  return dialog;
}
