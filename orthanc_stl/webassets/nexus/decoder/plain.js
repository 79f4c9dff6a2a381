/** Nodes that are not compressed: one array after the other. */
import { NexusError } from './errors.js';
import { Reader } from './reader.js';

/**
 * A typed array of its own (the source has no alignment) over the next `count` values.
 * @template T @param {Reader} reader @param {{new (buffer: ArrayBuffer): T, BYTES_PER_ELEMENT: number}} Type
 * @param {number} count @returns {T}
 */
function array(reader, Type, count) {
  const bytes = reader.take(count * Type.BYTES_PER_ELEMENT);
  return new Type(bytes.slice().buffer);
}

/**
 * @param {Uint8Array} bytes
 * @param {import('./decode.js').Task} expected
 * @returns {import('./decode.js').Decoded} as decodeCorto
 * @throws {NexusError}
 */
export function decodePlain(bytes, { vertices, triangles, attributes }) {
  const reader = new Reader(bytes);
  /** @type {import('./decode.js').Decoded} */
  const out = { position: array(reader, Float32Array, 3 * vertices) };
  if (attributes.uv) out.uv = array(reader, Float32Array, 2 * vertices);
  if (attributes.normal) out.normal = array(reader, Int16Array, 3 * vertices);
  if (attributes.color) out.color = array(reader, Uint8Array, 4 * vertices);
  if (attributes.index && triangles > 0) out.index = array(reader, Uint16Array, 3 * triangles);
  if (out.index) {
    for (let i = 0; i < out.index.length; i++) {
      if (out.index[i] >= vertices) throw new NexusError(`A triangle refers to vertex ${out.index[i]} of ${vertices}`);
    }
  }
  return out;
}
