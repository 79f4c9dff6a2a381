/** Parallel slices as a volume: where its voxels lie, their values, and how they come, coarse ones first. */

import * as THREE from 'three';
import { loadSlices } from './image-loader.js';

const PIECE = 3 << 20; // bytes of one request
const PAUSE = () => new Promise((resolve) => setTimeout(resolve));
const MOST = 400e6; // voxels that a browser keeps; above, a coarser level is the finest

/** @typedef {{Step: number, Size: number[], BytesPerSlice: number, MaxSlices?: number}} Level */

/** Event "values": more slices have come. */
export class Stack extends EventTarget {
  /** @param {any} facts of the route @param {string} path below Orthanc's root */
  constructor(facts, path) {
    super();
    this.path = path;
    /** @type {number[]} columns, rows, slices */
    this.size = facts.Size;
    this.slope = facts.Slope ?? 1;
    this.intercept = facts.Intercept ?? 0;
    this.units = facts.Units ?? '';
    this.inverted = Boolean(facts.Inverted);
    /** @type {[number, number]} centre and width, in units */
    this.window = facts.Window ?? [128, 256];
    /** @type {number[]} mm along the normal */
    this.positions = facts.Positions;
    this.normal = new THREE.Vector3().fromArray(facts.Normal);
    /** @type {string[]} */
    this.instances = facts.Instances ?? [];
    const column = (/** @type {number} */ i) => new THREE.Vector3(facts.Affine[0][i], facts.Affine[1][i],
      facts.Affine[2][i]);
    /** One voxel on along columns, rows, slices. */
    this.axes = [column(0), column(1), column(2)];
    this.origin = column(3);
    const basis = new THREE.Matrix4().makeBasis(this.axes[0], this.axes[1], this.axes[2]).setPosition(this.origin);
    this.toVoxel = basis.clone().invert();
    const [first, last] = [this.positions[0], this.positions.at(-1) ?? 0];
    const count = this.size[2];
    /** Of the slices in the even lattice of the affine. @type {number[]} */
    this.places = this.positions.map((position, i) => (count > 1 && last !== first
      ? ((position - first) / (last - first)) * (count - 1) : i));
    this.even = this.places.every((place, i) => Math.abs(place - i) < 0.01);
    /** @type {Level[]} coarse to fine */
    this.levels = [...facts.Levels].sort((a, b) => b.Step - a.Step);
    while (this.levels.length > 1 && voxels(this.levels[this.levels.length - 1]) > MOST) this.levels.pop();
    const finest = this.levels[this.levels.length - 1];
    /** Of the values kept here. */
    this.kept = finest.Size;
    this.finest = finest.Step;
    /** Step of each kept slice; 0: nothing yet. */
    this.steps = new Uint8Array(this.kept[2]);
    this.wanted = Math.floor(this.kept[2] / 2);
    this.failure = '';
    const coarse = this.#loadLevel(this.levels[0]);
    this.values = new Int16Array(voxels(finest)).fill(-32768); // 0.1 s, while the first ones are on their way
    /** The first level is there. */
    this.coarse = coarse;
    /** All is there. */
    this.full = coarse.then(async () => {
      for (const level of this.levels.slice(1)) await this.#loadLevel(level);
    });
    this.full.catch((error) => {
      this.failure = error.message;
      this.dispatchEvent(new Event('values'));
    });
    coarse.catch(() => {});
  }

  /** @param {Level} level in pieces, those near the wanted slice first */
  async #loadLevel(level) {
    const count = level.Size[2], each = Math.min(level.MaxSlices ?? 1e9,
      Math.max(1, Math.floor(PIECE / level.BytesPerSlice)));
    const open = Array.from({ length: Math.ceil(count / each) }, (_, i) => i * each);
    const scale = count / this.kept[2];
    const work = async () => {
      while (open.length) {
        const near = (/** @type {number} */ first) => Math.abs(first + each / 2 - this.wanted * scale);
        const [first] = open.splice(open.reduce((best, at, i) => (near(at) < near(open[best]) ? i : best), 0), 1);
        const last = Math.min(count, first + each) - 1;
        const values = await loadSlices(`${this.path}/${level.Step}/${first}-${last}`, level.Size[0], level.Size[1]);
        await this.#put(level, first, values);
      }
    };
    await Promise.all([work(), work()]);
  }

  /**
   * Coarse values fill the place of the fine ones until those come.
   * @param {Level} level @param {number} first @param {Int16Array} data
   */
  async #put({ Size: [columns, rows, slices], Step: step }, first, data) {
    const [width, height, depth] = this.kept;
    const ratio = step / this.finest; // kept voxels that one of the level stands for
    const count = Math.floor(data.length / (columns * rows));
    for (let to = 0, begun = performance.now(); to < depth; to++) {
      const from = Math.min(slices - 1, Math.floor(to / ratio));
      if (from < first || from >= first + count || (this.steps[to] && this.steps[to] <= step)) continue;
      const source = (from - first) * columns * rows;
      if (columns === width && rows === height) this.values.set(data.subarray(source, source + width * height),
        to * width * height);
      else this.#spread(data, source, columns, rows, ratio, to);
      this.steps[to] = step;
      if (performance.now() - begun > 12) {
        await PAUSE();
        begun = performance.now();
      }
    }
    this.dispatchEvent(new Event('values'));
  }

  /**
   * One coarse slice over a fine one.
   * @type {(data: Int16Array, source: number, columns: number, rows: number, ratio: number, to: number) => void}
   */
  #spread(data, source, columns, rows, ratio, to) {
    const [width, height] = this.kept;
    const across = Int32Array.from({ length: width }, (_, x) => Math.min(columns - 1, Math.floor(x / ratio)));
    for (let y = 0, out = to * width * height; y < height; y++) {
      const row = source + Math.min(rows - 1, Math.floor(y / ratio)) * columns;
      for (let x = 0; x < width; x++) this.values[out++] = data[row + across[x]];
    }
  }

  /** @param {number} step @returns {boolean} whether all slices have come at least this finely */
  isThere(step = this.finest) {
    return this.steps.every((each) => each > 0 && each <= step);
  }

  /** @param {number} slice @returns {Promise<void>} when it is there in full */
  async hasSlice(slice) {
    const kept = Math.min(this.kept[2] - 1, Math.floor(((slice + 0.5) * this.kept[2]) / this.size[2]));
    await this.coarse;
    while (this.steps[kept] !== this.finest) {
      if (this.failure) throw new Error(this.failure);
      await new Promise((resolve) => this.addEventListener('values', resolve, { once: true }));
    }
  }

  /**
   * The middle of a voxel; any slice, also where the slices are not evenly spaced.
   * @type {(c: number, r: number, s: number) => THREE.Vector3}
   */
  point(c, r, s) {
    return this.origin.clone().addScaledVector(this.axes[0], c).addScaledVector(this.axes[1],
      r).addScaledVector(this.axes[2], this.place(s));
  }

  /** @param {number} slice also between slices @returns {number} in the even lattice */
  place(slice) {
    if (this.even || this.places.length < 2) return slice;
    const low = Math.min(this.places.length - 2, Math.max(0, Math.floor(slice)));
    return this.places[low] + (slice - low) * (this.places[low + 1] - this.places[low]);
  }

  /** @param {THREE.Vector3} point LPS mm @returns {number[]} column, row, slice, with fractions */
  indexOf(point) {
    const { x, y, z } = point.clone().applyMatrix4(this.toVoxel);
    if (this.even || this.places.length < 2) return [x, y, z];
    let low = 0;
    while (low < this.places.length - 2 && this.places[low + 1] <= z) low++;
    return [x, y, low + (z - this.places[low]) / (this.places[low + 1] - this.places[low])];
  }

  /**
   * @param {THREE.Vector3} point LPS mm @returns {number | null} the value of the voxel there, in units; null outside
   */
  valueAt(point) {
    const index = this.indexOf(point).map((value, i) => Math.min(this.kept[i] - 1,
      Math.floor(((value + 0.5) * this.kept[i]) / this.size[i])));
    if (this.indexOf(point).some((value, i) => value < -0.5 || value > this.size[i] - 0.5)) return null;
    const [c, r, s] = index;
    if (!this.steps[s]) return null;
    return this.values[(s * this.kept[1] + r) * this.kept[0] + c] * this.slope + this.intercept;
  }

  /** @returns {THREE.Box3} around the middles of the outermost voxels */
  bounds() {
    const box = new THREE.Box3();
    for (let i = 0; i < 8; i++) {
      box.expandByPoint(this.point(i & 1 ? this.size[0] - 1 : 0, i & 2 ? this.size[1] - 1 : 0, i & 4 ? this.size[2] - 1
        : 0));
    }
    return box;
  }
}

/** @param {Level} level */
const voxels = ({ Size: [columns, rows, slices] }) => columns * rows * slices;
