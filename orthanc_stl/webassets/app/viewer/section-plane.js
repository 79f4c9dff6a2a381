/** One plane that cuts what is shown: where it is, which side it keeps, its slider and its frame in the scene. */

import * as THREE from 'three';
import { h, icon } from '../shared/dom.js';
import { t } from '../shared/language.js';
import { cornersOf } from './flight.js';

const MARGIN = 0.04; // of the model's radius: how far the frame stands out

/**
 * @typedef {object} Options
 * @property {string} label of the slider @property {number} color of the frame
 * @property {string} flipLabel what the button does that changes the side
 * @property {() => THREE.Box3 | null} [focus] in whose middle it is at first; null: that of `bounds`
 * @property {boolean} [filled] the frame is a pane
 * @property {(at: number) => string} word how the place is said
 * @property {() => void} moved the plane is elsewhere @property {() => void} [settled] and stays there for now
 */

export class SectionPlane {
  /** Keeps the side that its normal points to. */
  plane = new THREE.Plane();

  normal = new THREE.Vector3(0, 0, 1);

  /** 1: what lies along `normal` is kept; -1: the other side. */
  side = 1;

  flipped = false;

  /** Whether somebody has put it somewhere; until then it stays in the middle. */
  placed = false;

  value = h('output', { class: 'value' });

  frame = new THREE.Group();

  /**
   * @param {import('./stage.js').Stage} stage @param {() => THREE.Box3} bounds of what is cut
   * @param {Options} options
   */
  constructor(stage, bounds, { label, color, flipLabel, focus = () => null, filled = false, word, moved,
    settled = () => {} }) {
    this.stage = stage;
    this.bounds = bounds;
    this.focus = focus;
    this.word = word;
    this.slider = /** @type {HTMLInputElement} */ (h('input', { type: 'range', step: 'any', 'aria-label': label }));
    this.slider.addEventListener('input', () => {
      this.placed = true;
      moved();
    });
    this.slider.addEventListener('change', settled);
    this.flip = h('button', { type: 'button', class: 'chip', title: flipLabel, onclick: () => {
      this.flipped = !this.flipped;
      moved();
      settled();
    } }, icon('flip'), t('Flip'));
    this.frame.add(new THREE.LineLoop(new THREE.BufferGeometry(), new THREE.LineBasicMaterial({ color })));
    if (filled) this.frame.add(paneOf(color));
    this.frame.visible = false;
    stage.world.add(this.frame);
  }

  /** Turns it, and puts it in the middle. @param {THREE.Vector3} normal @param {number} side that is kept */
  face(normal, side) {
    this.normal.copy(normal);
    this.side = side;
    this.flipped = false;
    this.placed = false;
    this.fit();
  }

  /** The slider reaches from one end of what is cut to the other. */
  fit() {
    const box = this.bounds();
    if (box.isEmpty()) return;
    const [low, high] = this.#span(this.normal, box);
    Object.assign(this.slider, { min: String(low), max: String(high) });
    if (this.placed) return;
    const [from, to] = this.#span(this.normal, this.focus() ?? box);
    this.slider.value = String((from + to) / 2);
  }

  /** Along the normal, from the origin. */
  get at() {
    return Number(this.slider.value);
  }

  set at(at) {
    this.placed = true;
    this.slider.value = String(at);
  }

  /** After any change. @param {boolean} framed whether the frame is shown */
  update(framed) {
    const side = this.side * (this.flipped ? -1 : 1);
    this.plane.normal.copy(this.normal).multiplyScalar(side);
    this.plane.constant = -side * this.at;
    this.value.textContent = this.word(this.at);
    this.slider.setAttribute('aria-valuetext', this.value.textContent);
    this.frame.visible = framed;
    if (framed) this.#drawFrame();
  }

  #drawFrame() {
    const box = this.bounds();
    if (box.isEmpty()) return;
    const margin = MARGIN * this.stage.radius;
    const other = Math.abs(this.normal.z) < 0.9 ? new THREE.Vector3(0, 0, 1) : new THREE.Vector3(1, 0, 0);
    const u = other.cross(this.normal).normalize(), v = this.normal.clone().cross(u);
    const [ul, uh] = this.#span(u, box), [vl, vh] = this.#span(v, box);
    const corners = [[ul - margin, vl - margin], [uh + margin, vl - margin], [uh + margin, vh + margin],
      [ul - margin, vh + margin]].map(([a, b]) =>
      this.normal.clone().multiplyScalar(this.at).addScaledVector(u, a).addScaledVector(v, b));
    for (const child of this.frame.children) /** @type {THREE.Mesh} */ (child).geometry.setFromPoints(corners);
  }

  /** From where to where a box reaches along an axis. @param {THREE.Vector3} axis @param {THREE.Box3} box */
  #span(axis, box) {
    const along = cornersOf(box).map((corner) => corner.dot(axis));
    return [Math.min(...along), Math.max(...along)];
  }
}

/** @param {number} color */
function paneOf(color) {
  const pane = new THREE.Mesh(new THREE.BufferGeometry(), new THREE.MeshBasicMaterial({ color, transparent: true,
    opacity: 0.16, side: THREE.DoubleSide, depthWrite: false }));
  pane.geometry.setIndex([0, 1, 2, 0, 2, 3]);
  return pane;
}
