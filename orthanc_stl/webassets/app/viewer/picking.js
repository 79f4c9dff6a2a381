/** What is under the mouse: the surface of a part, the face of a cut, or a slice. */

import * as THREE from 'three';
import { clipping } from './part-mesh.js';

/** @typedef {import('./parts.js').Part} Part */

/**
 * @typedef {object} Hit
 * @property {THREE.Vector3} point LPS mm @property {number} distance from the eye
 * @property {Part | null} part @property {THREE.Plane | null} plane of the cut or the slice that was hit
 * @property {number | null} axis of the slice that was hit
 */

/** Through parts as faint as this one clicks on what lies behind them. */
const FAINT = 0.5;

/**
 * @param {THREE.Raycaster} caster @param {Part[]} parts that are shown
 * @param {(ray: THREE.Ray) => Hit[]} sliceHits
 * @returns {Hit | null}
 */
export function pick(caster, parts, sliceHits = () => []) {
  const hits = parts.flatMap((part) => hitsOf(part, caster).slice(0, 1));
  const solid = [...hits.filter(({ part }) => part && part.opacity >= FAINT), ...sliceHits(caster.ray)];
  const nearest = (/** @type {Hit[]} */ list) => list.sort((a, b) => a.distance - b.distance)[0] ?? null;
  return nearest(solid) ?? nearest(hits);
}

/** @param {Part} part @param {THREE.Raycaster} caster @returns {Hit[]} from near to far, of what is not cut away */
function hitsOf(part, caster) {
  const all = crossings(part, caster);
  const [plane] = clipping;
  const hits = all.filter(({ point }) => !plane || plane.distanceToPoint(point) >= 0)
    .map(({ point, distance }) => ({ point, distance, part, plane: null, axis: null }));
  const face = plane && plane.distanceToPoint(caster.ray.origin) < 0 ? caster.ray.intersectPlane(plane,
    new THREE.Vector3()) : null;
  // Inside of the part, where the ray meets the cut, if it leaves it once more than it enters behind that.
  if (face && part.facts?.Closed !== false && hits.length % 2 === 1) {
    return [{ point: face, distance: face.distanceTo(caster.ray.origin), part, plane, axis: null }, ...hits];
  }
  return hits;
}

/** @param {Part} part @param {THREE.Raycaster} caster @returns {{point: THREE.Vector3, distance: number}[]} sorted */
function crossings({ object, tree, model }, caster) {
  if (!object || !model) return [];
  const centre = object.position;
  const ray = caster.ray.clone();
  ray.origin.sub(centre);
  if (!object.geometry.boundingSphere || !ray.intersectsSphere(object.geometry.boundingSphere)) return [];
  const found = tree ? tree.raycast(ray, THREE.DoubleSide)
    .map(({ point, distance }) => ({ point: point.clone().add(centre), distance }))
    : caster.intersectObject(object, false).map(({ point, distance }) => ({ point, distance }));
  return found.sort((a, b) => a.distance - b.distance);
}
