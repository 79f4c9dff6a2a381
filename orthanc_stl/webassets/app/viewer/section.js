/** Cutting the model open along one of the body's planes. */

import * as THREE from 'three';
import { h, icon } from '../shared/dom.js';

const PLANES = [
  { axis: 2, name: 'Axial', ends: ['I', 'S'] },
  { axis: 1, name: 'Coronal', ends: ['A', 'P'] },
  { axis: 0, name: 'Sagittal', ends: ['R', 'L'] },
];

/** The middle of the coronal cut shows most organs best; what is taken away then is what lies before it. */
const FIRST = PLANES[1];

export class Section {
  /** @param {import('./stage.js').Stage} stage @param {HTMLElement} container @param {{min: number[], max: number[]}} model */
  constructor(stage, container, model) {
    this.stage = stage;
    this.model = model;
    this.plane = new THREE.Plane();
    this.flipped = false;
    this.outline = new THREE.LineLoop(new THREE.BufferGeometry(), new THREE.LineBasicMaterial({ color: 0x3b82f6 }));
    this.outline.visible = false;
    stage.scene.add(this.outline);
    this.#build(container);
    this.choose(FIRST);
  }

  #build(container) {
    this.buttons = PLANES.map((plane) => h('button', { type: 'button', class: 'chip', onclick: () => this.choose(plane) }, plane.name));
    this.slider = h('input', { type: 'range', step: 'any', 'aria-label': 'Position of the section plane', oninput: () => this.update() });
    this.low = h('span', { class: 'end' });
    this.high = h('span', { class: 'end' });
    this.value = h('output', { class: 'value' });
    const flip = h('button', { type: 'button', class: 'chip', title: 'Show the other half', onclick: () => {
      this.flipped = !this.flipped;
      this.update();
    } }, icon('flip'), 'Flip');
    this.panel = h('div', { class: 'panel section-panel', role: 'group', 'aria-label': 'Section plane', hidden: true },
      h('div', { class: 'row' }, ...this.buttons, h('span', { class: 'grow' }), flip),
      h('div', { class: 'row' }, this.low, this.slider, this.high, this.value));
    container.append(this.panel);
  }

  choose(plane) {
    this.current = plane;
    PLANES.forEach((each, i) => this.buttons[i].setAttribute('aria-pressed', String(each === plane)));
    const low = this.model.min[plane.axis], high = this.model.max[plane.axis];
    Object.assign(this.slider, { min: low, max: high });
    this.slider.value = (low + high) / 2;
    [this.low.textContent, this.high.textContent] = plane.ends;
    this.update();
  }

  get active() {
    return !this.panel.hidden;
  }

  set active(on) {
    this.panel.hidden = !on;
    this.outline.visible = on;
    const material = this.stage.mesh.material;
    material.clippingPlanes = on ? [this.plane] : null;
    material.userData.cut.value = on ? 1 : 0;
    material.needsUpdate = true;
    this.update();
  }

  update() {
    const { axis } = this.current;
    const at = Number(this.slider.value);
    // Coronal: keep what is behind the plane; axial: what is below; sagittal: the patient's right.
    const side = (axis === 1 ? 1 : -1) * (this.flipped ? -1 : 1);
    this.plane.normal.set(0, 0, 0).setComponent(axis, side);
    this.plane.constant = -side * at;
    this.value.textContent = `${at.toFixed(1)} mm`;
    this.slider.setAttribute('aria-valuetext', `${at.toFixed(1)} mm`);
    const [u, v] = [0, 1, 2].filter((other) => other !== axis);
    const margin = 0.04 * Math.max(...this.model.max.map((high, i) => high - this.model.min[i]));
    const corners = [[0, 0], [1, 0], [1, 1], [0, 1]].map(([a, b]) => {
      const point = new THREE.Vector3().setComponent(axis, at);
      point.setComponent(u, a ? this.model.max[u] + margin : this.model.min[u] - margin);
      return point.setComponent(v, b ? this.model.max[v] + margin : this.model.min[v] - margin);
    });
    this.outline.geometry.setFromPoints(corners);
    this.stage.draw();
  }
}
