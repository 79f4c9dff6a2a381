/** Cutting all parts open: along one of the body's planes, or along any. */

import * as THREE from 'three';
import { h, icon } from '../shared/dom.js';
import { t } from '../shared/language.js';
import { Caps } from './caps.js';
import { clipping } from './part-mesh.js';

/** side: what is kept. Coronal: what is behind the plane; axial: what is below; sagittal: the patient's right. */
const PLANES = [
  { id: 'axial', name: 'Axial', normal: new THREE.Vector3(0, 0, 1), side: -1, ends: ['I', 'S'] },
  { id: 'coronal', name: 'Coronal', normal: new THREE.Vector3(0, 1, 0), side: 1, ends: ['A', 'P'] },
  { id: 'sagittal', name: 'Sagittal', normal: new THREE.Vector3(1, 0, 0), side: -1, ends: ['R', 'L'] },
];

/** @typedef {{id: string, normal: number[], at: number, flipped: boolean}} SectionState */

export class Section {
  slider = /** @type {HTMLInputElement} */ (h('input',
    { type: 'range', step: 'any', 'aria-label': t('Position of the section plane') }));

  low = h('span', { class: 'end' });

  high = h('span', { class: 'end' });

  value = h('output', { class: 'value' });

  /** @type {HTMLElement[]} */
  buttons = [];

  /**
   * @param {import('./stage.js').Stage} stage @param {import('./parts.js').Parts} parts
   * @param {() => void} changed something to undo has happened
   */
  constructor(stage, parts, changed) {
    this.stage = stage;
    this.parts = parts;
    this.changed = changed;
    this.plane = new THREE.Plane();
    this.caps = new Caps(stage);
    this.on = false;
    /** The middle of the coronal cut shows most organs best. */
    this.id = 'coronal';
    this.normal = PLANES[1].normal.clone();
    this.flipped = false;
    this.outline = new THREE.LineLoop(new THREE.BufferGeometry(), new THREE.LineBasicMaterial({ color: 0x3b82f6 }));
    this.outline.visible = false;
    stage.world.add(this.outline);
    this.element = this.#build();
    parts.addEventListener('shape', () => this.on && this.update());
    parts.addEventListener('look', () => this.on && this.update());
  }

  #build() {
    this.buttons = PLANES.map((plane) => h('button', { type: 'button', class: 'chip', 'data-plane': plane.id,
      onclick: () => this.choose(plane.id) }, t(plane.name)));
    this.buttons.push(h('button', { type: 'button', class: 'chip', 'data-plane': 'free',
      title: t('A plane that faces you; turn the scene and press again'), onclick: () => this.choose('free') },
      t('Facing me')));
    this.slider.addEventListener('input', () => this.update());
    this.slider.addEventListener('change', () => this.changed());
    const flip = h('button', { type: 'button', class: 'chip', title: t('Show the other half'), onclick: () => {
      this.flipped = !this.flipped;
      this.update();
      this.changed();
    } }, icon('flip'), t('Flip'));
    return h('div', { class: 'section-body' }, h('div', { class: 'row wrap' }, ...this.buttons, flip),
      h('div', { class: 'row' }, this.low, this.slider, this.high, this.value));
  }

  /** @param {string} id of a plane, or "free" */
  choose(id) {
    this.id = id;
    this.flipped = false;
    const known = PLANES.find((plane) => plane.id === id);
    if (known) this.normal.copy(known.normal);
    else this.stage.camera.getWorldDirection(this.normal); // away from the eye: what is nearer is taken away
    this.#setRange();
    this.slider.value = String((Number(this.slider.min) + Number(this.slider.max)) / 2);
    this.update();
    this.changed();
  }

  /** The slider reaches from one end of the parts to the other. */
  #setRange() {
    const corners = cornersOf(this.parts.bounds()).map((corner) => corner.dot(this.normal));
    Object.assign(this.slider, { min: String(Math.min(...corners)), max: String(Math.max(...corners)) });
    const known = PLANES.find((plane) => plane.id === this.id);
    [this.low.textContent, this.high.textContent] = known?.ends ?? ['', ''];
  }

  get active() {
    return this.on;
  }

  set active(on) {
    if (on === this.on) return;
    this.on = on;
    this.outline.visible = on;
    if (on && !this.slider.dataset.used) {
      this.slider.dataset.used = 'true';
      this.#setRange();
      this.slider.value = String((Number(this.slider.min) + Number(this.slider.max)) / 2);
    }
    this.update();
  }

  update() {
    this.buttons.forEach((button) => button.setAttribute('aria-pressed', String(button.dataset.plane === this.id)));
    const at = Number(this.slider.value);
    const side = (PLANES.find((plane) => plane.id === this.id)?.side ?? 1) * (this.flipped ? -1 : 1);
    this.plane.normal.copy(this.normal).multiplyScalar(side);
    this.plane.constant = -side * at;
    clipping.length = 0;
    if (this.on) clipping.push(this.plane);
    this.caps.update(this.parts.shown.filter(({ object }) => object?.visible), this.on ? this.plane : null);
    this.value.textContent = `${at.toFixed(1)} mm`;
    this.slider.setAttribute('aria-valuetext', `${at.toFixed(1)} mm`);
    this.#frame(at);
    this.stage.draw();
  }

  /** A line around the cut. @param {number} at */
  #frame(at) {
    const box = this.parts.bounds();
    if (box.isEmpty()) return;
    const u = new THREE.Vector3(), v = new THREE.Vector3();
    perpendicular(this.normal, u, v);
    const corners = cornersOf(box);
    const span = (/** @type {THREE.Vector3} */ axis) => {
      const along = corners.map((corner) => corner.dot(axis));
      const low = Math.min(...along), high = Math.max(...along), margin = 0.04 * this.stage.radius;
      return [low - margin, high + margin];
    };
    const [ul, uh] = span(u), [vl, vh] = span(v);
    this.outline.geometry.setFromPoints([[ul, vl], [uh, vl], [uh, vh], [ul, vh]].map(([a, b]) =>
      this.normal.clone().multiplyScalar(at).addScaledVector(u, a).addScaledVector(v, b)));
  }

  /** @returns {{Point: number[], Normal: number[]}} LPS mm; the normal points to the half that is shown */
  cutPlane() {
    const round = (/** @type {number} */ value) => Math.round(value * 1e5) / 1e5;
    const { normal, constant } = this.plane;
    const point = normal.clone().multiplyScalar(-constant);
    return { Point: point.toArray().map(round), Normal: normal.toArray().map(round) };
  }

  /** @returns {SectionState | null} for links */
  state() {
    if (!this.on) return null;
    return { id: this.id, normal: this.normal.toArray().map((value) => Math.round(value * 1e4) / 1e4),
      at: Math.round(Number(this.slider.value) * 10) / 10, flipped: this.flipped };
  }

  /** @param {SectionState | null} state */
  restore(state) {
    if (state) {
      this.id = state.id;
      this.normal.fromArray(state.normal).normalize();
      this.flipped = state.flipped;
      this.#setRange();
      this.slider.dataset.used = 'true';
      this.slider.value = String(state.at);
    }
    this.active = Boolean(state);
    this.update();
  }
}

/** @param {THREE.Box3} box @returns {THREE.Vector3[]} */
export const cornersOf = ({ min, max }) => [0, 1, 2, 3, 4, 5, 6, 7].map((i) =>
  new THREE.Vector3(i & 1 ? max.x : min.x, i & 2 ? max.y : min.y, i & 4 ? max.z : min.z));

/**
 * Two directions at right angles to a third.
 * @type {(normal: THREE.Vector3, u: THREE.Vector3, v: THREE.Vector3) => void}
 */
function perpendicular(normal, u, v) {
  const other = Math.abs(normal.z) < 0.9 ? new THREE.Vector3(0, 0, 1) : new THREE.Vector3(1, 0, 0);
  u.crossVectors(other, normal).normalize();
  v.crossVectors(normal, u);
}
