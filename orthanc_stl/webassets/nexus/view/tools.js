/** Tools that work by clicking on the model or dragging over it: distances, points, the direction of the light. */

import { h, icon } from '../../app/shared/dom.js';
import { t } from '../../app/shared/language.js';

/** A number with as many digits as make sense for a model of that size. @param {number} value @param {number} size */
export const digits = (value, size) => value.toFixed(Math.max(0, Math.min(8, 4 - Math.floor(Math.log10(size)))));

/** @typedef {import('three').Vector3} Vector3 */
/** @typedef {import('./stage.js').Stage} Stage */
/** @typedef {import('../../app/viewer/overlay.js').Overlay} Overlay */
/** @typedef {import('../../app/viewer/overlay.js').Item} Item */

/** What clicking tools have in common: a panel with a hint, and clicks that are no drags. */
class ClickTool {
  opening = '';

  /** @param {Stage} stage @param {Overlay} overlay @param {HTMLElement} container */
  constructor(stage, overlay, container) {
    this.stage = stage;
    this.overlay = overlay;
    /** @type {Item[]} */
    this.items = [];
    this.hint = h('span', { role: 'status' });
    this.panel = h('div', { class: 'panel hint-panel', hidden: true }, this.hint,
      h('button', { type: 'button', class: 'chip', onclick: () => this.clear() }, icon('trash'), t('Clear')));
    container.append(this.panel);
    /** @type {PointerEvent | null} */
    let down = null;
    stage.canvas.addEventListener('pointerdown', (event) => { down = event.button === 0 && !event.ctrlKey ? event
      : null; });
    stage.canvas.addEventListener('pointerup', (event) => {
      if (!this.active || !down || down.pointerId !== event.pointerId) return;
      if (Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) < 5) this.#click(event);
    });
  }

  get active() {
    return !this.panel.hidden;
  }

  set active(on) {
    this.panel.hidden = !on;
    this.stage.canvas.classList.toggle('measuring', on);
    this.say(this.opening);
  }

  /** A click has met the model there. @param {Vector3} _point */
  take(_point) {}

  /** @param {PointerEvent} event */
  #click(event) {
    const point = this.stage.pick(event);
    if (point) this.take(point);
    else this.say(t('There is no surface there. Click on the model.'));
  }

  /** @param {string} text */
  say(text) {
    this.hint.textContent = text;
  }

  clear() {
    for (const item of this.items) this.overlay.remove(item);
    this.items = [];
    this.say(this.opening);
  }
}

export class Measure extends ClickTool {
  opening = t('Click two points on the model.');

  /** @type {Item | null} */
  first = null;

  /** @param {Vector3} point */
  take(point) {
    if (!this.first) {
      this.first = this.overlay.add('measure', [point], '');
      this.items.push(this.first);
      this.say(t('Now click the second point.'));
      return;
    }
    const from = this.first.points[0];
    this.#forgetFirst();
    const text = digits(from.distanceTo(point), this.stage.radius);
    this.items.push(this.overlay.add('measure', [from, point], text));
    this.say(`Distance: ${text} (in the units of the model). Click two more points to measure again.`);
  }

  #forgetFirst() {
    if (!this.first) return;
    this.overlay.remove(this.first);
    this.items = this.items.filter((item) => item !== this.first);
    this.first = null;
  }

  set active(on) {
    if (!on) this.#forgetFirst();
    super.active = on;
  }

  get active() {
    return super.active;
  }

  clear() {
    this.first = null;
    super.clear();
  }
}

export class PickPoint extends ClickTool {
  opening = t('Click a point on the model to read its coordinates.');

  /** @param {Vector3} point */
  take(point) {
    this.clear();
    const [x, y, z] = this.stage.coordinates(point).map((value) => digits(value, this.stage.radius));
    this.items = [this.overlay.add('measure', [point], '')];
    this.say(`X ${x}   Y ${y}   Z ${z}`);
  }
}

/** Dragging moves the light instead of the model; a ball shows from where it comes. */
export class LightDirection {
  /** @param {Stage} stage @param {HTMLElement} container */
  constructor(stage, container) {
    this.stage = stage;
    this.ball = h('div', { class: 'light-ball', 'aria-hidden': 'true' });
    this.panel = h('div', { class: 'panel hint-panel', hidden: true }, this.ball,
      h('span', {}, t('Drag to move the light.')),
      h('button', { type: 'button', class: 'chip', onclick: () => this.#aim(-0.35, 0.4) }, t('Reset')));
    container.append(this.panel);
    /** @type {PointerEvent | null} */
    this.last = null;
    stage.canvas.addEventListener('pointerdown', (event) => { this.last = this.active ? event : null; });
    stage.canvas.addEventListener('pointermove', (event) => {
      if (!this.active || !this.last || event.buttons !== 1) return;
      const [turn, height] = stage.lightAngles;
      this.#aim(turn + (event.clientX - this.last.clientX) / 150, height - (event.clientY - this.last.clientY) / 150);
      this.last = event;
    });
  }

  /** @param {number} turn @param {number} height */
  #aim(turn, height) {
    const limit = (/** @type {number} */ angle) => Math.max(-1.5, Math.min(1.5, angle));
    this.stage.aimLight(limit(turn), limit(height));
    this.#show();
  }

  #show() {
    const { x, y } = this.stage.light.position;
    this.ball.style.setProperty('--light-x', `${50 + 38 * x}%`);
    this.ball.style.setProperty('--light-y', `${50 - 38 * y}%`);
  }

  get active() {
    return !this.panel.hidden;
  }

  set active(on) {
    this.panel.hidden = !on;
    this.stage.controls.enableRotate = !on;
    this.stage.canvas.classList.toggle('lighting', on);
    this.#show();
  }
}
