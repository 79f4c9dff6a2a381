/** The container: header, nodes, patches and textures of a .nxs or .nxz file, checked against the size of the file. */
import { NexusError } from './errors.js';

export const HEADER_BYTES = 88;
const MAGIC = 0x4e787320;
const NODE_BYTES = 44;
const PATCH_BYTES = 12;
const TEXTURE_BYTES = 68;
const BLOCK = 256; // offsets count these
const NO_TEXTURE = 0xffffffff;
const FLAGS = { meco: 2, corto: 4, deepzoom: 8 };
/** An index of more bytes than this describes some 10^9 triangles; no browser gets there. */
const LARGEST_INDEX = 64 << 20;

/**
 * Type and number of an attribute as the signature declares it: [name, type, components].
 * @type {Record<string, number[]>}
 */
const DECLARED = { position: [7, 3], normal: [3, 3], uv: [7, 2], index: [4, 3] };

/** @typedef {{position: boolean, normal: boolean, color: boolean, uv: boolean, index: boolean}} Attributes */
/** @typedef {ReturnType<typeof readHeader>} Header */
/** @typedef {ReturnType<typeof readPatch>} Patch */
/** @typedef {ReturnType<typeof readNode>} Node */

/** @param {unknown} condition @param {string} sentence */
function check(condition, sentence) {
  if (!condition) throw new NexusError(sentence);
}

/** @param {DataView} view @param {number} at @param {string} name */
function declares(view, at, name) {
  const [type, count] = [view.getUint8(at), view.getUint8(at + 1)];
  if (type === 0 || count === 0) return false;
  const expected = DECLARED[name];
  const byte = name === 'color' && (type === 1 || type === 2) && count === 4; // declared signed, but it is not
  check(byte || (expected && type === expected[0] && count === expected[1]),
    `The model's ${name} is of type ${type} × ${count}`);
  return true;
}

/** @param {DataView} view @returns {Attributes} */
function attributesOf(view) {
  const attributes = { position: false, normal: false, color: false, uv: false, index: false };
  /** @type {const} */ (['position', 'normal', 'color', 'uv']).forEach((name, i) => {
    attributes[name] = declares(view, 24 + 2 * i, name);
  });
  attributes.index = declares(view, 40, 'index');
  check(attributes.position, 'The model has no positions');
  return attributes;
}

/** @param {number} flags @returns {'corto' | 'meco' | 'plain'} */
function codecOf(flags) {
  if (flags & FLAGS.corto) return 'corto';
  return flags & FLAGS.meco ? 'meco' : 'plain';
}

/**
 * @param {ArrayBuffer} buffer  at least the first 88 bytes
 * @param {number} size         of the whole file
 */
export function readHeader(buffer, size) {
  check(buffer.byteLength >= HEADER_BYTES,
    `A Nexus file begins with ${HEADER_BYTES} bytes of header, here are ${buffer.byteLength}`);
  const view = new DataView(buffer);
  check(view.getUint32(0, true) === MAGIC, 'This is not a Nexus model: the magic number is missing');
  const version = view.getUint32(4, true);
  check(version === 2, `Version ${version} of Nexus, 2 was expected`);
  const flags = view.getUint32(56, true);
  check((flags & FLAGS.deepzoom) === 0,
    'The model is of the kind “deepzoom”, kept in many files: it cannot be shown from one');
  const [nodes, patches, textures] = [60, 64, 68].map((at) => view.getUint32(at, true));
  const indexEnd = HEADER_BYTES + NODE_BYTES * nodes + PATCH_BYTES * patches + TEXTURE_BYTES * textures;
  check(nodes >= 2, `A model has a node and an end marker at least, here are ${nodes}`);
  check(indexEnd <= size && indexEnd <= LARGEST_INDEX,
    `The index of ${indexEnd} bytes does not fit into the file of ${size}`);
  const [x, y, z, radius] = [72, 76, 80, 84].map((at) => view.getFloat32(at, true));
  check([x, y, z, radius].every(Number.isFinite) && radius > 0, 'The sphere around the model is not a sphere');
  return {
    vertices: Number(view.getBigUint64(8, true)),
    triangles: Number(view.getBigUint64(16, true)),
    attributes: attributesOf(view),
    codec: codecOf(flags),
    nodes,
    patches,
    textures,
    indexEnd,
    centre: [x, y, z],
    radius,
  };
}

/** @param {DataView} view @param {number} at */
function readNode(view, at) {
  return {
    begin: BLOCK * view.getUint32(at, true),
    end: 0, // the beginning of the next node
    vertices: view.getUint16(at + 4, true),
    triangles: view.getUint16(at + 6, true),
    error: view.getFloat32(at + 8, true),
    centre: [20, 24, 28].map((k) => view.getFloat32(at + k, true)),
    radius: view.getFloat32(at + 32, true),
    tightRadius: view.getFloat32(at + 36, true),
    firstPatch: view.getUint32(at + 40, true),
    patches: /** @type {Patch[]} */ ([]),
  };
}

/** @param {DataView} view @param {number} at */
function readPatch(view, at) {
  const texture = view.getUint32(at + 8, true);
  return { node: view.getUint32(at, true), begin: 0, end: view.getUint32(at + 4, true),
    texture: texture === NO_TEXTURE ? -1 : texture };
}

/**
 * The patches of a node get their beginnings; counts, order and references are checked.
 * @param {Node} node @param {number} number @param {Header} header @param {number} size
 */
function checkNode(node, number, header, size) {
  const where = `Node ${number}`;
  check(node.end >= node.begin && node.end <= size,
    `${where} is to lie at ${node.begin} to ${node.end} of ${size} bytes`);
  check(node.begin >= header.indexEnd, `${where} lies inside the index`);
  check([...node.centre, node.radius, node.tightRadius, node.error].every(Number.isFinite),
    `${where} has a sphere that is none`);
  check(node.radius >= 0 && node.tightRadius >= 0, `${where} has a sphere that is none`);
  const most = node.triangles || node.vertices;
  let begin = 0;
  for (const patch of node.patches) {
    check(patch.end >= begin && patch.end <= most, `A patch of node ${number} ends at ${patch.end} of ${most}`);
    check(patch.node > number && patch.node < header.nodes, `Node ${number} is refined by node ${patch.node}`);
    check(patch.texture < Math.max(header.textures - 1, 0),
      `Node ${number} wants texture ${patch.texture} of ${header.textures - 1}`);
    patch.begin = begin;
    begin = patch.end;
  }
  check(begin === most, `The patches of node ${number} hold ${begin} of ${most} triangles`);
}

/** @param {DataView} view @param {Header} header @param {number} size */
function readTextures(view, header, size) {
  const at = header.indexEnd - TEXTURE_BYTES * header.textures;
  const offsets = Array.from({ length: header.textures }, (_, i) => BLOCK * view.getUint32(at + TEXTURE_BYTES * i,
    true));
  return offsets.slice(0, -1).map((begin, i) => {
    const end = offsets[i + 1];
    check(begin <= end && end <= size, `Texture ${i} is to lie at ${begin} to ${end} of ${size} bytes`);
    return { begin, end };
  });
}

/** Nodes 0 to R - 1: those that refine no other. @param {Node[]} nodes */
function countRoots(nodes) {
  let roots = nodes.length;
  for (let i = 0; i < roots; i++) for (const patch of nodes[i].patches) roots = Math.min(roots, patch.node);
  return roots;
}

/**
 * @param {ArrayBuffer} buffer  the whole index: `header.indexEnd` bytes
 * @param {number} size         of the whole file
 * @returns {{header: Header, nodes: Node[], textures: {begin: number, end: number}[], roots: number, sink: number}}
 *   `nodes` without the sink; a patch whose `node` is `sink` is at the finest level
 * @throws {NexusError}
 */
export function readIndex(buffer, size) {
  const header = readHeader(buffer, size);
  check(buffer.byteLength >= header.indexEnd, `The index has ${header.indexEnd} bytes, here are ${buffer.byteLength}`);
  const view = new DataView(buffer);
  const sink = header.nodes - 1;
  const patchesAt = HEADER_BYTES + NODE_BYTES * header.nodes;
  const all = Array.from({ length: header.nodes }, (_, i) => readNode(view, HEADER_BYTES + NODE_BYTES * i));
  const patches = Array.from({ length: header.patches }, (_, i) => readPatch(view, patchesAt + PATCH_BYTES * i));
  const nodes = all.slice(0, -1);
  nodes.forEach((node, i) => {
    const next = all[i + 1];
    check(node.firstPatch <= next.firstPatch && next.firstPatch <= header.patches,
      `The patches of node ${i} are out of order`);
    node.end = next.begin;
    node.patches = patches.slice(node.firstPatch, next.firstPatch);
    checkNode(node, i, header, size);
  });
  return { header, nodes, textures: readTextures(view, header, size), roots: countRoots(nodes), sink };
}
