/**
 * From loose triangles to an indexed surface with smooth normals: an STL repeats each vertex about six times and has
 * one normal a triangle, which takes three times the memory on the graphics card and looks like gravel.
 */

import { normalOf } from './stl.js';

/** Faces that meet at a sharper angle than this keep an edge between them: a cube stays a cube. */
const CREASE_COSINE = Math.cos((50 * Math.PI) / 180);

/** Vertices found by position and direction, in chains that begin in a table. Arrays grow as vertices come. */
class Vertices {
  /** @param {number} expected about how many vertices there will be */
  constructor(expected) {
    this.capacity = Math.max(64, Math.ceil(expected));
    this.positions = new Float32Array(this.capacity * 3);
    this.directions = new Float32Array(this.capacity * 3);
    this.next = new Int32Array(this.capacity);
    this.count = 0;
    this.mask = 2 ** Math.ceil(Math.log2(this.capacity)) - 1;
    this.table = new Int32Array(this.mask + 1).fill(-1);
  }

  grow() {
    this.capacity *= 2;
    const { positions, directions, next } = this;
    this.positions = new Float32Array(this.capacity * 3);
    this.positions.set(positions);
    this.directions = new Float32Array(this.capacity * 3);
    this.directions.set(directions);
    this.next = new Int32Array(this.capacity);
    this.next.set(next);
  }

  /**
   * The vertex at this position whose faces so far look the same way as (nx, ny, nz): found, or made.
   * @param {number} x @param {number} y @param {number} z @param {number} hash @param {number} nx
   * @param {number} ny @param {number} nz
   */
  find(x, y, z, hash, nx, ny, nz) {
    const slot = hash & this.mask;
    const { positions, directions, next } = this;
    for (let vertex = this.table[slot]; vertex >= 0; vertex = next[vertex]) {
      const at = vertex * 3;
      if (positions[at] !== x || positions[at + 1] !== y || positions[at + 2] !== z) continue;
      const dx = directions[at], dy = directions[at + 1], dz = directions[at + 2];
      const dot = dx * nx + dy * ny + dz * nz;
      if (dot > 0 && dot * dot >= CREASE_COSINE ** 2 * (dx * dx + dy * dy + dz * dz) * (nx * nx + ny * ny
        + nz * nz)) return vertex;
    }
    if (this.count === this.capacity) this.grow();
    const made = this.count++;
    this.positions.set([x, y, z], made * 3);
    this.next[made] = this.table[slot];
    this.table[slot] = made;
    return made;
  }
}

/** Bits of the coordinates, mixed. -0 counts as 0. @param {Int32Array} bits @param {number} at */
function hashOf(bits, at) {
  let hash = Math.imul(bits[at], 0x9e3779b1) ^ Math.imul(bits[at + 1], 0x85ebca6b) ^ Math.imul(bits[at + 2],
    0xc2b2ae35);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}

/**
 * @param {Float32Array} corners 9 a triangle; is shifted by -origin in place
 * @param {number[]} origin subtracted from each corner, so that 32-bit floats keep their digits on the graphics card
 * @param {boolean} flip turn each triangle round (a surface that is inside out)
 * @param {(fraction: number) => void} progress
 * @returns {{positions: Float32Array, normals: Float32Array, index: Uint32Array}} triangles without area are left out
 */
export function weld(corners, origin, flip = false, progress = () => {}) {
  for (let i = 0; i < corners.length; i++) corners[i] = corners[i] - origin[i % 3] + 0; // + 0 makes -0 a 0
  const bits = new Int32Array(corners.buffer, corners.byteOffset, corners.length);
  const count = corners.length / 9;
  const vertices = new Vertices(count * 0.6);
  const index = new Uint32Array(count * 3);
  const normal = [0, 0, 0];
  let used = 0;
  for (let triangle = 0; triangle < count; triangle++) {
    if (triangle % 262144 === 0) progress(triangle / count);
    const at = triangle * 9;
    normalOf(corners, at, normal);
    let [nx, ny, nz] = normal;
    if (nx === 0 && ny === 0 && nz === 0) continue;
    if (flip) { nx = -nx; ny = -ny; nz = -nz; }
    for (let corner = 0; corner < 3; corner++) {
      const from = at + 3 * corner;
      const vertex = vertices.find(corners[from], corners[from + 1], corners[from + 2], hashOf(bits, from), nx, ny, nz);
      const to = vertex * 3;
      // The cross product is as long as the triangle is large: the sum is weighted by area.
      vertices.directions[to] += nx;
      vertices.directions[to + 1] += ny;
      vertices.directions[to + 2] += nz;
      index[used + (flip ? 2 - corner : corner)] = vertex;
    }
    used += 3;
  }
  return { positions: vertices.positions.slice(0, vertices.count * 3), normals: unit(vertices.directions,
    vertices.count), index: index.slice(0, used) };
}

/** @param {Float32Array} directions @param {number} count */
function unit(directions, count) {
  const normals = directions.slice(0, count * 3);
  for (let i = 0; i < normals.length; i += 3) {
    const length = Math.hypot(normals[i], normals[i + 1], normals[i + 2]) || 1;
    normals[i] /= length;
    normals[i + 1] /= length;
    normals[i + 2] /= length;
  }
  return normals;
}
