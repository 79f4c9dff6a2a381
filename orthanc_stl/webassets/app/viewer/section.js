/** Cutting all parts open: along one of the body's planes, or along any. */

import * as THREE from 'three';
import { h } from '../shared/dom.js';
import { t } from '../shared/language.js';
import { Caps } from './caps.js';
import { clipping } from './part-mesh.js';
import { SectionPlane } from './section-plane.js';

/** side: what is kept. Coronal: what is behind the plane; axial: what is below; sagittal: the patient's right. */
const PLANES = [
  { id: 'axial', name: 'Axial', normal: new THREE.Vector3(0, 0, 1), side: -1, ends: ['I', 'S'] },
  { id: 'coronal', name: 'Coronal', normal: new THREE.Vector3(0, 1, 0), side: 1, ends: ['A', 'P'] },
  { id: 'sagittal', name: 'Sagittal', normal: new THREE.Vector3(1, 0, 0), side: -1, ends: ['R', 'L'] },
];

/** @typedef {{id: string, normal: number[], at: number, flipped: boolean}} SectionState */

export class Section {
  low = h('span', { class: 'end' });

  high = h('span', { class: 'end' });

  /** What is to be cut, in whose middle the plane is at first; null: all parts. @type {() => THREE.Box3 | null} */
  focus = () => null;

  /**
   * @param {import('./stage.js').Stage} stage @param {import('./parts.js').Parts} parts
   * @param {() => void} changed something to undo has happened
   */
  constructor(stage, parts, changed) {
    this.stage = stage;
    this.parts = parts;
    this.changed = changed;
    this.caps = new Caps(stage);
    this.on = false;
    this.cut = new SectionPlane(stage, () => parts.bounds(), { color: 0x3b82f6,
      focus: () => this.focus(), label: t('Position of the section plane'), flipLabel: t('Show the other half'),
      word: (at) => `${(Math.round(at * 10) / 10 || 0).toFixed(1)} mm`, moved: () => this.update(), settled: changed });
    /** @type {HTMLElement[]} */
    this.buttons = PLANES.map((plane) => h('button', { type: 'button', class: 'chip', 'data-plane': plane.id,
      onclick: () => this.choose(plane.id) }, t(plane.name)));
    this.buttons.push(h('button', { type: 'button', class: 'chip', 'data-plane': 'free',
      title: t('A plane that faces you; turn the scene and press again'), onclick: () => this.choose('free') },
      t('Facing me')));
    const { slider, value, flip } = this.cut;
    this.element = h('div', { class: 'section-body' }, h('div', { class: 'row wrap' }, ...this.buttons, flip),
      h('div', { class: 'row' }, this.low, slider, this.high, value));
    this.id = '';
    this.#face('coronal', PLANES[1].normal); // its middle shows most organs best
    parts.addEventListener('shape', () => this.on && this.update());
    parts.addEventListener('look', () => this.on && this.update());
  }

  /** @param {string} id of a plane, or "free" @param {THREE.Vector3} normal */
  #face(id, normal) {
    const known = PLANES.find((plane) => plane.id === id);
    this.id = id;
    this.cut.face(normal, known?.side ?? 1);
    [this.low.textContent, this.high.textContent] = known?.ends ?? ['', ''];
  }

  /** @param {string} id of a plane, or "free" */
  choose(id) {
    const known = PLANES.find((plane) => plane.id === id);
    // Away from the eye: what is nearer is taken away.
    this.#face(id, known?.normal ?? this.stage.camera.getWorldDirection(new THREE.Vector3()));
    this.update();
    this.changed();
  }

  get active() {
    return this.on;
  }

  set active(on) {
    if (on === this.on) return;
    this.on = on;
    if (on) this.cut.fit();
    this.update();
  }

  /** Until somebody has put it somewhere, it goes to the middle of what is to be cut. */
  fit() {
    this.cut.fit();
    this.update();
  }

  update() {
    this.buttons.forEach((button) => button.setAttribute('aria-pressed', String(button.dataset.plane === this.id)));
    this.cut.update(this.on);
    clipping.length = 0;
    if (this.on) clipping.push(this.cut.plane);
    const { shown, covered } = this.parts; // what is covered is seen, too: in other colours
    this.caps.update(shown.filter((part) => part.object?.visible || covered.includes(part)),
      this.on ? this.cut.plane : null);
    this.stage.draw();
  }

  /** @returns {{Point: number[], Normal: number[]}} LPS mm; the normal points to the half that is shown */
  cutPlane() {
    const round = (/** @type {number} */ value) => Math.round(value * 1e5) / 1e5;
    const { normal, constant } = this.cut.plane;
    const point = normal.clone().multiplyScalar(-constant);
    return { Point: point.toArray().map(round), Normal: normal.toArray().map(round) };
  }

  /** @returns {SectionState | null} for links */
  state() {
    if (!this.on) return null;
    const { normal, at, flipped } = this.cut;
    return { id: this.id, normal: normal.toArray().map((value) => Math.round(value * 1e4) / 1e4),
      at: Math.round(at * 10) / 10, flipped };
  }

  /** @param {SectionState | null} state */
  restore(state) {
    if (state) {
      this.#face(state.id, new THREE.Vector3().fromArray(state.normal).normalize());
      this.cut.flipped = state.flipped;
      this.cut.at = state.at;
    }
    this.active = Boolean(state);
    this.update();
  }
}
