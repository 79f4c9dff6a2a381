/** Moving the eye by keys. */

const TURN = Math.PI / 24; // one press of an arrow
const MOVE = 24; // px
const ZOOM = 0.9;

/**
 * Arrows turn, with Shift they move; + and - zoom.
 * @param {KeyboardEvent} event @param {import('three/addons/controls/OrbitControls.js').OrbitControls} controls
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
