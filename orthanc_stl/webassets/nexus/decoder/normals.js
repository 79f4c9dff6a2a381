/** Normals as Nexus keeps them: 16-bit integers, folded onto an octahedron, or estimated from the triangles. */

export const NORMAL_ONE = 32767;
const round = Math.fround;

/** @param {Float32Array} sum @param {number} at @param {number} x @param {number} y @param {number} z */
function add(sum, at, x, y, z) {
  sum[at] += x;
  sum[at + 1] += y;
  sum[at + 2] += z;
}

/**
 * Sum of the cross products of each vertex's triangles, not normalised, in 32-bit floats as the encoder has it.
 * @param {Float32Array | Int32Array} p  (n × 3) positions
 * @param {Uint16Array} indices        (m × 3)
 * @returns {Float32Array}             (n × 3)
 */
export function estimate(p, indices) {
  const sum = new Float32Array(p.length);
  for (let t = 0; t < indices.length; t += 3) {
    const i = 3 * indices[t];
    const j = 3 * indices[t + 1];
    const k = 3 * indices[t + 2];
    const ax = round(p[j] - p[i]);
    const ay = round(p[j + 1] - p[i + 1]);
    const az = round(p[j + 2] - p[i + 2]);
    const bx = round(p[k] - p[i]);
    const by = round(p[k + 1] - p[i + 1]);
    const bz = round(p[k + 2] - p[i + 2]);
    const x = round(round(ay * bz) - round(az * by));
    const y = round(round(az * bx) - round(ax * bz));
    const z = round(round(ax * by) - round(ay * bx));
    add(sum, i, x, y, z);
    add(sum, j, x, y, z);
    add(sum, k, x, y, z);
  }
  return sum;
}

/**
 * Write a vector as the 16-bit normal of vertex `i`; zero stays zero.
 * @param {Int16Array} normals @param {number} i @param {number} x @param {number} y @param {number} z
 */
export function store(normals, i, x, y, z) {
  const length = Math.sqrt(x * x + y * y + z * z);
  const scale = length > 0 ? NORMAL_ONE / length : 0;
  normals[3 * i] = Math.trunc(x * scale);
  normals[3 * i + 1] = Math.trunc(y * scale);
  normals[3 * i + 2] = Math.trunc(z * scale);
}

/**
 * Unfold (x, y) on the octahedron of half-diagonal `unit` to the normal of vertex `i`.
 * @param {Int16Array} normals @param {number} i @param {number} x @param {number} y @param {number} unit
 */
export function unfold(normals, i, x, y, unit) {
  let u = x;
  let v = y;
  const z = unit - Math.abs(x) - Math.abs(y);
  if (z < 0) {
    u = (x > 0 ? 1 : -1) * (unit - Math.abs(y));
    v = (y > 0 ? 1 : -1) * (unit - Math.abs(x));
  }
  store(normals, i, u, v, z);
}

/**
 * Fold an estimated normal onto the octahedron: two integers at `2·i` of `out`, zero for a zero vector.
 * @param {Float32Array} n  (n × 3)
 * @param {number} i @param {number} unit @param {Int32Array} out
 */
export function fold(n, i, unit, out) {
  const x = n[3 * i];
  const y = n[3 * i + 1];
  const z = n[3 * i + 2];
  const sum = Math.abs(x) + Math.abs(y) + Math.abs(z);
  if (!(sum > 0)) {
    out[2 * i] = 0;
    out[2 * i + 1] = 0;
    return;
  }
  let u = x / sum;
  let v = y / sum;
  if (z < 0) {
    const turned = (1 - Math.abs(v)) * (x < 0 ? -1 : 1);
    v = (1 - Math.abs(u)) * (y < 0 ? -1 : 1);
    u = turned;
  }
  out[2 * i] = Math.trunc(u * unit);
  out[2 * i + 1] = Math.trunc(v * unit);
}
