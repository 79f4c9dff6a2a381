/**
 * `window.viewer`: what pages that embed the viewer call. Documented in docs/embedding.md; all coordinates are LPS mm.
 */

import * as THREE from 'three';
import { notesOf } from './parts.js';
import { picture } from './picture.js';
import { BODY_PLANES } from './slices.js';

/** @typedef {import('./app.js').App} App */

export class PublicViewer extends EventTarget {
  /** @type {App | null} */
  #app = null;

  /** @type {(app: App) => void} */
  #listed = () => {};

  constructor() {
    super();
    /** @type {Promise<App>} */
    const listed = new Promise((resolve) => { this.#listed = resolve; });
    /** The list of parts is known. */
    this.ready = listed.then(() => undefined);
    /** All visible parts are there, and what there is of images is known. */
    this.loaded = listed.then(async (app) => {
      await app.parts.ready;
      await app.imagesReady;
    });
  }

  /** @param {App} app */
  attach(app) {
    this.#app = app;
    for (const kind of ['select', 'measure', 'slice']) {
      app.addEventListener(kind, (event) =>
        this.dispatchEvent(new CustomEvent(kind, { detail: /** @type {CustomEvent} */ (event).detail })));
    }
    this.#listed(app);
  }

  /** @returns {App} @throws {Error} before `ready` */
  get #known() {
    if (!this.#app) throw new Error('The viewer is not ready yet: await viewer.ready first.');
    return this.#app;
  }

  parts() {
    return this.#known.parts.all.map((part) => ({
      id: part.id, number: part.number, name: part.name, kind: part.kind, color: [...part.color],
        visible: part.visible, opacity: part.opacity,
      volumeMl: part.volumeMl, triangles: part.model?.triangles ?? null, state: part.state, warnings: notesOf(part)
        .map(({ text }) => text),
    }));
  }

  /** @param {string} id @param {{visible?: boolean, color?: number[], opacity?: number}} change @throws {RangeError} */
  setPart(id, change) {
    const { visible, color, opacity } = change;
    if (color && !(color.length === 3 && color.every((value) => value >= 0
      && value <= 255))) throw new RangeError('A color is three numbers from 0 to 255.');
    if (opacity !== undefined && !(opacity >= 0
      && opacity <= 1)) throw new RangeError('An opacity is a number from 0 to 1.');
    this.#known.parts.set(String(id), { visible, color, opacity });
    this.#known.changed();
  }

  images() {
    const { images, slices } = this.#known;
    return images.usable.flatMap(({ id, facts }) => facts.Stacks.slice(0, 1).map((/** @type {any} */ stack) => ({
      series: id, modality: facts.Modality, count: stack.Positions.length, normal: stack.Normal,
        positions: stack.Positions, active: id === slices.series && slices.visible })));
  }

  /**
   * @param {{series?: string, index?: number, plane?: 'axial' | 'coronal' | 'sagittal', at?: number}} where
   * @returns {Promise<void>} when its values are there in full @throws {RangeError}
   */
  async showSlice({ series, index, plane, at = 0 }) {
    const app = this.#known;
    await app.imagesReady;
    await app.useSeries(series ?? (app.slices.series || undefined));
    const { slices } = app, { stack } = slices;
    if (!stack || (series && series !== slices.series)) throw new RangeError('There are no such images.');
    app.tools.use('slices', true);
    if (plane) {
      const axis = BODY_PLANES.indexOf(plane);
      const slice = slices.all.find(({ name }) => name === plane);
      if (!slice) throw new RangeError(`There is no plane "${plane}".`);
      const middle = stack.bounds().getCenter(new THREE.Vector3()).setComponent(axis, at);
      slices.move(slice.axis, stack.indexOf(middle)[slice.axis]);
    } else {
      if (!Number.isInteger(index) || Number(index) < 0
        || Number(index) >= stack.size[2]) throw new RangeError(`The index is from 0 to ${stack.size[2] - 1}.`);
      slices.move(2, Number(index));
    }
    await (plane && plane !== slices.all[2].name ? stack.full : stack.hasSlice(slices.all[2].index));
    slices.update();
    app.stage.draw();
  }

  outlines() {
    return this.#known.slices.outlines();
  }

  /** @param {number[]} point @returns {number | null} in the images' units; null where there is none */
  pixelAt(point) {
    return this.#known.slices.stack?.valueAt(new THREE.Vector3().fromArray(point)) ?? null;
  }

  /** @param {number[]} point @returns {{x: number, y: number}} CSS pixels from the upper left of the 3D view */
  project(point) {
    return this.#known.stage.project(new THREE.Vector3().fromArray(point));
  }

  state() {
    return this.#known.state();
  }

  /** @param {any} state of `state` @returns {Promise<void>} */
  async restore(state) {
    const app = this.#known;
    if (state.slices) await app.useSeries(state.slices.series);
    app.restore(state);
    if (state.layout) app.tools.use('layout', state.layout === 'four');
    app.changed();
  }

  /** @returns {Promise<Blob>} PNG of the 3D view with its legend */
  picture() {
    return picture(this.#known);
  }
}
