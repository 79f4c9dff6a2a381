/** What is added to the predictions of a Corto stream, and how the predictions are undone. */
import { NexusError } from './errors.js';

/** @typedef {import('./reader.js').Reader} Reader */
/** @typedef {(reader: Reader, most: number) => Uint8Array} Block how a list of bytes is kept */
/** @typedef {{a: Int32Array, b: Int32Array, c: Int32Array}} Prediction as that of `walk` */

/** Widest value of a stream: the encoder works on 32-bit integers. */
const WIDEST = 32;

/**
 * Bits of all values, `repeat` of each width; the widths are checked on the way.
 * @param {Uint8Array} widths @param {number} repeat
 */
function total(widths, repeat) {
  let sum = 0;
  for (let i = 0; i < widths.length; i++) {
    if (widths[i] > WIDEST) throw new NexusError(`A value of ${widths[i]} bits, at most ${WIDEST} were expected`);
    sum += widths[i];
  }
  return sum * repeat;
}

/** @param {Uint8Array} widths @param {number} count */
function exactly(widths, count) {
  if (widths.length !== count) throw new NexusError(`${widths.length} values where ${count} are needed`);
  return widths;
}

/**
 * One width for all components of a vertex. Returns (count × components) int32.
 * @param {Reader} reader @param {Block} block @param {number} count @param {number} components
 */
export function correlated(reader, block, count, components) {
  const bits = reader.bits();
  const widths = exactly(block(reader, count), count);
  bits.need(total(widths, components));
  const values = new Int32Array(count * components);
  for (let i = 0, at = 0; i < count; i++) {
    const width = widths[i];
    if (width === 0) {
      at += components;
      continue;
    }
    const middle = 2 ** (width - 1);
    for (let k = 0; k < components; k++) values[at++] = bits.read(width) - middle;
  }
  return values;
}

/**
 * A width for each component, all of the first component before the second. Returns (count × components) int32.
 * @param {Reader} reader @param {Block} block @param {number} count @param {number} components
 */
export function uncorrelated(reader, block, count, components) {
  const bits = reader.bits();
  const values = new Int32Array(count * components);
  for (let k = 0; k < components; k++) {
    const widths = exactly(block(reader, count), count);
    bits.need(total(widths, 1));
    for (let i = 0, at = k; i < count; i++, at += components) {
      const width = widths[i];
      if (width === 0) continue;
      const middle = 2 ** (width - 1);
      const value = bits.read(width);
      values[at] = value < middle ? -value - middle : value;
    }
  }
  return values;
}

/**
 * v += v[a] + v[b] - v[c] for vertices 1, 2, ... in order; int32, wrapping as the encoder's do.
 * @param {Int32Array} values @param {number} components @param {Prediction} prediction
 */
export function addParallelogram(values, components, { a, b, c }) {
  for (let i = 1, at = components; at < values.length; i++) {
    const pa = components * a[i];
    const pb = components * b[i];
    const pc = components * c[i];
    for (let k = 0; k < components; k++, at++) values[at] += values[pa + k] + values[pb + k] - values[pc + k];
  }
}

/**
 * v += v[a], a being the vertex before where there are no triangles.
 * @param {Int32Array} values @param {number} components @param {Prediction | null} prediction
 */
export function addNeighbour(values, components, prediction) {
  for (let i = 1, at = components; at < values.length; i++) {
    const from = components * (prediction ? prediction.a[i] : i - 1);
    for (let k = 0; k < components; k++, at++) values[at] += values[from + k];
  }
}
