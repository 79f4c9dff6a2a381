/** Measuring by clicks: distance, angle, area and diameter of a cut, distance between two parts. */

import * as THREE from 'three';
import { h, icon } from '../shared/dom.js';
import { length as millimetres } from '../shared/format.js';
import { t } from '../shared/language.js';
import { areaOf, cut, furthest, loopsOf } from './outline.js';
import { nearestPoints } from './nearest.js';

/** @typedef {import('./picking.js').Hit} Hit */
/** @typedef {{kind: string, text: string, points: number[][], closed: boolean}} Measurement points: LPS mm */

/** kind, name, and what to click next, by the number of clicks so far. @type {[string, string, string[]][]} */
const KINDS = [
  ['distance', 'Distance', ['Click two points on the model.', 'Now click the second point.']],
  ['angle', 'Angle', ['Click three points: the angle is at the second.', 'Click the corner of the angle.',
    'Click the third point.']],
  ['area', 'Area of a cut', ['Click a part where the section or a slice cuts it.']],
  ['diameter', 'Diameter', ['Click a part: on a cut the cut is measured, elsewhere the whole part.']],
  ['between', 'Between two parts', ['Click the first part.', 'Click the second part.']],
];

export class Measure {
  /**
   * @param {import('./overlay.js').Overlay} overlay
   * @param {object} options
   * @param {string[]} [options.kinds] of KINDS; none: all
   * @param {(value: number) => string} [options.length] how a length is said
   * @param {() => import('./parts.js').Part[]} [options.parts] that are shown
   * @param {() => void} [options.changed] something to undo has happened
   * @param {(measurement: Measurement) => void} [options.measured]
   */
  constructor(overlay, { kinds = KINDS.map(([id]) => id), length = millimetres, parts = () => [], changed = () => {},
    measured = () => {} }) {
    this.overlay = overlay;
    this.length = length;
    this.parts = parts;
    this.changed = changed;
    this.measured = measured;
    /** Called when what is measured, or clicked so far, has changed. @type {(() => void)[]} */
    this.onChange = [];
    this.on = false;
    this.kind = 'distance';
    /** @type {Hit[]} */
    this.clicks = [];
    /** @type {import('./overlay.js').Item[]} */
    this.marks = [];
    /** @type {{measurement: Measurement, item: import('./overlay.js').Item}[]} */
    this.done = [];
    this.hint = h('p', { class: 'measure-hint', role: 'status' });
    this.chips = KINDS.filter(([id]) => kinds.includes(id)).map(([id, name]) => h('button', { type: 'button',
      class: 'chip', 'data-measure': id, onclick: () => this.choose(id) }, t(name)));
    this.list = h('ol', { class: 'measure-list' });
    this.clearButton = h('button', { type: 'button', class: 'chip', onclick: () => this.clear() }, icon('trash'),
      t('Clear all'));
    this.element = h('div', { class: 'measure-body' }, h('div', { class: 'row wrap' }, ...this.chips), this.hint,
      this.list, h('div', { class: 'row' }, this.clearButton));
    this.choose('distance');
  }

  get active() {
    return this.on;
  }

  set active(on) {
    this.on = on;
    this.#forgetClicks();
    this.#say();
  }

  /** @param {string} kind */
  choose(kind) {
    this.kind = kind;
    this.chips.forEach((chip) => chip.setAttribute('aria-pressed', String(chip.dataset.measure === kind)));
    this.#forgetClicks();
    this.#say();
  }

  #forgetClicks() {
    for (const mark of this.marks) this.overlay.remove(mark);
    this.marks = [];
    this.clicks = [];
  }

  /** @param {string} [sentence] instead of what to do next */
  #say(sentence) {
    const hints = KINDS.find(([id]) => id === this.kind)?.[2] ?? [];
    this.hint.textContent = sentence ?? t(hints[this.clicks.length] ?? '');
    this.clearButton.hidden = this.done.length === 0;
    this.list.replaceChildren(...this.done.map((each, i) => h('li', {},
      h('span', {}, `${t(KINDS.find(([id]) => id === each.measurement.kind)?.[1] ?? '')}: ${each.measurement.text}`),
      h('button', { type: 'button', class: 'measure-delete', 'aria-label': t('Delete measurement {number}',
        { number: i + 1 }), onclick: () => this.remove(i) }, icon('close')))));
    for (const act of this.onChange) act();
  }

  /** @param {Hit | null} hit what was clicked, in 3D or on a slice */
  click(hit) {
    if (!hit) return this.#say(t('There is no surface there. Click on the model.'));
    if (this.kind === 'area' || this.kind === 'diameter') return this.#measurePart(hit);
    this.clicks.push(hit);
    this.marks.push(this.overlay.add('measure', [hit.point], ''));
    const points = this.clicks.map(({ point }) => point);
    if (this.kind === 'distance' && points.length === 2) {
      this.#finish(points, this.length(points[0].distanceTo(points[1])));
    } else if (this.kind === 'angle' && points.length === 3) this.#finish(points, `${degrees(points).toFixed(1)}°`);
    else if (this.kind === 'between') this.#between(hit);
    else this.#say();
    return undefined;
  }

  /** @param {Hit} hit */
  #between(hit) {
    const part = hit.part ?? this.#partOnPlane(hit);
    if (!part) {
      this.clicks.pop();
      const mark = this.marks.pop();
      if (mark) this.overlay.remove(mark);
      return this.#say(t('That is no part. Click on one of the parts.'));
    }
    hit.part = part;
    if (this.clicks.length < 2) return this.#say();
    const [a, b] = this.clicks.map((click) => /** @type {import('./parts.js').Part} */ (click.part));
    const found = a === b ? null : nearestPoints(a, b);
    this.#forgetClicks();
    if (!found) return this.#say(t('Click two different parts; each must be loaded.'));
    const distance = found[0].distanceTo(found[1]);
    const apart = distance < 1e-3 ? t('they touch') : this.length(distance);
    return this.#finish(found, `${apart} (${a.name} – ${b.name})`);
  }

  /** The smallest part around a point on a plane. @param {Hit} hit */
  #partOnPlane({ point, plane }) {
    if (!plane) return null;
    const around = this.parts().filter((part) => loopsOf(cut(part, plane))
      .filter((loop) => isInside(point, loop, plane.normal)).length % 2 === 1);
    return around.sort((a, b) => (a.model?.volume ?? 0) - (b.model?.volume ?? 0))[0] ?? null;
  }

  /** @param {Hit} hit */
  #measurePart(hit) {
    const part = hit.plane ? hit.part ?? this.#partOnPlane(hit) : hit.part;
    if (!part?.model) return this.#say(t('That is no part. Click on one of the parts.'));
    const uncut = t('Nothing is cut there. Switch on the section plane or the slices first.');
    if (!hit.plane && this.kind === 'area') return this.#say(uncut);
    if (!hit.plane) {
      const ends = furthest(part.model.positions)
        .map((point) => point.add(new THREE.Vector3().fromArray(/** @type {any} */ (part.model).centre)));
      return this.#finish(ends, `${this.length(ends[0].distanceTo(ends[1]))} (${part.name})`);
    }
    const segments = cut(part, hit.plane);
    if (!segments.length) return this.#say(uncut);
    if (this.kind === 'area') {
      const outline = loopsOf(segments).sort((a, b) => b.length - a.length)[0];
      return this.#finish(outline.map((point) => new THREE.Vector3().fromArray(point)),
        `${(areaOf(segments, hit.plane.normal) / 100).toFixed(2)} cm² (${part.name})`, true);
    }
    const ends = furthest(segments);
    return this.#finish(ends, `${this.length(ends[0].distanceTo(ends[1]))} (${part.name})`);
  }

  /** @param {THREE.Vector3[]} points @param {string} text @param {boolean} [closed] */
  #finish(points, text, closed = false) {
    const measurement = { kind: this.kind, text, closed, points: points.map((point) => point.toArray()) };
    this.#forgetClicks();
    this.#put(measurement);
    this.#say(`${text}. ${t('Click to measure again.')}`);
    this.measured(rounded(measurement));
    this.changed();
  }

  /** @param {Measurement} measurement */
  #put(measurement) {
    const item = this.overlay.add('measure', measurement.points.map((point) => new THREE.Vector3().fromArray(point)),
      measurement.text, measurement.closed);
    this.done.push({ measurement, item });
  }

  /** @param {number} i of the list */
  remove(i) {
    const [gone] = this.done.splice(i, 1);
    if (!gone) return;
    this.overlay.remove(gone.item);
    this.#say();
    this.changed();
  }

  clear() {
    this.restore([]);
    this.changed();
  }

  /** @returns {Measurement[]} */
  state() {
    return this.done.map(({ measurement }) => rounded(measurement));
  }

  /** @param {Measurement[]} measurements */
  restore(measurements) {
    this.#forgetClicks();
    for (const { item } of this.done) this.overlay.remove(item);
    this.done = [];
    for (const each of measurements) this.#put(each);
    this.#say();
  }
}

/** For a link. @param {Measurement} measurement @returns {Measurement} */
const rounded = (measurement) => ({ ...measurement, points: measurement.points.map((point) =>
  point.map((value) => Math.round(value * 1000) / 1000)) });

/** @param {THREE.Vector3[]} points @returns {number} the angle at the second one */
function degrees([a, corner, b]) {
  return THREE.MathUtils.radToDeg(a.clone().sub(corner).angleTo(b.clone().sub(corner)));
}

/** @param {THREE.Vector3} point on the plane @param {number[][]} loop @param {THREE.Vector3} normal */
function isInside(point, loop, normal) {
  const size = normal.toArray().map(Math.abs);
  const drop = size.indexOf(Math.max(...size));
  const [u, v] = [0, 1, 2].filter((axis) => axis !== drop);
  const at = point.toArray();
  let inside = false;
  for (let i = 0, j = loop.length - 1; i < loop.length; j = i++) {
    const a = loop[i], b = loop[j];
    if ((a[v] > at[v]) !== (b[v] > at[v]) && at[u] < ((b[u] - a[u]) * (at[v] - a[v])) / (b[v] - a[v])
      + a[u]) inside = !inside;
  }
  return inside;
}
