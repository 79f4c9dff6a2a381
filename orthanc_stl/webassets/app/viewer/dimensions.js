/** The size of what is shown: a box with its three lengths. */

import * as THREE from 'three';

export class Dimensions {
  /**
   * @param {import('./stage.js').Stage} stage @param {import('./overlay.js').Overlay} overlay
   * @param {import('./parts.js').Parts} parts @param {(mm: number) => string} word
   */
  constructor(stage, overlay, parts, word) {
    this.stage = stage;
    this.overlay = overlay;
    this.parts = parts;
    this.word = word;
    /** @type {import('./overlay.js').Item[]} */
    this.items = [];
    this.box = new THREE.Box3Helper(new THREE.Box3(), new THREE.Color(0x8a97a8));
    this.box.visible = false;
    stage.scene.add(this.box);
    for (const kind of ['shape', 'look']) parts.addEventListener(kind, () => this.active && this.#update());
  }

  get active() {
    return this.box.visible;
  }

  set active(on) {
    this.box.visible = on;
    this.#update();
  }

  #update() {
    for (const item of this.items) this.overlay.remove(item);
    this.items = [];
    const box = new THREE.Box3();
    for (const { model } of this.parts.shown) {
      if (!model) continue;
      box.expandByPoint(new THREE.Vector3().fromArray(model.min));
      box.expandByPoint(new THREE.Vector3().fromArray(model.max));
    }
    if (this.active && !box.isEmpty()) {
      this.box.box.copy(box);
      this.items = edges(box).map(([from, to]) => this.overlay.add('dimension', [from, to],
        this.word(from.distanceTo(to))));
    }
    this.stage.draw();
  }
}

/** The edges at the lower front: where they meet, the labels do not hide the model. @param {THREE.Box3} box */
function edges({ min, max }) {
  const at = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ z) => new THREE.Vector3(x, y, z);
  return [[at(min.x, min.y, min.z), at(max.x, min.y, min.z)], [at(max.x, min.y, min.z), at(max.x, max.y, min.z)],
    [at(min.x, min.y, min.z), at(min.x, min.y, max.z)]];
}
