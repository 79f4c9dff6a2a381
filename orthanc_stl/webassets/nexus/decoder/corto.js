/**
 * Nodes under Corto: the stream describes itself, see docs/nexus-format.md.
 *
 * Positions and texture coordinates are integers times a step; colours are bytes; normals are two integers on an
 * octahedron, absolute or relative to what the triangles suggest.
 */
import { walk } from './corto_connectivity.js';
import { addNeighbour, addParallelogram, correlated, uncorrelated } from './corto_residuals.js';
import { NexusError } from './errors.js';
import { estimate, fold, store, unfold } from './normals.js';
import { Reader } from './reader.js';
import { storedBlock, tunstallBlock } from './tunstall.js';

const MAGIC = 0x787a6300;
const GENERIC = 1;
const NORMAL = 2;
const COLOUR = 3;
const PARALLEL = 1;
const CORRELATED = 2;
/** @type {Record<string, number[]>} */
const COMPONENTS = { position: [3], normal: [3], color: [3, 4], uv: [2] };
/** @type {Record<string, number>} */
const CODECS = { position: GENERIC, normal: NORMAL, color: COLOUR, uv: GENERIC };
/** @typedef {ReturnType<typeof readAttribute>} Attribute */
/** @typedef {ReturnType<typeof readHeader>} Header */
/** @typedef {ReturnType<typeof walk>} Prediction */
/** @typedef {import('./decode.js').Decoded} Decoded */

/** Where the normals' residuals begin: at nothing, at the estimate, at the estimate and only on the border. */
const DIFFERENCE = 0;
const BORDER = 2;

/** @param {Reader} reader */
function readAttribute(reader) {
  const attribute = {
    name: reader.string(),
    codec: reader.u32(),
    step: reader.f32(),
    components: reader.u8(),
    format: reader.u8(),
    strategy: reader.u8(),
  };
  const { name, codec, components } = attribute;
  const known = Object.hasOwn(CODECS, name);
  if (known ? codec !== CODECS[name] || !COMPONENTS[name].includes(components) : codec !== GENERIC || components > 4) {
    throw new NexusError(
      `Attribute "${name.slice(0, 32)}" with codec ${codec} and ${components} components is not one of a Nexus model`);
  }
  // That of colours is not used (they have one for each component, further down) and is written as 0.
  if (codec !== COLOUR && !(attribute.step > 0 && Number.isFinite(attribute.step))) {
    throw new NexusError(`The step of attribute "${name.slice(0, 32)}" is ${attribute.step}`);
  }
  return attribute;
}

/** Entries of (string, string) that nothing here needs. @param {Reader} reader @param {number} count */
function skipProperties(reader, count) {
  for (let i = 0; i < 2 * count; i++) reader.string();
}

/** @param {Reader} reader */
function readHeader(reader) {
  if (reader.u32() !== MAGIC) throw new NexusError("The node does not begin with Corto's magic number");
  const version = reader.u32();
  if (version !== 1) throw new NexusError(`Version ${version} of Corto, 1 was expected`);
  const entropy = reader.u8();
  if (entropy > 1) throw new NexusError(`Entropy coder ${entropy} of Corto is not in use anywhere, 0 and 1 are`);
  skipProperties(reader, reader.u32());
  const attributes = [];
  for (let count = reader.u32(); count > 0; count--) attributes.push(readAttribute(reader));
  const names = attributes.map((attribute) => attribute.name);
  if (new Set(names).size < names.length) throw new NexusError('An attribute appears twice');
  const vertices = reader.u32();
  const triangles = reader.u32();
  const ends = [];
  for (let count = reader.u32(); count > 0; count--) {
    ends.push(reader.u32());
    skipProperties(reader, reader.u8());
  }
  return { block: entropy === 0 ? storedBlock : tunstallBlock, attributes, vertices, triangles, ends };
}

/** @param {Header} header @param {{vertices: number, triangles: number}} expected */
function checkCounts(header, expected) {
  const { vertices, triangles, ends } = header;
  if (vertices !== expected.vertices || triangles !== expected.triangles) {
    throw new NexusError(
      `The node has ${vertices} vertices and ${triangles} triangles, `
      + `the index says ${expected.vertices} and ${expected.triangles}`,
    );
  }
  const last = triangles || vertices; // the groups of a cloud count its points
  ends.forEach((end, i) => {
    if (end > last || (i > 0 && end < ends[i - 1])) {
      throw new NexusError(`Group ${i} ends at ${end}, out of order or beyond ${last}`);
    }
  });
}

/** @param {Reader} reader @param {Header} header */
function readWalk(reader, { block, ends, vertices, triangles }) {
  reader.u32(); // the largest front: a hint on capacity
  // An edge can be delayed again and again; encoders do it a few times for a few edges.
  const operations = block(reader, 64 * triangles + 64);
  return walk(operations, reader.bits(), ends, vertices, triangles);
}

/** @param {Reader} reader @param {Attribute} attribute @param {Header} header @param {Prediction | null} prediction */
function genericValues(reader, { components, step, strategy }, header, prediction) {
  const read = strategy & CORRELATED ? correlated : uncorrelated;
  const values = read(reader, header.block, header.vertices, components);
  if (prediction && strategy & PARALLEL) addParallelogram(values, components, prediction);
  else addNeighbour(values, components, prediction);
  const floats = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) floats[i] = values[i] * step;
  return { integers: values, floats };
}

/**
 * (n × 4) RGBA from differences of green, blue - green, red - green and opacity.
 * @param {Reader} reader @param {Attribute} attribute @param {Header} header @param {Prediction | null} prediction
 */
function colours(reader, { components }, { block, vertices }, prediction) {
  const steps = Array.from({ length: components }, () => reader.u8());
  const values = uncorrelated(reader, block, vertices, components);
  addNeighbour(values, components, prediction);
  const rgba = new Uint8Array(4 * vertices);
  for (let i = 0, at = 0; i < vertices; i++, at += components) {
    const green = values[at];
    rgba[4 * i] = (values[at + 2] + green) * steps[0];
    rgba[4 * i + 1] = green * steps[1];
    rgba[4 * i + 2] = (values[at + 1] + green) * steps[2];
    rgba[4 * i + 3] = components === 4 ? values[at + 3] * steps[3] : 255;
  }
  return rgba;
}

/**
 * 1 for the vertices that are on the border of the node's surface.
 * @param {number} vertices @param {Uint16Array} indices
 */
function border(vertices, indices) {
  const around = new Int32Array(vertices);
  for (let t = 0; t < indices.length; t += 3) {
    const [i, j, k] = [indices[t], indices[t + 1], indices[t + 2]];
    around[i] ^= j ^ k;
    around[j] ^= k ^ i;
    around[k] ^= i ^ j;
  }
  return Uint8Array.from(around, (m) => (m === 0 ? 0 : 1));
}

/**
 * Residuals of the normals, to be put onto the estimate once the positions are known.
 * @param {Reader} reader @param {Header} header @param {Prediction | null} prediction
 */
function normalResiduals(reader, header, prediction) {
  const mode = reader.u8();
  if (mode > BORDER) throw new NexusError(`Normals of kind ${mode}, 0, 1 and 2 are known`);
  if (mode !== DIFFERENCE && !prediction) throw new NexusError('Normals to be estimated, in a cloud of points');
  const at = mode === BORDER ? border(header.vertices, /** @type {Prediction} */ (prediction).indices) : null;
  const count = at ? at.reduce((sum, one) => sum + one, 0) : header.vertices;
  const values = correlated(reader, header.block, count, 2);
  if (mode === DIFFERENCE) addNeighbour(values, 2, prediction);
  return { mode, values, border: at };
}

/**
 * @param {ReturnType<typeof normalResiduals>} residuals @param {number} unit @param {number} vertices
 * @param {Int32Array | null} positions @param {Uint16Array | undefined} indices
 */
function normals({ mode, values, border }, unit, vertices, positions, indices) {
  const out = new Int16Array(3 * vertices);
  if (mode === DIFFERENCE) {
    for (let i = 0; i < vertices; i++) unfold(out, i, values[2 * i], values[2 * i + 1], unit);
    return out;
  }
  const estimated = estimate(/** @type {Int32Array} */ (positions), /** @type {Uint16Array} */ (indices));
  const folded = new Int32Array(2 * vertices);
  for (let i = 0, at = 0; i < vertices; i++) {
    if (border && border[i] === 0) {
      store(out, i, estimated[3 * i], estimated[3 * i + 1], estimated[3 * i + 2]);
      continue;
    }
    fold(estimated, i, unit, folded);
    const x = ((folded[2 * i] + values[at++]) << 16) >> 16; // the encoder's sums are 16 bits wide
    const y = ((folded[2 * i + 1] + values[at++]) << 16) >> 16;
    unfold(out, i, x, y, unit);
  }
  return out;
}

/**
 * @param {Uint8Array} bytes  the node's, padding included
 * @param {{vertices: number, triangles: number}} expected  from the index
 * @returns {Decoded}
 * @throws {NexusError}
 */
export function decodeCorto(bytes, expected) {
  const reader = new Reader(bytes);
  const header = readHeader(reader);
  checkCounts(header, expected);
  const prediction = header.triangles > 0 ? readWalk(reader, header) : null;
  /** @type {Partial<Decoded>} */
  const out = {};
  /** @type {Int32Array | null} */
  let integers = null;
  /** @type {ReturnType<typeof normalResiduals> & {unit: number} | null} */
  let residuals = null;
  for (const attribute of header.attributes) {
    if (attribute.codec === COLOUR) out.color = colours(reader, attribute, header, prediction);
    else if (attribute.codec === NORMAL) {
      residuals = { ...normalResiduals(reader, header, prediction), unit: attribute.step };
    } else {
      const values = genericValues(reader, attribute, header, prediction);
      if (attribute.name === 'position') integers = values.integers;
      if (Object.hasOwn(CODECS, attribute.name)) out[/** @type {'position' | 'uv'} */ (attribute.name)] = values.floats;
    }
  }
  if (!out.position) throw new NexusError('The node has no positions');
  if (residuals) out.normal = normals(residuals, residuals.unit, header.vertices, integers, prediction?.indices);
  if (prediction) out.index = prediction.indices;
  return /** @type {Decoded} */ (out);
}
