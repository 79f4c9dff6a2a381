/** Distances between points of the surface, and the size of the whole model. */

import * as THREE from 'three';
import { h, icon } from '../shared/dom.js';
import { length } from '../shared/format.js';

/** Two clicks make a distance. */
export class Measure {
  /** @param {import('./stage.js').Stage} stage @param {import('./overlay.js').Overlay} overlay @param {HTMLElement} container */
  constructor(stage, overlay, container) {
    this.stage = stage;
    this.overlay = overlay;
    this.first = null;
    this.done = [];
    this.hint = h('span', { role: 'status' });
    this.panel = h('div', { class: 'panel hint-panel', hidden: true }, this.hint,
      h('button', { type: 'button', class: 'chip', onclick: () => this.clear() }, icon('trash'), 'Clear'));
    container.append(this.panel);
    this.#listen();
  }

  /** A click is a press that did not become a drag. */
  #listen() {
    let down = null;
    this.stage.canvas.addEventListener('pointerdown', (event) => { down = event.button === 0 ? event : null; });
    this.stage.canvas.addEventListener('pointerup', (event) => {
      if (!this.active || !down || down.pointerId !== event.pointerId) return;
      if (Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) < 5) this.click(event);
    });
  }

  get active() {
    return !this.panel.hidden;
  }

  set active(on) {
    this.panel.hidden = !on;
    this.stage.canvas.classList.toggle('measuring', on);
    if (!on) this.#forgetFirst();
    this.#say();
  }

  click(event) {
    const point = this.stage.pick(event);
    if (!point) {
      this.hint.textContent = 'There is no surface there. Click on the model.';
      return;
    }
    if (!this.first) {
      this.first = { point, item: this.overlay.add('measure', [point], '') };
    } else {
      this.done.push(this.overlay.add('measure', [this.first.point, point], length(this.first.point.distanceTo(point))));
      this.#forgetFirst();
    }
    this.#say();
  }

  #forgetFirst() {
    if (this.first) this.overlay.remove(this.first.item);
    this.first = null;
  }

  #say() {
    const last = this.done.at(-1);
    this.hint.textContent = this.first ? 'Now click the second point.'
      : last ? `${last.text}. Click two more points to measure again.` : 'Click two points on the model.';
  }

  clear() {
    this.#forgetFirst();
    for (const item of this.done) this.overlay.remove(item);
    this.done = [];
    this.#say();
  }
}

/** A box around the model with its three lengths. */
export class Dimensions {
  constructor(stage, overlay, model) {
    this.stage = stage;
    this.overlay = overlay;
    this.model = model;
    this.items = [];
    const box = new THREE.Box3(new THREE.Vector3(...model.min), new THREE.Vector3(...model.max));
    this.box = new THREE.Box3Helper(box, 0x8a97a8);
    this.box.visible = false;
    stage.scene.add(this.box);
  }

  get active() {
    return this.box.visible;
  }

  set active(on) {
    this.box.visible = on;
    for (const item of this.items) this.overlay.remove(item);
    this.items = on ? this.#edges().map(([from, to]) => this.overlay.add('dimension', [from, to], length(from.distanceTo(to)))) : [];
    this.stage.draw();
  }

  /** The edges at the lower front: where they meet, the labels do not hide the model. */
  #edges() {
    const { min, max } = this.model;
    const at = (x, y, z) => new THREE.Vector3(x, y, z);
    return [[at(min[0], min[1], min[2]), at(max[0], min[1], min[2])], [at(max[0], min[1], min[2]), at(max[0], max[1], min[2])],
      [at(min[0], min[1], min[2]), at(min[0], min[1], max[2])]];
  }
}
