/** The views: the scene alone, or beside it the three planes of the images; and moving slices by hand in the scene. */

import { h } from '../shared/dom.js';
import { PlaneView } from './plane-view.js';

/** @typedef {import('three').Vector3} Vector3 */

const GRIP = 0.07; // of a slice's side, from its edge inwards: there it can be dragged

export class Views {
  /**
   * @param {import('./stage.js').Stage} stage @param {import('./slices.js').Slices} slices @param
   * {import('./parts.js').Parts} parts
   * @param {import('./measure.js').Measure} measure @param {(hit: import('./picking.js').Hit) => void} clicked
   */
  constructor(stage, slices, parts, measure, clicked) {
    this.stage = stage;
    this.slices = slices;
    this.parts = parts;
    this.measure = measure;
    this.clicked = clicked;
    /** @type {PlaneView[]} */
    this.planes = [];
    this.stageElement = stage.container;
    this.element = h('div', { class: 'views', 'data-layout': 'one' }, stage.container);
    measure.onChange.push(() => {
      if (this.layout === 'four') for (const plane of this.planes) plane.draw();
    });
    this.#listen();
  }

  /** @returns {'one' | 'four'} */
  get layout() {
    return this.element.dataset.layout === 'four' ? 'four' : 'one';
  }

  set layout(layout) {
    this.element.dataset.layout = layout;
    this.refresh();
  }

  /** Axial at the upper left, the scene at the upper right, then coronal and sagittal. */
  refresh() {
    if (this.layout === 'one' || !this.slices.stack) {
      this.element.replaceChildren(this.stageElement);
      return;
    }
    if (!this.planes.length) this.planes = [0, 1, 2].map((axis) => new PlaneView(this.slices, axis, this.measure,
      this.clicked));
    const by = (/** @type {string} */ name) => this.planes.filter(({ axis }) => this.slices.all[axis].name === name)
      .map(({ element }) => element);
    this.element.replaceChildren(...by('axial'), this.stageElement, ...by('coronal'), ...by('sagittal'));
    for (const plane of this.planes) plane.draw();
  }

  /** In the scene: a slice is dragged by its frame, or moved by Alt and the wheel. */
  #listen() {
    const { canvas, controls } = this.stage;
    /**
     * @type {{axis: number, start: number, from: Vector3, normal: Vector3, x: number, y: number} | null}
     */
    let drag = null;
    canvas.addEventListener('pointerdown', (event) => {
      const grip = event.button === 0 && !this.measure.active ? this.#gripAt(event) : null;
      if (!grip) return;
      drag = { ...grip, x: event.clientX, y: event.clientY };
      controls.enabled = false;
      canvas.setPointerCapture(event.pointerId);
      event.stopImmediatePropagation();
    }, { capture: true });
    canvas.addEventListener('pointermove', (event) => {
      if (!drag) {
        if (!event.buttons && this.slices.visible) canvas.classList.toggle('gripping', Boolean(this.#gripAt(event)));
        return;
      }
      const on = this.stage.project(drag.from.clone().add(drag.normal)), at = this.stage.project(drag.from);
      const x = on.x - at.x, y = on.y - at.y, squared = Math.max(1e-6, x * x + y * y); // px of one step on the screen
      const steps = ((event.clientX - drag.x) * x + (event.clientY - drag.y) * y) / squared;
      this.slices.move(drag.axis, drag.start + steps);
    }, { capture: true });
    canvas.addEventListener('pointerup', () => {
      if (!drag) return;
      drag = null;
      controls.enabled = true;
      this.slices.changed();
    }, { capture: true });
    canvas.addEventListener('wheel', (event) => {
      if (!event.altKey || !this.slices.visible) return;
      const [hit] = this.slices.hits(this.stage.rayAt(event).ray).sort((a, b) => a.distance - b.distance);
      const axis = hit?.axis ?? this.slices.last;
      this.slices.move(axis, this.slices.all[axis].index + Math.sign(event.deltaY || event.deltaX));
      event.preventDefault();
      event.stopImmediatePropagation();
    }, { capture: true, passive: false });
  }

  /** @param {{clientX: number, clientY: number}} event */
  #gripAt(event) {
    const { stack } = this.slices;
    if (!this.slices.visible || !stack) return null;
    const [hit] = this.slices.hits(this.stage.rayAt(event).ray).sort((a, b) => a.distance - b.distance);
    if (!hit || hit.axis === null) return null;
    const index = stack.indexOf(hit.point);
    const near = index.some((value, axis) => axis !== hit.axis
      && Math.min(value + 0.5, stack.size[axis] - 0.5 - value) < GRIP * stack.size[axis]);
    return near ? { axis: hit.axis, start: this.slices.all[hit.axis].index, from: hit.point,
      normal: stack.axes[hit.axis].clone() } : null;
  }
}
