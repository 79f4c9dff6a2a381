/** Planes through a stack as pictures: along its slices, its rows, its columns. */

import * as THREE from 'three';

/** @typedef {import('./stack.js').Stack} Stack */

/**
 * @typedef {object} Face one plane of a stack: pixel (i, j) has its middle at origin + i u + j v, LPS mm
 * @property {number} width @property {number} height
 * @property {THREE.Vector3} origin @property {THREE.Vector3} u @property {THREE.Vector3} v
 * @property {THREE.Plane} plane
 */

/**
 * @param {Stack} stack @param {number} axis that stays the same: 0 column, 1 row, 2 slice @param {number} index along
 * it
 * @returns {Face}
 */
export function faceOf(stack, axis, index) {
  const { size, kept, axes } = stack;
  const [first, second] = [0, 1, 2].filter((each) => each !== axis);
  const at = [0, 0, 0];
  at[axis] = index;
  const rows = axis === 2 ? kept[second] : rowsOf(stack);
  const scale = [size[first] / kept[first], axis === 2 ? size[second] / kept[second]
    : (size[2] - 1) / Math.max(1, rows - 1)];
  const u = axes[first].clone().multiplyScalar(scale[0]), v = axes[second].clone().multiplyScalar(scale[1] || 1);
  // Where several voxels became one, its middle lies between theirs.
  const origin = stack.point(at[0], at[1], at[2]).addScaledVector(axes[first], (scale[0] - 1) / 2);
  if (axis === 2) origin.addScaledVector(axes[second], (scale[1] - 1) / 2);
  const normal = u.clone().cross(v).normalize();
  return { width: kept[first], height: rows, origin, u, v,
    plane: new THREE.Plane().setFromNormalAndCoplanarPoint(normal, origin) };
}

/**
 * Rows of the pictures across the slices: one a slice, or where these are uneven so many that the densest show.
 * @param {Stack} stack
 */
function rowsOf(stack) {
  if (stack.even) return stack.kept[2];
  const gaps = stack.places.slice(1).map((place, i) => place - stack.places[i]);
  return Math.min(2048, Math.round((stack.size[2] - 1) / Math.max(0.1, Math.min(...gaps))) + 1);
}

/**
 * @param {[number, number]} window centre and width, in units @param {Stack} stack
 * @returns {Uint32Array} grey RGBA for each value + 32768 (PS3.3 C.11.2.1.2.1)
 */
export function greys([centre, width], { slope, intercept, inverted }) {
  const table = new Uint32Array(65536);
  for (let i = 0; i < 65536; i++) {
    const value = (i - 32768) * slope + intercept;
    const part = Math.min(1, Math.max(0, (value - (centre - 0.5)) / Math.max(1e-6, width - 1) + 0.5));
    const grey = Math.round(255 * (inverted ? 1 - part : part));
    table[i] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
  return table;
}

/**
 * @param {Stack} stack @param {number} axis @param {number} index @param {Uint32Array} table
 * @param {Uint32Array} out width x height of the face
 */
export function paintFace(stack, axis, index, table, out) {
  const { values, kept: [columns, rows, slices], size } = stack;
  const at = Math.min(stack.kept[axis] - 1, Math.max(0, Math.floor(((index + 0.5) * stack.kept[axis]) / size[axis])));
  if (axis === 2) {
    for (let i = 0, from = at * columns * rows; i < columns * rows; i++) out[i] = table[values[from + i] + 32768];
    return;
  }
  const width = axis === 1 ? columns : rows, stride = axis === 1 ? 1 : columns, begin = axis === 1 ? at * columns : at;
  const height = out.length / width;
  for (let j = 0; j < height; j++) {
    const exact = stack.even ? j : sliceAt(stack, (j * (slices - 1)) / Math.max(1, height - 1));
    const low = Math.min(slices - 1, Math.floor(exact)), high = Math.min(slices - 1, low + 1), part = exact - low;
    const a = low * columns * rows + begin, b = high * columns * rows + begin;
    for (let i = 0; i < width; i++) {
      const value = part < 1e-6 ? values[a + i * stride] : Math.round(values[a + i * stride] * (1 - part)
        + values[b + i * stride] * part);
      out[j * width + i] = table[value + 32768];
    }
  }
}

/** @param {Stack} stack @param {number} place in the even lattice @returns {number} slice, with its fraction */
function sliceAt({ places }, place) {
  let low = 0;
  while (low < places.length - 2 && places[low + 1] <= place) low++;
  return low + (place - places[low]) / (places[low + 1] - places[low]);
}
