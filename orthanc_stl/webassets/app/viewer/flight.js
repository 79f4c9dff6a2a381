/** The way of the eye from where it is to where it shall be. */

import * as THREE from 'three';

const LETTERS = 56; // px of the view's height that the letters at its edges take

/**
 * @param {THREE.PerspectiveCamera | THREE.OrthographicCamera} camera @param {THREE.Vector3} target that it looks at
 * @param {{direction: THREE.Vector3, target: THREE.Vector3, distance: number, zoom: number}} to `direction`: from the
 *   target to the eye
 * @returns {(part: number) => void} puts both to that part of the way, 0 to 1
 */
export function path(camera, target, to) {
  const offset = camera.position.clone().sub(target);
  const from = {
    direction: offset.clone().normalize(), distance: offset.length(), target: target.clone(), zoom: camera.zoom,
  };
  const turn = new THREE.Quaternion().setFromUnitVectors(from.direction, to.direction);
  const turned = new THREE.Quaternion();
  return (part) => {
    const direction = part === 1 ? to.direction
      : from.direction.clone().applyQuaternion(turned.identity().slerp(turn, part));
    target.lerpVectors(from.target, to.target, part);
    camera.position.copy(target).addScaledVector(direction, from.distance + (to.distance - from.distance) * part);
    camera.zoom = from.zoom + (to.zoom - from.zoom) * part;
    camera.updateProjectionMatrix();
    camera.lookAt(target);
  };
}

/**
 * How far from the middle the eye must be to see the whole box, however it is turned about the body's axis.
 * @param {THREE.Vector3} direction to the eye @param {THREE.Vector3} half of the box
 * @param {THREE.PerspectiveCamera} camera @param {number} viewHeight px
 */
export function homeDistance(direction, half, camera, viewHeight) {
  const vertical = Math.tan(THREE.MathUtils.degToRad(camera.fov / 2));
  const horizontal = vertical * Math.min(camera.aspect, 4);
  const round = Math.hypot(half.x, half.y);
  const tilt = Math.abs(direction.z), upright = Math.sqrt(1 - tilt * tilt);
  const height = half.z * upright + round * tilt, depth = round * upright + half.z * tilt;
  const free = Math.max(0.5, 1 - LETTERS / viewHeight);
  return Math.max(height / (vertical * free), round / horizontal) + depth;
}
