/**
 * Nodes under MECO, the compression of Nexus before Corto. The stream has no header: what is in it, and where its
 * patches end, comes from the index.
 */
import { NexusError } from './errors.js';
import { MecoWalk } from './meco_connectivity.js';
import { estimate, NORMAL_ONE, store } from './normals.js';
import { Reader } from './reader.js';
import { tunstallBlock } from './tunstall.js';

const WIDEST = 31; // of a magnitude with its leading one, in 32-bit integers

/** @typedef {ReturnType<typeof readStep>} Step */
/** @typedef {import('./decode.js').Decoded} Decoded */

/** @param {number} width */
const wide = (width) => {
  if (width < 0 || width > WIDEST) throw new NexusError(`A width of ${width} bits, 0 to ${WIDEST} were expected`);
  return width;
};

/**
 * A signed difference: its magnitude has `width` bits after a leading one, the lowest of which is the sign.
 * @param {import('./reader.js').BitReader} bits @param {number} width
 */
function difference(bits, width) {
  if (width === 0) return 0;
  const code = 2 ** width + bits.checked(wide(width));
  const half = Math.floor(code / 2);
  return code % 2 === 1 ? half : -half;
}

/** @param {Reader} reader @param {number} components */
function readStep(reader, components) {
  const minimum = Array.from({ length: components }, () => reader.i32());
  const step = 2 ** reader.i8();
  return { minimum, step, bits: wide(reader.i8()) };
}

/** @param {Int32Array} values @param {Step} step */
function scale(values, { minimum, step }) {
  const size = minimum.length;
  const floats = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) floats[i] = (values[i] + minimum[i % size]) * step;
  return floats;
}

/**
 * Points in Morton order: each keeps the high bits of the one before. Bit 3·j + k is bit j of component k.
 * @param {Reader} reader @param {number} vertices @param {number} width
 */
function cloud(reader, vertices, width) {
  const bits = reader.bits(64);
  const changes = tunstallBlock(reader, vertices, true);
  if (changes.length !== Math.max(vertices - 1, 0)) {
    throw new NexusError(`${changes.length} differences between ${vertices} points`);
  }
  const point = [0, 0, 0];
  const position = new Int32Array(3 * vertices);
  for (let i = 0; i < vertices; i++) {
    let low = 3 * width;
    if (i > 0) {
      low = changes[i - 1];
      if (low >= 3 * width) throw new NexusError(`Bit ${low} of a point changes, ${3 * width} are in use`);
      point[low % 3] |= 1 << Math.floor(low / 3);
    }
    bits.need(low);
    for (let bit = low - 1; bit >= 0; bit--) {
      const at = 1 << Math.floor(bit / 3);
      point[bit % 3] = bits.read(1) ? point[bit % 3] | at : point[bit % 3] & ~at;
    }
    position.set(point, 3 * i);
  }
  return position;
}

/**
 * 1 for the vertices on the border: where the neighbours around do not cancel.
 * @param {number} vertices @param {Uint16Array} index
 */
function border(vertices, index) {
  const around = new Int32Array(vertices);
  for (let t = 0; t < index.length; t += 3) {
    const [i, j, k] = [index[t], index[t + 1], index[t + 2]];
    around[i] += j - k;
    around[j] += k - i;
    around[k] += i - j;
  }
  return around;
}

/**
 * The estimate; on the border corrected by what the stream says, unless there are texture coordinates.
 * @param {Reader} reader @param {number} vertices @param {Float32Array} position @param {Uint16Array} index
 * @param {boolean} corrected
 */
function meshNormals(reader, vertices, position, index, corrected) {
  const width = wide(reader.i8());
  const widths = tunstallBlock(reader, 2 * vertices, true);
  const signs = tunstallBlock(reader, vertices, true);
  const bits = reader.bits(64);
  const side = 2 ** (16 - width);
  const estimated = estimate(position, index);
  const normal = new Int16Array(3 * vertices);
  const around = corrected ? border(vertices, index) : null;
  for (let i = 0, at = 0, sign = 0; i < vertices; i++) {
    store(normal, i, estimated[3 * i], estimated[3 * i + 1], estimated[3 * i + 2]);
    if (!around || around[i] === 0) continue;
    if (at + 2 > widths.length || sign >= signs.length) throw new NexusError('The normals end before the border does');
    const x = (Math.trunc(normal[3 * i] / side) + difference(bits, widths[at++])) * side;
    const y = (Math.trunc(normal[3 * i + 1] / side) + difference(bits, widths[at++])) * side;
    const z = Math.sqrt(Math.max(0, NORMAL_ONE ** 2 - x * x - y * y));
    const flipped = normal[3 * i + 2] < 0 !== (signs[sign++] !== 0);
    store(normal, i, x, y, flipped ? -z : z);
  }
  return normal;
}

/**
 * Each component as its own block of widths; vertex `i` differs from vertex `last[i]`.
 * @param {Reader} reader @param {number} vertices @param {Int32Array} last
 */
function colours(reader, vertices, last) {
  const depth = Array.from({ length: 4 }, () => wide(reader.i8()));
  const widths = depth.map(() => tunstallBlock(reader, vertices, true));
  const bits = reader.bits(64);
  if (widths.some((list) => list.length < vertices)) throw new NexusError('The colours end before the vertices do');
  const values = new Uint8Array(4 * vertices);
  for (let i = 0; i < vertices; i++) {
    for (let k = 0; k < 4; k++) {
      const before = last[i] >= 0 ? values[4 * last[i] + k] : 0;
      values[4 * i + k] = difference(bits, widths[k][i]) + before;
    }
  }
  const rgba = new Uint8Array(4 * vertices);
  const step = depth.map((width) => 2 ** (8 - width));
  for (let at = 0; at < rgba.length; at += 4) {
    const green = values[at] * step[0];
    rgba[at] = values[at + 2] * step[2] + green;
    rgba[at + 1] = green;
    rgba[at + 2] = values[at + 1] * step[1] + green;
    rgba[at + 3] = values[at + 3] * step[3];
  }
  return rgba;
}

/**
 * @param {Uint8Array} bytes
 * @param {{vertices: number, triangles: number, ends: number[],
 *          attributes: {normal: boolean, color: boolean, uv: boolean}}} expected  `ends` of the patches, in triangles
 * @returns {Decoded} as decodeCorto
 * @throws {NexusError}
 */
export function decodeMeco(bytes, { vertices, triangles, ends, attributes }) {
  const reader = new Reader(bytes);
  const grid = readStep(reader, 3);
  const texture = attributes.uv ? readStep(reader, 2) : null;
  if (triangles === 0) return decodeCloud(reader, vertices, grid, attributes);
  const walk = new MecoWalk({ vertices, triangles, uv: attributes.uv });
  for (const end of ends) walk.patch(reader, end);
  if (walk.found !== vertices) throw new NexusError(`${walk.found} of ${vertices} vertices appear in the triangles`);
  /** @type {Decoded} */
  const out = { position: scale(walk.position, grid), index: walk.index };
  if (texture) out.uv = scale(/** @type {Int32Array} */ (walk.uv), texture);
  if (attributes.normal) out.normal = meshNormals(reader, vertices, out.position, walk.index, !attributes.uv);
  if (attributes.color) out.color = colours(reader, vertices, walk.last);
  return out;
}

/**
 * @param {Reader} reader @param {number} vertices @param {Step} grid
 * @param {{normal: boolean, color: boolean}} attributes
 */
function decodeCloud(reader, vertices, grid, attributes) {
  if (attributes.normal) {
    throw new NexusError('Normals of a cloud of points under MECO: nobody has written down how they are kept');
  }
  /** @type {Decoded} */
  const out = { position: scale(cloud(reader, vertices, grid.bits), grid) };
  const before = Int32Array.from({ length: vertices }, (_, i) => i - 1);
  if (attributes.color) out.color = colours(reader, vertices, before);
  return out;
}
