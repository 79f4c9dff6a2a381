/** The two points where two parts come nearest to each other. */

import * as THREE from 'three';

/**
 * @param {import('./parts.js').Part} a @param {import('./parts.js').Part} b
 * @returns {[THREE.Vector3, THREE.Vector3] | null} LPS mm; null while a search tree is not there
 */
export function nearestPoints(a, b) {
  if (!a.tree || !b.tree || !a.object || !b.object) return null;
  const toA = new THREE.Matrix4().makeTranslation(b.object.position.clone().sub(a.object.position));
  const geometry = b.object.geometry;
  /** @type {any} */ (geometry).boundsTree = b.tree;
  const onA = { point: new THREE.Vector3() }, onB = { point: new THREE.Vector3() };
  const found = a.tree.closestPointToGeometry(geometry, toA, /** @type {any} */ (onA), /** @type {any} */ (onB));
  if (!found) return null;
  return [onA.point.add(a.object.position), onB.point.add(b.object.position)];
}
