/**
 * One plane of the images flat on the screen, the way radiologists look at it, with outlines and the other planes as
 * lines.
 */

import * as THREE from 'three';
import { h } from '../shared/dom.js';
import { t } from '../shared/language.js';
import { Labels } from './labels.js';
import { lettersOf } from './letters.js';
import { average } from './overlay.js';

/** What points right and down on the screen, by the axis of the body that the plane stands across. */
const SCREEN = [
  { right: new THREE.Vector3(0, 1, 0), down: new THREE.Vector3(0, 0, -1) }, // sagittal: the front is on the left
  { right: new THREE.Vector3(1, 0, 0), down: new THREE.Vector3(0, 0, -1) }, // coronal: seen from the front
  { right: new THREE.Vector3(1, 0, 0), down: new THREE.Vector3(0, 1, 0) }, // axial: seen from the feet
];
const COLORS = ['#f5c542', '#4cc3ff', '#ff6b6b']; // lines of the other planes: by axis of the stack

export class PlaneView {
  /**
   * @param {import('./slices.js').Slices} slices @param {number} axis of the stack
   * @param {import('./measure.js').Measure} measure @param {(hit: import('./picking.js').Hit) => void} clicked
   */
  constructor(slices, axis, measure, clicked) {
    this.slices = slices;
    this.axis = axis;
    this.measure = measure;
    this.clicked = clicked;
    this.zoom = 1;
    this.pan = { x: 0, y: 0 };
    this.canvas = /** @type {HTMLCanvasElement} */ (h('canvas', { tabindex: '0', role: 'img' }));
    this.title = h('span', { class: 'plane-title' });
    this.value = h('span', { class: 'plane-value' });
    this.letters = ['left', 'right', 'top', 'bottom']
      .map((edge) => h('span', { class: `edge-letter ${edge}`, 'aria-hidden': 'true' }));
    this.slider = /** @type {HTMLInputElement} */ (h('input', { type: 'range', class: 'plane-slider', min: '0',
      step: '1', oninput: () => slices.move(axis, Number(this.slider.value)), onchange: () => slices.changed() }));
    this.labels = h('div', { class: 'overlay-labels' });
    this.element = h('div', { class: 'view view-plane', 'data-axis': axis }, this.canvas, this.labels, this.title,
      this.value, ...this.letters, this.slider);
    this.picture = document.createElement('canvas');
    new ResizeObserver(() => this.draw()).observe(this.element);
    slices.addEventListener('slice', () => this.draw());
    this.#listen();
  }

  #listen() {
    const { canvas } = this;
    canvas.addEventListener('wheel', (event) => {
      event.preventDefault();
      if (event.ctrlKey) this.zoom = Math.min(20, Math.max(0.5, this.zoom * (event.deltaY > 0 ? 0.9 : 1.11)));
      else this.#step(event.deltaY > 0 ? 1 : -1);
      this.draw();
    }, { passive: false });
    canvas.addEventListener('keydown', (event) => {
      const step = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10 }[event.key];
      if (step === undefined) return;
      this.#step(step);
      event.preventDefault();
      event.stopPropagation();
    });
    /** @type {{x: number, y: number, button: number, moved: boolean} | null} */
    let down = null;
    canvas.addEventListener('contextmenu', (event) => event.preventDefault());
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      down = { x: event.clientX, y: event.clientY, button: event.button, moved: false };
      if (event.button === 0 && !this.measure.active) this.#crosshair(event);
    });
    canvas.addEventListener('pointermove', (event) => {
      this.#sayValue(event);
      if (!down) return;
      const dx = event.clientX - down.x, dy = event.clientY - down.y;
      if (Math.abs(dx) + Math.abs(dy) > 4) down.moved = true;
      if (down.button === 0 && !this.measure.active) return void this.#crosshair(event);
      if (down.button === 2) this.#window(dx, dy);
      else if (down.button === 1 || down.moved) this.pan = { x: this.pan.x + dx, y: this.pan.y + dy };
      if (down.button === 2 || down.button === 1 || down.moved) Object.assign(down,
        { x: event.clientX, y: event.clientY });
      this.draw();
    });
    canvas.addEventListener('pointerup', (event) => {
      if (down && !down.moved && down.button === 0 && this.measure.active) this.#click(event);
      if (down) this.slices.changed();
      down = null;
    });
  }

  /** Right and left the width, up and down the centre. @param {number} dx @param {number} dy */
  #window(dx, dy) {
    const [centre, width] = this.slices.window;
    const speed = Math.max(1, width / 300);
    this.slices.setWindow([centre + dy * speed, Math.max(1, width + dx * speed)]);
  }

  /** @param {number} step */
  #step(step) {
    const slice = this.slices.all[this.axis];
    if (slice) this.slices.move(this.axis, slice.index + step * this.#sense());
    this.slices.changed();
  }

  /** So that "on" is towards the feet, the back, the left in every stack. */
  #sense() {
    const { stack } = this.slices;
    const towards = [1, 1, -1][this.#body()];
    return stack && stack.axes[this.axis].getComponent(this.#body()) * towards < 0 ? -1 : 1;
  }

  /** @returns {number} the axis of the body that the plane stands across */
  #body() {
    const normal = this.slices.all[this.axis].face.plane.normal.toArray().map(Math.abs);
    return normal.indexOf(Math.max(...normal));
  }

  /** The other two planes come through the point. @param {PointerEvent} event */
  #crosshair(event) {
    const point = this.pointAt(event);
    if (!point || !this.slices.stack) return;
    const index = this.slices.stack.indexOf(point);
    for (const axis of [0, 1, 2]) if (axis !== this.axis) this.slices.move(axis, index[axis]);
    this.slices.last = this.axis;
  }

  /** @param {PointerEvent} event */
  #click(event) {
    const point = this.pointAt(event);
    if (point) this.clicked({ point, distance: 0, part: null, plane: this.slices.all[this.axis].face.plane,
      axis: this.axis });
  }

  /** @param {PointerEvent} event */
  #sayValue(event) {
    const { stack } = this.slices;
    const point = this.pointAt(event);
    const value = stack && point ? stack.valueAt(point) : null;
    this.value.textContent = value === null ? '' : `${Math.round(value * 100) / 100} ${stack?.units ?? ''}`;
  }

  /** How LPS mm become CSS pixels of this view. */
  #frame() {
    const { face } = this.slices.all[this.axis];
    const screen = SCREEN[this.#body()];
    const axes = [face.u.clone().normalize(), face.v.clone().normalize()];
    const first = Math.abs(axes[0].dot(screen.right)) >= Math.abs(axes[1].dot(screen.right)) ? axes[0] : axes[1];
    const right = first.clone().multiplyScalar(Math.sign(first.dot(screen.right)) || 1);
    const down = face.plane.normal.clone().cross(right);
    if (down.dot(screen.down) < 0) down.negate();
    const centre = face.origin.clone().addScaledVector(face.u, (face.width - 1) / 2).addScaledVector(face.v,
      (face.height - 1) / 2);
    const spread = (/** @type {THREE.Vector3} */ along) => Math.abs(face.u.dot(along)) * face.width
      + Math.abs(face.v.dot(along)) * face.height;
    const width = this.element.clientWidth, height = this.element.clientHeight;
    const scale = Math.min((width - 8) / spread(right), (height - 8) / spread(down)) * this.zoom;
    return { face, right, down, centre, scale, x: width / 2 + this.pan.x, y: height / 2 + this.pan.y, width, height };
  }

  /** @param {{clientX: number, clientY: number}} event @returns {THREE.Vector3 | null} LPS mm */
  pointAt({ clientX, clientY }) {
    if (!this.slices.stack) return null;
    const box = this.canvas.getBoundingClientRect();
    const { right, down, centre, scale, x, y } = this.#frame();
    return centre.clone().addScaledVector(right, (clientX - box.left - x) / scale).addScaledVector(down,
      (clientY - box.top - y) / scale);
  }

  draw() {
    const { stack } = this.slices;
    if (!stack || !this.element.clientWidth || !this.element.isConnected) return;
    const slice = this.slices.all[this.axis], frame = this.#frame();
    const { face, right, down, centre, scale, x, y, width, height } = frame;
    const ratio = Math.min(devicePixelRatio, 2);
    Object.assign(this.canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    Object.assign(this.picture, { width: face.width, height: face.height });
    const data = new ImageData(new Uint8ClampedArray(/** @type {ArrayBuffer} */ (slice.pixels.buffer)), face.width,
      face.height);
    /** @type {CanvasRenderingContext2D} */ (this.picture.getContext('2d')).putImageData(data, 0, 0);
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext('2d'));
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = '#000';
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    const corner = face.origin.clone().addScaledVector(face.u, -0.5).addScaledVector(face.v, -0.5).sub(centre);
    const k = scale * ratio;
    context.setTransform(face.u.dot(right) * k, face.u.dot(down) * k, face.v.dot(right) * k, face.v.dot(down) * k,
      corner.dot(right) * k + x * ratio, corner.dot(down) * k + y * ratio);
    context.drawImage(this.picture, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const put = (/** @type {number} */ px, /** @type {number} */ py, /** @type {number} */ pz) => [
      ((px - centre.x) * right.x + (py - centre.y) * right.y + (pz - centre.z) * right.z) * scale + x,
      ((px - centre.x) * down.x + (py - centre.y) * down.y + (pz - centre.z) * down.z) * scale + y];
    this.#drawCrosshair(context, put);
    this.#drawOutlines(context, slice, put);
    this.#drawMeasurements(context, face.plane, put);
    this.#words(slice, right, down);
  }

  /**
   * @param {CanvasRenderingContext2D} context @param {import('./slices.js').Slice} slice
   * @param {(x: number, y: number, z: number) => number[]} put
   */
  #drawOutlines(context, slice, put) {
    context.lineWidth = 1.6;
    for (const [part, segments] of slice.cuts) {
      context.strokeStyle = `rgb(${part.color.join(' ')})`;
      context.beginPath();
      for (let i = 0; i < segments.length; i += 6) {
        const from = put(segments[i], segments[i + 1], segments[i + 2]), to = put(segments[i + 3], segments[i + 4],
          segments[i + 5]);
        context.moveTo(from[0], from[1]);
        context.lineTo(to[0], to[1]);
      }
      context.stroke();
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {(x: number, y: number, z: number) => number[]} put */
  #drawCrosshair(context, put) {
    const stack = /** @type {import('./stack.js').Stack} */ (this.slices.stack);
    const at = this.slices.all.map(({ index }) => index);
    for (const axis of [0, 1, 2].filter((each) => each !== this.axis)) {
      const along = [0, 1, 2].find((each) => each !== axis && each !== this.axis) ?? 0;
      const ends = [-0.5, stack.size[along] - 0.5].map((value) => {
        const index = [...at];
        index[along] = value;
        const { x, y, z } = stack.point(index[0], index[1], index[2]);
        return put(x, y, z);
      });
      context.strokeStyle = COLORS[axis];
      context.globalAlpha = 0.55;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(ends[0][0], ends[0][1]);
      context.lineTo(ends[1][0], ends[1][1]);
      context.stroke();
      context.globalAlpha = 1;
    }
  }

  /**
   * Those that lie in this plane.
   * @param {CanvasRenderingContext2D} context @param {THREE.Plane} plane
   * @param {(x: number, y: number, z: number) => number[]} put
   */
  #drawMeasurements(context, plane, put) {
    const placed = new Labels();
    this.labels.replaceChildren();
    const clicks = this.measure.clicks.map(({ point }) => ({ points: [point.toArray()], text: '', closed: false }));
    for (const { points, text, closed } of [...this.measure.state(), ...clicks]) {
      if (points.some((point) => Math.abs(plane.distanceToPoint(new THREE.Vector3().fromArray(point))) > 0.6)) continue;
      const at = points.map(([px, py, pz]) => put(px, py, pz));
      context.strokeStyle = context.fillStyle = '#fdba74';
      context.lineWidth = 2;
      context.beginPath();
      at.forEach(([px, py], i) => (i ? context.lineTo(px, py) : context.moveTo(px, py)));
      if (closed) context.closePath();
      context.stroke();
      if (at.length < 4) for (const [px, py] of at) context.fillRect(px - 2.5, py - 2.5, 5, 5);
      if (!text) continue;
      const label = h('div', { class: 'label measure' }, text);
      this.labels.append(label);
      const middle = [0, 1].map((i) => average(at.map((point) => point[i])));
      const { x, y } = placed.place(label, middle[0], middle[1]);
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(middle[0], middle[1]);
      context.lineTo(x, y);
      context.stroke();
    }
  }

  /** @param {import('./slices.js').Slice} slice @param {THREE.Vector3} right @param {THREE.Vector3} down */
  #words(slice, right, down) {
    const stack = /** @type {import('./stack.js').Stack} */ (this.slices.stack);
    const count = stack.size[this.axis];
    const { index } = slice;
    this.title.textContent = `${t(slice.name.charAt(0).toUpperCase() + slice.name.slice(1))} ${index + 1}/${count}`;
    Object.assign(this.slider, { max: String(count - 1), value: String(index) });
    this.slider.setAttribute('aria-label', t('{plane} slice', { plane: t(slice.name) }));
    this.canvas.setAttribute('aria-label', `${t('{plane} slice', { plane: t(slice.name) })} ${index + 1}/${count}`);
    [right.clone().negate(), right, down.clone().negate(),
      down].forEach((direction, i) => { this.letters[i].textContent = lettersOf(direction.toArray()); });
  }
}
