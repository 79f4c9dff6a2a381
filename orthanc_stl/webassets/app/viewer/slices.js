/** Three planes of images through the scene, with the outlines of the parts drawn on them. */

import * as THREE from 'three';
import { cut, loopsOf } from './outline.js';
import { faceOf, greys, paintFace } from './reslice.js';

/** @typedef {import('./stack.js').Stack} Stack */
/** @typedef {import('./parts.js').Part} Part */

/** The planes of the body, by the axis that their normal is nearest to. */
export const BODY_PLANES = ['sagittal', 'coronal', 'axial'];

/**
 * @typedef {object} Slice one of the three
 * @property {number} axis of the stack that it stands across @property {string} name of the body's plane that is
 * nearest
 * @property {number} index @property {boolean} on in the 3D view
 * @property {import('./reslice.js').Face} face @property {Uint32Array} pixels
 * @property {THREE.Mesh<THREE.BufferGeometry, THREE.MeshBasicMaterial>} quad @property {THREE.Group} lines
 * @property {Map<Part, number[]>} cuts segments by part, of those that are shown
 * @property {WeakMap<Part, Cut>} known the last cut of each
 */

/**
 * @typedef {object} Cut of a part by the slice of that index
 * @property {number} index @property {Part['tree']} tree that it was made with @property {number[]} segments
 * @property {THREE.LineSegments<THREE.BufferGeometry, THREE.LineBasicMaterial>} line
 */

/** @typedef {'image' | 'outlines'} Aspect of a slice that can change without the other */

/** Event "slice": the planes moved, or what they show changed. */
export class Slices extends EventTarget {
  /** @param {import('./stage.js').Stage} stage @param {import('./parts.js').Parts} parts @param {() => void} changed */
  constructor(stage, parts, changed) {
    super();
    this.stage = stage;
    this.parts = parts;
    this.changed = changed;
    this.group = new THREE.Group();
    this.group.visible = false;
    stage.world.add(this.group);
    /** @type {Stack | null} */
    this.stack = null;
    this.series = '';
    /** @type {Slice[]} */
    this.all = [];
    /** @type {[number, number]} */
    this.window = [40, 400];
    this.last = 2;
    /** What the slices need of the graphics card is there. @type {Promise<void>} */
    this.prepared = Promise.resolve();
    /** @type {Record<Aspect, Set<number>>} axes of the slices of which that is to be brought up to date */
    this.dirty = { image: new Set(), outlines: new Set() };
    stage.beforeFrame.push(() => this.update());
    parts.addEventListener('look', () => this.#changed('outlines'));
    parts.addEventListener('shape', () => {
      this.#mark('outlines');
      stage.drawSoon();
    });
  }

  get visible() {
    return this.group.visible;
  }

  set visible(on) {
    this.group.visible = on;
    this.#changed('image', 'outlines');
  }

  /** Whether they are in the scene: asked for, and not set aside. */
  get inScene() {
    return this.visible && Boolean(this.group.parent);
  }

  /** Out of the scene, where they may stand before what is looked at; the flat views stay. @param {boolean} on */
  setAside(on) {
    if (on) this.group.removeFromParent();
    else this.stage.world.add(this.group);
    this.stage.draw();
  }

  /**
   * @param {Stack} stack @param {string} series @param {THREE.Box3} box of the parts: the planes go through its middle
   */
  use(stack, series, box) {
    this.group.clear();
    this.stack = stack;
    this.series = series;
    this.window = [...stack.window];
    this.all = [0, 1, 2].map((axis) => this.#slice(stack, axis));
    this.prepared = this.stage.prepare(new THREE.Group().add(this.all[0].quad.clone(), lineOf([])));
    stack.addEventListener('values', () => this.stack === stack && this.#arrived());
    for (const step of [stack.coarse, stack.full]) step.then(() => this.stack === stack && this.stage.draw(), () => {});
    this.goTo(box.isEmpty() ? stack.bounds().getCenter(new THREE.Vector3()) : box.getCenter(new THREE.Vector3()));
    this.setWindow(this.window);
  }

  /** @param {Stack} stack @param {number} axis @returns {Slice} */
  #slice(stack, axis) {
    const index = Math.floor(stack.size[axis] / 2);
    const face = faceOf(stack, axis, index);
    const pixels = new Uint32Array(face.width * face.height);
    const texture = new THREE.DataTexture(new Uint8Array(pixels.buffer), face.width, face.height);
    Object.assign(texture, { colorSpace: THREE.SRGBColorSpace, magFilter: THREE.LinearFilter,
      minFilter: THREE.LinearFilter });
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute('position', new THREE.BufferAttribute(new Float32Array(12), 3));
    geometry.setAttribute('uv', new THREE.BufferAttribute(new Float32Array([0, 0, 1, 0, 1, 1, 0, 1]), 2));
    geometry.setIndex([0, 1, 2, 0, 2, 3]);
    const material = new THREE.MeshBasicMaterial({ map: texture, side: THREE.DoubleSide, toneMapped: false });
    // Where a part's surface lies on the slice its outline is seen, not flicker.
    Object.assign(material, { polygonOffset: true, polygonOffsetFactor: 1, polygonOffsetUnits: 1 });
    const quad = new THREE.Mesh(geometry, material);
    const lines = new THREE.Group();
    this.group.add(quad, lines);
    const across = face.plane.normal.toArray().map(Math.abs);
    return { axis, name: BODY_PLANES[across.indexOf(Math.max(...across))], index, on: true, face, pixels, quad, lines,
      cuts: new Map(), known: new WeakMap() };
  }

  /** @param {[number, number]} window centre and width, in units */
  setWindow(window) {
    if (!this.stack) return;
    this.window = window;
    this.table = greys(window, this.stack);
    this.#changed('image');
  }

  /** More values: the flat views have them at once, the scene with the next parts. */
  #arrived() {
    this.#mark('image');
    this.update();
    this.stage.drawSoon();
  }

  /** @param {number} axis @param {number} index */
  move(axis, index) {
    const slice = this.all[axis];
    if (!this.stack || !slice) return;
    slice.index = Math.min(this.stack.size[axis] - 1, Math.max(0, Math.round(index)));
    this.last = axis;
    if (axis === 2) this.stack.wanted = slice.index;
    for (const aspect of /** @type {const} */ (['image', 'outlines'])) this.dirty[aspect].add(axis);
    this.stage.draw();
  }

  /** All three through a point. @param {THREE.Vector3} point */
  goTo(point) {
    if (!this.stack) return;
    const { last } = this;
    this.stack.indexOf(point).forEach((index, axis) => this.move(axis, index));
    this.last = last;
  }

  /** @param {...Aspect} what of all slices is to be brought up to date */
  #mark(...what) {
    for (const aspect of what) for (const { axis } of this.all) this.dirty[aspect].add(axis);
  }

  /** The same, in the next frame. @param {...Aspect} what */
  #changed(...what) {
    this.#mark(...what);
    this.stage.draw();
  }

  /** Brings up to date what has changed, at once. */
  update() {
    for (const { on, quad, lines } of this.all) quad.visible = lines.visible = on;
    if (!this.stack || !(this.dirty.image.size + this.dirty.outlines.size)) return;
    for (const slice of this.all) {
      if (this.dirty.image.has(slice.axis)) this.#paint(slice);
      if (this.dirty.outlines.has(slice.axis)) this.#outline(slice);
    }
    this.dirty.image.clear();
    this.dirty.outlines.clear();
    this.dispatchEvent(new Event('slice'));
  }

  /** @param {Slice} slice */
  #paint(slice) {
    const stack = /** @type {Stack} */ (this.stack);
    slice.face = faceOf(stack, slice.axis, slice.index);
    if (this.table) paintFace(stack, slice.axis, slice.index, this.table, slice.pixels);
    if (slice.quad.material.map) slice.quad.material.map.needsUpdate = true;
    const { origin, u, v, width, height } = slice.face;
    const position = /** @type {THREE.BufferAttribute} */ (slice.quad.geometry.attributes.position);
    [[-0.5, -0.5], [width - 0.5, -0.5], [width - 0.5, height - 0.5], [-0.5, height - 0.5]].forEach(([i, j], corner) => {
      const point = origin.clone().addScaledVector(u, i).addScaledVector(v, j);
      position.setXYZ(corner, point.x, point.y, point.z);
    });
    position.needsUpdate = true;
    slice.quad.geometry.computeBoundingSphere();
  }

  /** Only what is new is cut: a part that is shown again on the same slice still has its line. @param {Slice} slice */
  #outline(slice) {
    slice.cuts.clear();
    slice.lines.clear();
    for (const part of this.parts.shown) {
      const { segments, line } = this.#lineOf(slice, part);
      if (!segments.length) continue;
      slice.cuts.set(part, segments);
      const [red, green, blue] = part.color.map((value) => value / 255);
      line.material.color.setRGB(red, green, blue, THREE.SRGBColorSpace);
      slice.lines.add(line);
    }
  }

  /** @param {Slice} slice @param {Part} part @returns {Cut} */
  #lineOf(slice, part) {
    const known = slice.known.get(part);
    if (known && known.index === slice.index && known.tree === part.tree) return known;
    known?.line.geometry.dispose();
    const segments = cut(part, slice.face.plane);
    const line = lineOf(segments, known?.line.material);
    const made = { index: slice.index, tree: part.tree, segments, line };
    slice.known.set(part, made);
    return made;
  }

  /** @param {THREE.Ray} ray @returns {import('./picking.js').Hit[]} */
  hits(ray) {
    if (!this.inScene || !this.stack) return [];
    return this.all.filter(({ on }) => on).flatMap((slice) => {
      const point = ray.intersectPlane(slice.face.plane, new THREE.Vector3());
      if (!point || !this.#isOn(slice, point)) return [];
      return [{ point, distance: point.distanceTo(ray.origin), part: null, plane: slice.face.plane, axis: slice.axis }];
    });
  }

  /** @param {Slice} slice @param {THREE.Vector3} point */
  #isOn({ axis }, point) {
    const stack = /** @type {Stack} */ (this.stack);
    return stack.indexOf(point).every((value, i) => i === axis || (value >= -0.5 && value <= stack.size[i] - 0.5));
  }

  /** Outlines of the parts on one plane. @param {number} axis @returns {Record<string, number[][][]>} by part */
  outlines(axis = this.last) {
    this.update();
    const { cuts } = this.all[axis] ?? { cuts: new Map() };
    return Object.fromEntries([...cuts].map(([part, segments]) => [part.id, loopsOf(segments)]));
  }

  /**
   * @returns {{series: string, axis: number, plane: string, index: number, at: number} | null} the one that moved last
   */
  shownSlice() {
    const slice = this.all[this.last];
    if (!slice || !this.stack) return null;
    const axis = BODY_PLANES.indexOf(slice.name);
    const { origin, u, v, width, height } = slice.face;
    const middle = origin.clone().addScaledVector(u, (width - 1) / 2).addScaledVector(v, (height - 1) / 2);
    return { series: this.series, axis: slice.axis, plane: slice.name, index: slice.index,
      at: middle.getComponent(axis) };
  }

  /** @returns {any} for links */
  state() {
    if (!this.stack) return null;
    return { series: this.series, visible: this.visible, at: this.all.map(({ index }) => index), on: this.all
      .map(({ on }) => on), window: this.window.map(Math.round) };
  }

  /** @param {any} state */
  restore({ visible, at, on, window }) {
    this.all.forEach((slice, axis) => { slice.on = on?.[axis] ?? true; });
    at?.forEach((/** @type {number} */ index, /** @type {number} */ axis) => this.move(axis, index));
    if (window) this.setWindow(window);
    this.visible = Boolean(visible);
  }
}

/** @param {number[]} segments of `cut` @param {THREE.LineBasicMaterial} [material] */
function lineOf(segments, material = new THREE.LineBasicMaterial()) {
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute('position', new THREE.Float32BufferAttribute(segments, 3));
  return new THREE.LineSegments(geometry, material);
}
