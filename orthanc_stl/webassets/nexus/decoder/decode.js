/** One node of a model, from the bytes of the file to arrays that a graphics card takes. */
import { decodeCorto } from './corto.js';
import { NexusError } from './errors.js';
import { decodeMeco } from './meco.js';
import { decodePlain } from './plain.js';

export { NexusError } from './errors.js';
export { HEADER_BYTES, readHeader, readIndex } from './container.js';

/**
 * @typedef {object} Decoded
 * @property {Float32Array<ArrayBuffer>} position (n × 3)
 * @property {Float32Array<ArrayBuffer>} [uv] (n × 2)
 * @property {Uint8Array<ArrayBuffer>} [color] (n × 4) sRGB and opacity
 * @property {Int16Array<ArrayBuffer>} [normal] (n × 3) in 1/32767
 * @property {Uint16Array<ArrayBuffer>} [index] (m × 3)
 */
/** @typedef {ReturnType<typeof task>} Task */

const DECODERS = { plain: decodePlain, corto: decodeCorto, meco: decodeMeco };

/**
 * What a decoder has to know of a node; small and plain, so that it can be sent to a worker.
 * @param {import('./container.js').Header} header @param {import('./container.js').Node} node
 */
export function task(header, node) {
  return {
    codec: header.codec,
    attributes: header.attributes,
    vertices: node.vertices,
    triangles: node.triangles,
    ends: node.patches.map((patch) => patch.end),
  };
}

/**
 * @param {Uint8Array} bytes  of the node, padding included
 * @param {Task} expected
 * @returns {Decoded}
 * @throws {NexusError} and nothing else, whatever the bytes are
 */
export function decodeNode(bytes, expected) {
  const out = DECODERS[expected.codec](bytes, expected);
  for (let i = 0; i < out.position.length; i++) {
    if (!Number.isFinite(out.position[i])) throw new NexusError('A position is not a number');
  }
  return out;
}
