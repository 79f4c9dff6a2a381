/** Where planes cut parts: segments to draw, closed outlines, their area and largest diameter. Points are LPS, mm. */

import * as THREE from 'three';

/** @typedef {import('./parts.js').Part} Part */

/**
 * The triangles that a plane goes through, each as one segment whose left side (seen from the plane's normal) is
 * inside. A corner on the plane counts as above it, so that a closed surface gives closed outlines.
 * @param {Part} part @param {THREE.Plane} plane
 * @returns {number[]} six numbers a segment
 */
export function cut({ tree, model }, plane) {
  /** @type {number[]} */
  const out = [];
  if (!tree || !model) return out;
  const centre = new THREE.Vector3().fromArray(model.centre);
  const local = plane.clone().translate(centre.clone().negate());
  const corners = [new THREE.Vector3(), new THREE.Vector3(), new THREE.Vector3()];
  const from = new THREE.Vector3(), to = new THREE.Vector3();
  tree.shapecast({
    intersectsBounds: (box) => local.intersectsBox(box),
    intersectsTriangle: (triangle) => {
      corners[0].copy(triangle.a);
      corners[1].copy(triangle.b);
      corners[2].copy(triangle.c);
      const above = corners.map((corner) => local.distanceToPoint(corner) >= 0);
      if (above[0] === above[1] && above[1] === above[2]) return false;
      for (let i = 0; i < 3; i++) {
        const next = (i + 1) % 3;
        if (above[i] === above[next]) continue;
        crossing(corners[i], corners[next], local, above[i] ? from : to);
      }
      out.push(from.x + centre.x, from.y + centre.y, from.z + centre.z, to.x + centre.x, to.y + centre.y, to.z
        + centre.z);
      return false;
    },
  });
  return out;
}

/**
 * The same point, to the last bit, from both triangles of an edge.
 * @type {(a: THREE.Vector3, b: THREE.Vector3, plane: THREE.Plane, out: THREE.Vector3) => void}
 */
function crossing(a, b, plane, out) {
  const first = a.x < b.x || (a.x === b.x && (a.y < b.y || (a.y === b.y && a.z < b.z)));
  const low = first ? a : b, high = first ? b : a;
  const below = plane.distanceToPoint(low), above = plane.distanceToPoint(high);
  out.lerpVectors(low, high, below / (below - above));
}

/**
 * @param {number[]} segments of `cut` @returns {number[][][]} closed outlines, without the first point again at the end
 */
export function loopsOf(segments) {
  const key = (/** @type {number} */ at) => `${segments[at]},${segments[at + 1]},${segments[at + 2]}`;
  /** @type {Map<string, number[]>} */
  const starts = new Map();
  for (let at = 0; at < segments.length; at += 6) {
    const known = starts.get(key(at));
    if (known) known.push(at);
    else starts.set(key(at), [at]);
  }
  const used = new Set();
  const loops = [];
  for (let begin = 0; begin < segments.length; begin += 6) {
    if (used.has(begin)) continue;
    const loop = [];
    for (let /** @type {number | undefined} */ at = begin; at !== undefined; at = starts.get(key(at
      + 3))?.find((each) => !used.has(each))) {
      used.add(at);
      loop.push([segments[at], segments[at + 1], segments[at + 2]]);
    }
    loops.push(loop);
  }
  return loops.map(withoutRepeats).filter((loop) => loop.length > 2);
}

/** @param {number[][]} loop */
const withoutRepeats = (loop) => loop.filter((point, i) => {
  const before = loop[(i + loop.length - 1) % loop.length];
  return loop.length < 2 || point[0] !== before[0] || point[1] !== before[1] || point[2] !== before[2];
});

/**
 * @param {number[]} segments of `cut` @param {THREE.Vector3} normal of the plane
 * @returns {number} mm², holes taken off
 */
export function areaOf(segments, normal) {
  if (!segments.length) return 0;
  const origin = new THREE.Vector3(segments[0], segments[1], segments[2]);
  const a = new THREE.Vector3(), b = new THREE.Vector3();
  let twice = 0;
  for (let at = 0; at < segments.length; at += 6) {
    a.fromArray(segments, at).sub(origin);
    b.fromArray(segments, at + 3).sub(origin);
    twice += a.cross(b).dot(normal);
  }
  return Math.abs(twice) / 2;
}

const DIRECTIONS = 600;

/**
 * The two points that lie furthest apart, among those furthest in some 600 directions: short of the truth by less than
 * a thousandth.
 * @param {ArrayLike<number>} points three numbers each @returns {[THREE.Vector3, THREE.Vector3]}
 */
export function furthest(points) {
  /** @type {Set<number>} */
  const extremes = new Set();
  for (let n = 0; n < DIRECTIONS; n++) { // a spiral over the half sphere
    const z = (n + 0.5) / DIRECTIONS, r = Math.sqrt(1 - z * z), angle = n * 2.399963229728653;
    const x = r * Math.cos(angle), y = r * Math.sin(angle);
    let high = -Infinity, low = Infinity, highest = 0, lowest = 0;
    for (let i = 0; i < points.length; i += 3) {
      const along = x * points[i] + y * points[i + 1] + z * points[i + 2];
      if (along > high) { high = along; highest = i; }
      if (along < low) { low = along; lowest = i; }
    }
    extremes.add(highest).add(lowest);
  }
  const list = [...extremes].map((i) => new THREE.Vector3(points[i], points[i + 1], points[i + 2]));
  /** @type {[THREE.Vector3, THREE.Vector3]} */
  let best = [list[0], list[0]];
  for (let i = 0; i < list.length; i++) {
    for (let j = i + 1; j < list.length; j++) {
      if (list[i].distanceToSquared(list[j]) > best[0].distanceToSquared(best[1])) best = [list[i], list[j]];
    }
  }
  return best;
}
