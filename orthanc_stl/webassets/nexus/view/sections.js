/** Cutting the model open along X, Y and Z, each with its place and side; planes and edges shown if wanted. */

import * as THREE from 'three';
import { h, icon } from '../../app/shared/dom.js';
import { t } from '../../app/shared/language.js';
import { digits } from './tools.js';

const AXES = ['X', 'Y', 'Z'];
const COLOURS = [0xd6336c, 0x2f9e44, 0x1c7ed6];

/** A plane as one sees it: a pane with a frame, as large as the model's box. @param {number} colour */
function pane(colour) {
  const frame = new THREE.LineLoop(new THREE.BufferGeometry(), new THREE.LineBasicMaterial({ color: colour }));
  const face = new THREE.Mesh(new THREE.BufferGeometry(),
    new THREE.MeshBasicMaterial({ color: colour, transparent: true, opacity: 0.16, side: THREE.DoubleSide,
      depthWrite: false }));
  face.geometry.setIndex([0, 1, 2, 0, 2, 3]);
  const group = new THREE.Group();
  group.add(frame, face);
  group.visible = false;
  return group;
}

/** @typedef {Sections['cuts'][number]} Cut */

export class Sections {
  /** @param {import('./stage.js').Stage} stage @param {HTMLElement} container */
  constructor(stage, container) {
    this.stage = stage;
    this.cuts = AXES.map((name, axis) => ({ name, axis, on: false, flipped: false, at: 0.5, plane: new THREE.Plane(),
      pane: pane(COLOURS[axis]), button: h('button'), value: h('output'),
      slider: /** @type {HTMLInputElement} */ (h('input')) }));
    this.showPlanes = true;
    this.showEdges = true;
    for (const { pane: shown } of this.cuts) stage.scene.add(shown);
    this.panel = h('div', { class: 'panel section-panel', role: 'group', 'aria-label': t('Sections'), hidden: true },
      ...this.cuts.map((cut) => this.#row(cut)),
      h('div', { class: 'row' },
        this.#switch(t('Planes'), 'showPlanes'), this.#switch(t('Edges'), 'showEdges'), h('span', { class: 'grow' }),
        h('button', { type: 'button', class: 'chip', onclick: () => this.reset() }, t('Reset'))));
    container.append(this.panel);
  }

  /** @param {Cut} cut */
  #row(cut) {
    const label = t('Section {axis}', { axis: cut.name });
    cut.button = h('button', { type: 'button', class: 'chip axis', id: `section-${cut.name.toLowerCase()}`,
      'aria-pressed': 'false', 'aria-label': label,
      onclick: () => this.set(cut, { on: !cut.on }) }, cut.name);
    cut.slider = /** @type {HTMLInputElement} */ (h('input', { type: 'range', min: '0', max: '1', step: 'any',
      value: '0.5', 'aria-label': t('Place of section {axis}', { axis: cut.name }),
      oninput: () => this.set(cut, { on: true, at: Number(cut.slider.value) }) }));
    cut.value = h('output', { class: 'value' });
    const flip = h('button',
      { type: 'button', class: 'chip', 'aria-label': t('Show the other side of section {axis}', { axis: cut.name }),
      onclick: () => this.set(cut, { on: true, flipped: !cut.flipped }) }, icon('flip'), t('Flip'));
    return h('div', { class: 'row' }, cut.button, cut.slider, cut.value, flip);
  }

  /** @param {string} label @param {'showPlanes' | 'showEdges'} field */
  #switch(label, field) {
    const button = h('button', { type: 'button', class: 'chip', 'aria-pressed': String(this[field]), onclick: () => {
      this[field] = !this[field];
      button.setAttribute('aria-pressed', String(this[field]));
      this.update();
    } }, label);
    return button;
  }

  /** @param {Cut} cut @param {Partial<Cut>} change */
  set(cut, change) {
    Object.assign(cut, change);
    this.update();
  }

  reset() {
    for (const cut of this.cuts) Object.assign(cut, { on: false, flipped: false, at: 0.5 });
    this.update();
  }

  get active() {
    return !this.panel.hidden;
  }

  /** Closing the panel closes the model. Opening it with nothing cut cuts X in the middle. */
  set active(on) {
    this.panel.hidden = !on;
    if (on && !this.cuts.some((cut) => cut.on)) this.cuts[0].on = true;
    this.update();
  }

  update() {
    const box = this.stage.nodes.box;
    const margin = 0.04 * this.stage.radius;
    const { centre } = /** @type {import('../stream/model.js').NexusModel} */ (this.stage.model).header;
    /** @type {THREE.Plane[]} */
    const planes = [];
    for (const cut of this.cuts) {
      const low = box.min.getComponent(cut.axis), high = box.max.getComponent(cut.axis);
      const place = low + cut.at * (high - low);
      const side = cut.flipped ? 1 : -1;
      cut.plane.normal.set(0, 0, 0).setComponent(cut.axis, side);
      cut.plane.constant = -side * place;
      cut.button.setAttribute('aria-pressed', String(cut.on));
      cut.slider.value = String(cut.at);
      cut.value.textContent = digits(place + centre[cut.axis], this.stage.radius);
      cut.slider.setAttribute('aria-valuetext', cut.value.textContent);
      cut.pane.visible = this.active && cut.on && this.showPlanes;
      if (cut.pane.visible) this.#place(cut, place, box, margin);
      if (this.active && cut.on) planes.push(cut.plane);
    }
    this.stage.materials.edges = this.showEdges;
    if (planes.length === this.stage.materials.planes.length
      && planes.every((plane, i) => plane === this.stage.materials.planes[i])) {
      this.stage.draw();
    } else this.stage.setLook({ planes });
  }

  /** @param {Cut} cut @param {number} place @param {THREE.Box3} box @param {number} margin */
  #place(cut, place, box, margin) {
    const [u, v] = [0, 1, 2].filter((other) => other !== cut.axis);
    const corners = [[0, 0], [1, 0], [1, 1], [0, 1]].map(([a, b]) => {
      const point = new THREE.Vector3().setComponent(cut.axis, place);
      point.setComponent(u, a ? box.max.getComponent(u) + margin : box.min.getComponent(u) - margin);
      return point.setComponent(v, b ? box.max.getComponent(v) + margin : box.min.getComponent(v) - margin);
    });
    for (const child of cut.pane.children) /** @type {THREE.Mesh} */ (child).geometry.setFromPoints(corners);
  }
}
