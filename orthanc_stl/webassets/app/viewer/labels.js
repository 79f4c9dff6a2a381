/** Labels of one view that keep apart. */

const GAP = 4; // px between labels

export class Labels {
  /** @type {{left: number, top: number, right: number, bottom: number}[]} */
  #taken = [];

  /**
   * Puts a label's middle at a point, or at the nearest place below or above it where no other is; that of a point
   * in sight is wholly in sight.
   * @param {HTMLElement} label in the view already @param {number} at @param {number} middle px of the view
   * @returns {{x: number, y: number}} where it is
   */
  place(label, at, middle) {
    const w = label.offsetWidth / 2 + GAP / 2, half = label.offsetHeight / 2 + GAP / 2;
    const width = label.offsetParent?.clientWidth ?? Infinity;
    const x = at < 0 || at > width ? at : Math.max(w, Math.min(width - w, at));
    const free = (/** @type {number} */ y) => this.#taken.every((box) => x + w <= box.left || x - w >= box.right
      || y + half <= box.top || y - half >= box.bottom);
    let y = middle;
    for (let step = 1; step < 60 && !free(y); step++) y = middle + (step % 2 ? 1 : -1) * Math.ceil(step / 2) * half;
    this.#taken.push({ left: x - w, right: x + w, top: y - half, bottom: y + half });
    label.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px) translate(-50%, -50%)`;
    return { x, y };
  }
}
