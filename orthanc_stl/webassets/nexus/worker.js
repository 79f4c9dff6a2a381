/**
 * Decodes one node at a time, away from the page.
 *
 * In: {task, bytes, origin, images: [{texture, bytes}]}. Out: {node} or {failure: sentence}.
 * `node`: positions relative to `origin`, normals (estimated where a mesh has none), linear colours, pictures, box.
 */

import { decodeNode, NexusError } from './decoder/decode.js';
import { estimate, store } from './decoder/normals.js';
import { pictureOf } from './stream/picture.js';

/** @typedef {Awaited<ReturnType<typeof decode>>} DecodedNode */

/** What a colour value of a picture is worth in light, in 16 bits. */
const LINEAR = Uint16Array.from({ length: 256 }, (_, i) => {
  const c = i / 255;
  return Math.round(65535 * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
});

/** @param {Uint8Array} rgba */
function linear(rgba) {
  const out = new Uint16Array(rgba.length);
  for (let i = 0; i < rgba.length; i += 4) {
    out[i] = LINEAR[rgba[i]];
    out[i + 1] = LINEAR[rgba[i + 1]];
    out[i + 2] = LINEAR[rgba[i + 2]];
    out[i + 3] = 65535;
  }
  return out;
}

/** @param {Float32Array} position @param {Uint16Array} index */
function normalsOf(position, index) {
  const sum = estimate(position, index);
  const normal = new Int16Array(sum.length);
  for (let i = 0; i < sum.length / 3; i++) store(normal, i, sum[3 * i], sum[3 * i + 1], sum[3 * i + 2]);
  return normal;
}

/**
 * Positions become differences from `origin`; answers their box.
 * @param {number[]} origin @param {Float32Array} position
 */
function moveTo(origin, position) {
  const box = { min: [Infinity, Infinity, Infinity], max: [-Infinity, -Infinity, -Infinity] };
  for (let i = 0; i < position.length; i += 3) {
    for (let k = 0; k < 3; k++) {
      const value = position[i + k] - origin[k];
      position[i + k] = value;
      if (value < box.min[k]) box.min[k] = value;
      if (value > box.max[k]) box.max[k] = value;
    }
  }
  return box;
}

/**
 * A picture that cannot be shown leaves its triangles plain; the reason goes along.
 * @param {{texture: number, bytes: Uint8Array<ArrayBuffer>}[]} images
 */
async function picturesOf(images) {
  /** @type {{texture: number, picture: ImageBitmap}[]} */
  const pictures = [];
  /** @type {string[]} */
  const troubles = [];
  for (const { texture, bytes } of images) {
    try {
      pictures.push({ texture, picture: await pictureOf(bytes) });
    } catch (error) {
      if (!(error instanceof NexusError)) throw error;
      troubles.push(error.message);
    }
  }
  return { pictures, troubles };
}

/** @param {import('./stream/pool.js').Job} job */
async function decode({ task, bytes, origin, images }) {
  const out = decodeNode(bytes, task);
  if (out.index && !out.normal) out.normal = normalsOf(out.position, out.index);
  const color = out.color && linear(out.color);
  return { ...out, color, box: moveTo(origin, out.position), ...(await picturesOf(images)) };
}

/** @param {object} message @param {Transferable[]} transfer */
const post = (message, transfer = []) => /** @type {any} */ (globalThis).postMessage(message, transfer);

onmessage = async ({ data }) => {
  try {
    const node = await decode(data);
    const { position, index, normal, color, uv } = node;
    const buffers = [position, index, normal, color, uv].flatMap((array) => (array ? [array.buffer] : []));
    post({ node }, [...buffers, ...node.pictures.map(({ picture }) => picture)]);
  } catch (error) {
    // Whatever it is, it is this node's: the page goes on with the others.
    const { message } = /** @type {Error} */ (error);
    post({ failure: error instanceof NexusError ? message : `The decoder failed: ${message}` });
  }
};
