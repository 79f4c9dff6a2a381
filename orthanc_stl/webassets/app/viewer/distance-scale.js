/** The scale of a part that is colored by its distance to another one: colors, their mm, and the value at the mouse. */

import * as THREE from 'three';
import { h } from '../shared/dom.js';
import { t } from '../shared/language.js';

/** Inside, on the surface, outside: the same as the server's (conversion/comparison.py), 0..255. */
const COLORS = [[59, 76, 192], [221, 221, 221], [180, 4, 38]];
const LEGEND = [1, 0.5, 0, -0.5, -1];

/** @param {number} share of the scale, -1..1 @returns {number[]} 0..255, sRGB */
export function colorOf(share) {
  const end = share < 0 ? COLORS[0] : COLORS[2], part = Math.min(1, Math.abs(share));
  return COLORS[1].map((middle, i) => Math.round(middle + part * (end[i] - middle)));
}

/** @param {number} mm @returns {string} with its sign: "+2.5 mm" */
const signed = (mm) => `${mm > 0 ? '+' : mm < 0 ? '\u2212' : ''}${Math.abs(mm).toFixed(Math.abs(mm) < 10 ? 2 : 1)} mm`;

export class DistanceScale {
  /** @param {import('./app.js').App} app @param {string} to the name of what the distances are to */
  constructor(app, to) {
    this.app = app;
    this.part = app.parts.all[0];
    this.end = 0;
    this.input = /** @type {HTMLInputElement} */ (h('input', { type: 'number', min: '0.01', step: 'any',
      'aria-label': t('End of the scale (mm)'), onchange: () => this.#setEnd(Number(this.input.value)) }));
    this.marks = LEGEND.map(() => h('span', {}));
    this.value = h('output', { class: 'scale-value' });
    const bar = h('div', { class: 'scale-bar' });
    bar.style.background = `linear-gradient(${LEGEND.map((share) => `rgb(${colorOf(share).join(' ')})`).join(', ')})`;
    const title = t('Distance to {name}', { name: to });
    this.element = h('section', { class: 'distance-scale', hidden: true, 'aria-label': title },
      h('p', { class: 'scale-title', dir: 'auto' }, title),
      h('div', { class: 'scale-body' }, bar, h('div', { class: 'scale-marks' }, ...this.marks),
        h('div', { class: 'scale-sides' }, h('span', {}, t('outside')), h('span', {}, t('inside')))),
      h('label', { class: 'small' }, '±', this.input, 'mm'), this.value);
    app.stage.container.append(this.element);
    app.parts.addEventListener('shape', () => this.#arrived());
    app.stage.canvas.addEventListener('pointermove', (event) => this.#point(event));
  }

  /** @returns {Float32Array | null} mm, by vertex, once the part is there */
  get distances() {
    return /** @type {any} */ (this.part.model)?.distances ?? null;
  }

  /** What the picture says of the colors. */
  get legend() {
    return LEGEND.map((share) => ({ color: colorOf(share), text: signed(share * this.end) }));
  }

  #arrived() {
    const { object } = this.part, far = this.distances;
    if (!object || !far || object.geometry.getAttribute('color')) return;
    object.geometry.setAttribute('color', new THREE.BufferAttribute(new Float32Array(far.length * 3), 3));
    object.material.vertexColors = true;
    object.material.needsUpdate = true;
    this.element.hidden = false;
    this.#setEnd(far.reduce((most, value) => Math.max(most, Math.abs(value)), 0));
  }

  /** @param {number} mm at both ends of the scale */
  #setEnd(mm) {
    const colors = this.part.object?.geometry.getAttribute('color'), far = this.distances;
    if (!colors || !far) return;
    if (mm > 0) this.end = Number(mm.toPrecision(3));
    else if (!this.end) this.end = 1; // two equal surfaces
    this.input.value = String(this.end);
    this.marks.forEach((mark, i) => { mark.textContent = signed(LEGEND[i] * this.end); });
    const color = new THREE.Color();
    far.forEach((value, i) => {
      const [red, green, blue] = colorOf(value / this.end);
      color.setRGB(red / 255, green / 255, blue / 255, THREE.SRGBColorSpace);
      colors.setXYZ(i, color.r, color.g, color.b);
    });
    colors.needsUpdate = true;
    this.app.stage.draw();
  }

  /** The distance below the mouse. @param {PointerEvent} event */
  #point(event) {
    if (event.buttons || !this.distances) return;
    const hit = this.app.hitAt(event);
    const mm = hit?.part === this.part && !hit.plane ? this.#at(hit.point) : null;
    this.value.textContent = mm === null ? '' : signed(mm);
  }

  /** @param {THREE.Vector3} point on the surface @returns {number | null} the mm of the nearest corner there */
  #at(point) {
    const { object, tree } = this.part, far = this.distances;
    if (!object || !tree || !far) return null;
    const local = point.clone().sub(object.position);
    const found = tree.closestPointToPoint(local);
    if (!found) return null;
    const { index, attributes: { position } } = object.geometry;
    const corners = [0, 1, 2].map((i) => /** @type {THREE.BufferAttribute} */ (index).getX(3 * found.faceIndex + i));
    const apart = (/** @type {number} */ corner) =>
      new THREE.Vector3().fromBufferAttribute(position, corner).distanceToSquared(local);
    return far[corners.sort((a, b) => apart(a) - apart(b))[0]];
  }
}
