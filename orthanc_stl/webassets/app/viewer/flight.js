/** The camera: its way from where it is to where it shall be, its frustum, and its place in numbers. */

import * as THREE from 'three';

const LETTERS = 56; // px of the view's height, and of its width, that the letters at its edges take

export const reducedMotion = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** @typedef {THREE.PerspectiveCamera | THREE.OrthographicCamera} Camera */
/** @typedef {{position: number[], target: number[], parallel: boolean, zoom: number}} CameraState */

/**
 * @param {Camera} camera @param {THREE.Vector3} target that it looks at
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

/** @param {THREE.Vector3} direction to the eye @returns {THREE.Vector3} of length 1 */
export function lineOfSight(direction) {
  const unit = direction.clone();
  // Straight from above or below, the front of the body decides what is up.
  if (unit.x === 0 && unit.y === 0) unit.y = -1e-3;
  return unit.normalize();
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
  const free = (/** @type {number} */ pixels) => Math.max(0.5, 1 - LETTERS / pixels);
  const wide = horizontal * free(viewHeight * camera.aspect);
  return Math.max(height / (vertical * free(viewHeight)), round / wide) + depth;
}

/** The distance from which a box fits into the view, less its edges, as it is seen from one side.
 * @param {THREE.Box3} box @param {THREE.Vector3} back from the box's middle to the eye, of length 1
 * @param {THREE.PerspectiveCamera} camera @param {{width: number, height: number}} filled parts of the view, 0 to 1
 */
export function fittingDistance(box, back, camera, filled) {
  const middle = box.getCenter(new THREE.Vector3());
  const right = camera.up.clone().cross(back).normalize();
  const up = back.clone().cross(right);
  const tangent = Math.tan(THREE.MathUtils.degToRad(camera.fov / 2));
  return Math.max(...cornersOf(box).map((corner) => {
    const at = corner.sub(middle);
    const wide = Math.abs(at.dot(right)) / (tangent * camera.aspect * filled.width);
    const high = Math.abs(at.dot(up)) / (tangent * filled.height);
    return at.dot(back) + Math.max(wide, high);
  }));
}

/**
 * The parallel view shows at the target what the perspective one would from the same place. The clipping range hugs the
 * model, so that depth has all its digits for picking.
 * @param {Camera} camera @param {THREE.PerspectiveCamera} perspective @param {THREE.Vector3} target
 * @param {{centre: THREE.Vector3, radius: number, closest: number}} model
 */
export function setFrustum(camera, perspective, target, { centre, radius, closest }) {
  if (camera instanceof THREE.OrthographicCamera) {
    const top = Math.tan(THREE.MathUtils.degToRad(perspective.fov / 2)) * camera.position.distanceTo(target);
    const right = top * perspective.aspect;
    Object.assign(camera, { top, bottom: -top, right, left: -right });
  }
  const distance = camera.position.distanceTo(centre);
  const least = camera === perspective ? (radius * closest) / 4 : -Infinity;
  camera.near = Math.max(distance - radius * 1.5, least);
  camera.far = Math.max(distance + radius * 1.5, 2 * least);
  camera.updateProjectionMatrix();
  camera.updateMatrixWorld();
}

/**
 * The other camera comes to the place of this one; the zoom of the parallel view becomes a distance of the other, so
 * that the model keeps its size on the screen.
 * @param {Camera} to @param {Camera} from @param {THREE.Vector3} target
 */
export function moveTo(to, from, target) {
  const offset = from.position.clone().sub(target).divideScalar(from.zoom);
  to.zoom = 1;
  to.position.copy(target).add(offset);
  to.updateProjectionMatrix();
}

/** @param {Camera} camera @param {THREE.Vector3} target @returns {CameraState} rounded, for a link */
export function cameraState(camera, target) {
  const round = (/** @type {THREE.Vector3} */ v) => v.toArray().map((value) => Math.round(value * 100) / 100);
  return { position: round(camera.position), target: round(target),
    parallel: camera instanceof THREE.OrthographicCamera, zoom: Math.round(camera.zoom * 1000) / 1000 };
}

/** @param {Camera} camera @param {THREE.Vector3} aim is moved @param {CameraState} state */
export function placeCamera(camera, aim, { position, target, zoom }) {
  aim.fromArray(target);
  camera.position.fromArray(position);
  camera.zoom = zoom;
  camera.updateProjectionMatrix();
  camera.lookAt(aim);
}

/** @param {THREE.Box3} box @returns {THREE.Vector3[]} */
export const cornersOf = ({ min, max }) => [0, 1, 2, 3, 4, 5, 6, 7].map((i) =>
  new THREE.Vector3(i & 1 ? max.x : min.x, i & 2 ? max.y : min.y, i & 4 ? max.z : min.z));

/**
 * @param {HTMLCanvasElement} canvas @param {Camera} camera @param {{clientX: number, clientY: number}} event
 * @returns {THREE.Raycaster} along the line of sight there
 */
export function rayThrough(canvas, camera, { clientX, clientY }) {
  const box = canvas.getBoundingClientRect();
  const ndc = new THREE.Vector2(((clientX - box.left) / box.width) * 2 - 1,
    1 - ((clientY - box.top) / box.height) * 2);
  const caster = new THREE.Raycaster();
  caster.setFromCamera(ndc, camera);
  return caster;
}
