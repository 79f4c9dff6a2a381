/** Where a line of sight meets triangles or points, on plain arrays. */

/** @typedef {{x: number, y: number, z: number}} Point */
/** @typedef {{origin: Point, direction: Point}} Ray */

/**
 * @param {Ray} ray
 * @param {Float32Array} p positions @param {Uint16Array} index @param {number} start @param {number} count of index
 * values
 * @param {number} best only what is nearer is of interest
 * @param {(distance: number) => boolean} keep whether a hit counts
 * @returns {number} the distance of the nearest hit, Infinity without one (Möller and Trumbore; both sides count)
 */
export function rayOnTriangles({ origin: o, direction: d }, p, index, start, count, best, keep) {
  let found = Infinity;
  for (let at = start; at < start + count; at += 3) {
    const a = 3 * index[at], b = 3 * index[at + 1], c = 3 * index[at + 2];
    const ux = p[b] - p[a], uy = p[b + 1] - p[a + 1], uz = p[b + 2] - p[a + 2];
    const vx = p[c] - p[a], vy = p[c + 1] - p[a + 1], vz = p[c + 2] - p[a + 2];
    const hx = d.y * vz - d.z * vy, hy = d.z * vx - d.x * vz, hz = d.x * vy - d.y * vx;
    const scale = ux * hx + uy * hy + uz * hz;
    if (scale === 0) continue;
    const sx = o.x - p[a], sy = o.y - p[a + 1], sz = o.z - p[a + 2];
    const first = (sx * hx + sy * hy + sz * hz) / scale;
    if (first < 0 || first > 1) continue;
    const qx = sy * uz - sz * uy, qy = sz * ux - sx * uz, qz = sx * uy - sy * ux;
    const second = (d.x * qx + d.y * qy + d.z * qz) / scale;
    if (second < 0 || first + second > 1) continue;
    const distance = (vx * qx + vy * qy + vz * qz) / scale;
    if (distance > 0 && distance < best && distance < found && keep(distance)) found = distance;
  }
  return found;
}

/**
 * The same for points: hit are those no farther from the line than `radiusAt(distance)`.
 * @param {Ray} ray @param {Float32Array} p @param {(distance: number) => number} radiusAt @param {number} best
 * @param {(distance: number) => boolean} keep
 */
export function rayOnCloud({ origin: o, direction: d }, p, radiusAt, best, keep) {
  let found = Infinity;
  for (let at = 0; at < p.length; at += 3) {
    const x = p[at] - o.x, y = p[at + 1] - o.y, z = p[at + 2] - o.z;
    const distance = x * d.x + y * d.y + z * d.z;
    if (distance <= 0 || distance >= best || distance >= found) continue;
    const aside = x * x + y * y + z * z - distance * distance;
    const radius = radiusAt(distance);
    if (aside <= radius * radius && keep(distance)) found = distance;
  }
  return found;
}
