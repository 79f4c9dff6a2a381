/** Tools of the Nexus page that take the mouse: distances and angles, points, the direction of the light. */

import { h, icon } from '../../app/shared/dom.js';
import { t } from '../../app/shared/language.js';
import { onClick } from '../../app/viewer/click.js';
import { Measure } from '../../app/viewer/measure.js';

/** A number with as many digits as make sense for a model of that size. @param {number} value @param {number} size */
export const digits = (value, size) => value.toFixed(Math.max(0, Math.min(8, 4 - Math.floor(Math.log10(size)))));

/** @typedef {import('three').Vector3} Vector3 */
/** @typedef {import('./stage.js').NexusStage} Stage */
/** @typedef {import('../../app/viewer/overlay.js').Overlay} Overlay */

/** What clicking tools have in common: a panel, and a cross for the mouse. */
class ClickTool {
  /** @param {Stage} stage @param {HTMLElement} container @param {(Node | string)[]} content of the panel */
  constructor(stage, container, ...content) {
    this.stage = stage;
    this.panel = h('div', { class: 'panel hint-panel', hidden: true }, ...content);
    container.append(this.panel);
    onClick(stage.canvas, (event) => { if (this.active) this.take(stage.pick(event)); });
  }

  get active() {
    return !this.panel.hidden;
  }

  set active(on) {
    this.panel.hidden = !on;
    this.stage.canvas.classList.toggle('measuring', on);
  }

  /** What a click has met. @param {Vector3 | null} _point of the model, relative to its middle */
  take(_point) {}
}

/** Distances and angles, in the units of the model: the file does not say which they are. */
export class MeasureTool extends ClickTool {
  /** @param {Stage} stage @param {Overlay} overlay @param {HTMLElement} container */
  constructor(stage, overlay, container) {
    const measure = new Measure(overlay, { kinds: ['distance', 'angle'],
      length: (value) => digits(value, stage.radius) });
    super(stage, container, measure.element);
    this.measure = measure;
  }

  get active() {
    return super.active;
  }

  set active(on) {
    super.active = on;
    this.measure.active = on;
  }

  /** @param {Vector3 | null} point */
  take(point) {
    this.measure.click(point && { point, distance: 0, part: null, plane: null, axis: null });
  }
}

export class PickPoint extends ClickTool {
  /** @param {Stage} stage @param {Overlay} overlay @param {HTMLElement} container */
  constructor(stage, overlay, container) {
    const hint = h('span', { role: 'status' });
    super(stage, container, hint,
      h('button', { type: 'button', class: 'chip', onclick: () => this.clear() }, icon('trash'), t('Clear')));
    this.overlay = overlay;
    this.hint = hint;
    /** @type {import('../../app/viewer/overlay.js').Item | null} */
    this.mark = null;
    this.clear();
  }

  /** @param {Vector3 | null} point */
  take(point) {
    if (!point) {
      this.hint.textContent = t('There is no surface there. Click on the model.');
      return;
    }
    this.clear();
    const [x, y, z] = this.stage.coordinates(point).map((value) => digits(value, this.stage.radius));
    this.mark = this.overlay.add('measure', [point], '');
    this.hint.textContent = `X ${x}   Y ${y}   Z ${z}`;
  }

  clear() {
    if (this.mark) this.overlay.remove(this.mark);
    this.mark = null;
    this.hint.textContent = t('Click a point on the model to read its coordinates.');
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
