/** Moving the eye by hand: mouse, touch and keys. */

import { OrbitControls } from 'three/addons/controls/OrbitControls.js';
import { reducedMotion } from './flight.js';

const TURN_SECONDS = 40; // one slow turn of the model before the first touch
const TURN = Math.PI / 24; // one press of an arrow
const MOVE = 24; // px
const ZOOM = 0.9;

/** @param {import('./flight.js').Camera} camera @param {HTMLCanvasElement} canvas @returns {OrbitControls} */
export function orbitControls(camera, canvas) {
  const controls = new OrbitControls(camera, canvas);
  controls.enableDamping = !reducedMotion();
  controls.dampingFactor = 0.12;
  controls.zoomToCursor = true;
  controls.autoRotateSpeed = 60 / TURN_SECONDS;
  return controls;
}

/**
 * Arrows turn, with Shift they move; + and - zoom.
 * @param {KeyboardEvent} event @param {OrbitControls} controls
 * @returns {(() => void) | null} what the key does; null for other keys
 */
export function moveOf({ key, shiftKey }, controls) {
  const arrow = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key];
  if (arrow && shiftKey) return () => controls.pan(arrow[0] * -MOVE, arrow[1] * -MOVE);
  if (arrow) return () => (arrow[0] ? controls.rotateLeft(arrow[0] * TURN) : controls.rotateUp(arrow[1] * TURN));
  if (key === '+') return () => controls.dollyIn(ZOOM);
  if (key === '-') return () => controls.dollyOut(ZOOM);
  return null;
}
