/**
 * Reads the GLB of a structure colored by its distance to another one, as POST /stl/compare writes it: one mesh in LPS
 * mm with floats for positions and normals, and the distances (mm) as the attribute `_DISTANCE`.
 */

const ARRAYS = /** @type {const} */ ({ 5123: Uint16Array, 5125: Uint32Array, 5126: Float32Array });
/** @type {Record<string, number>} */
const WIDTHS = { SCALAR: 1, VEC3: 3, VEC4: 4 };

/** @param {Uint8Array} bytes @returns {boolean} */
export const isGlb = (bytes) => bytes.length > 28 && new TextDecoder('latin1').decode(bytes.subarray(0, 4)) === 'glTF';

/**
 * @param {Uint8Array} bytes
 * @returns {import('../viewer/loader.js').Loaded & {distances: Float32Array}}
 */
export function readGlb(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(12, true);
  const document = JSON.parse(new TextDecoder().decode(bytes.subarray(20, 20 + length)));
  const { attributes, indices } = document.meshes[0].primitives[0];
  const values = (/** @type {number} */ number) => {
    const { bufferView, componentType, count, type } = document.accessors[number];
    const Values = ARRAYS[/** @type {keyof typeof ARRAYS} */ (componentType)];
    /** @type {number} */
    const start = bytes.byteOffset + 28 + length + document.bufferViews[bufferView].byteOffset;
    const end = start + count * WIDTHS[type] * Values.BYTES_PER_ELEMENT;
    return new Values(/** @type {ArrayBuffer} */ (bytes.buffer).slice(start, end));
  };
  const { min, max } = document.accessors[attributes.POSITION];
  const centre = min.map((/** @type {number} */ low, /** @type {number} */ i) => (low + max[i]) / 2);
  const positions = /** @type {Float32Array} */ (values(attributes.POSITION)).map((value, i) => value - centre[i % 3]);
  const index = Uint32Array.from(values(indices));
  return {
    min, max, centre, positions, index, triangles: index.length / 3, ...measured(positions, index),
    normals: /** @type {Float32Array} */ (values(attributes.NORMAL)),
    distances: /** @type {Float32Array} */ (values(attributes._DISTANCE)),
    notes: document.nodes[0].extras?.notes ?? [],
  };
}

/** @param {Float32Array} p @param {Uint32Array} index @returns {{volume: number, area: number}} mm³, mm² */
function measured(p, index) {
  let volume = 0, area = 0;
  for (let i = 0; i < index.length; i += 3) {
    const [a, b, c] = [3 * index[i], 3 * index[i + 1], 3 * index[i + 2]];
    const ux = p[b] - p[a], uy = p[b + 1] - p[a + 1], uz = p[b + 2] - p[a + 2];
    const vx = p[c] - p[a], vy = p[c + 1] - p[a + 1], vz = p[c + 2] - p[a + 2];
    const x = uy * vz - uz * vy, y = uz * vx - ux * vz, z = ux * vy - uy * vx;
    area += Math.hypot(x, y, z) / 2;
    volume += (p[a] * x + p[a + 1] * y + p[a + 2] * z) / 6;
  }
  return { volume: Math.abs(volume), area };
}
