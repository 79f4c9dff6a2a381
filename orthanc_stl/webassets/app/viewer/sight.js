/** The eye goes to what is out of sight. */

import * as THREE from 'three';
import { cornersOf, fittingDistance } from './flight.js';

const SMALL = 0.25; // of the view's width or height: less is too small to be judged
const FILLED = { width: 0.7, height: 0.7 }; // of the view, after the flight

/**
 * Brings a box into view, from the side that is looked from; where it can be seen well already, nothing moves.
 * @param {import('./stage.js').Stage} stage @param {THREE.Box3} box LPS mm
 * @returns {THREE.Vector3 | null} where the eye goes
 */
export function bringIntoSight(stage, box) {
  const { camera, controls } = stage;
  stage.project(box.min); // brings the camera up to date
  const corners = cornersOf(box).map((corner) => corner.project(camera));
  const inside = corners.every(({ x, y, z }) => Math.max(Math.abs(x), Math.abs(y), Math.abs(z)) <= 1);
  const size = (/** @type {'x' | 'y'} */ axis) =>
    (Math.max(...corners.map((each) => each[axis])) - Math.min(...corners.map((each) => each[axis]))) / 2;
  if (inside && Math.max(size('x'), size('y')) >= SMALL) return null;
  const back = camera.position.clone().sub(controls.target).normalize();
  const middle = box.getCenter(new THREE.Vector3()), distance = fittingDistance(box, back, stage.perspective, FILLED);
  stage.flyTo(back, middle, distance, true);
  return middle.addScaledVector(back, distance);
}
