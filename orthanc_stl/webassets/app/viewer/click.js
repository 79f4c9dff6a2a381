/** Clicks on a view that can be dragged. */

const STILL = 5; // px that the mouse may move while it is pressed

/**
 * A click is a press of the left button that did not become a drag.
 * @param {HTMLElement} element @param {(event: PointerEvent) => void} act
 */
export function onClick(element, act) {
  /** @type {PointerEvent | null} */
  let down = null;
  element.addEventListener('pointerdown', (event) => { down = event.button === 0 && !event.ctrlKey ? event : null; });
  element.addEventListener('pointerup', (event) => {
    if (!down || down.pointerId !== event.pointerId) return;
    if (Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) < STILL) act(event);
  });
}
