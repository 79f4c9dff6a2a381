/**
 * What a threshold takes in: the volume seen along each axis of the body, tinted where anything behind a pixel is
 * inside, and how much that is.
 */

import { RequestFailed } from '../shared/api.js';
import { h, notice } from '../shared/dom.js';
import { volume } from '../shared/format.js';
import { t } from '../shared/language.js';

/** Share of the voxels that are shown black, and white, so that single extreme values darken nothing. */
const DARKEST = 0.02, BRIGHTEST = 0.995;
const TINT = [255, 140, 0];
/** @type {Record<string, string>} */
const FROM = { axial: 'From below', coronal: 'From the front', sagittal: 'From the left' };
const LABELS = 'This file has labels: tick them, or say from which value on things are inside.';

/**
 * @typedef {object} Overview of a grey volume: `Overview` of POST /stl/structures
 * @property {number} Lowest @property {number} Highest @property {number[]} Counts @property {number} VoxelMl
 * @property {{Plane: string, Columns: number, Rows: number, SizeMm: number[], Values: string}[]} Views
 */

export class ThresholdPreview {
  /**
   * @param {HTMLInputElement} input of the threshold
   * @param {(threshold: number | null) => Promise<any[]>} list structures of the file, with an overview
   */
  constructor(input, list) {
    this.input = input;
    this.list = list;
    /** @type {Overview | null} */
    this.overview = null;
    this.button = h('button', { type: 'button', class: 'button', onclick: () => this.show() },
      t('See what is inside'));
    this.element = h('div', { class: 'threshold-preview' }, this.button);
    input.addEventListener('input', () => this.draw());
  }

  /** @returns {number} */
  get threshold() {
    return this.input.value === '' ? this.suggested : Number(this.input.value);
  }

  suggested = 0;

  async show() {
    this.button.disabled = true;
    try {
      const given = this.input.value === '' ? null : Number(this.input.value);
      const grey = (await this.list(given)).find(({ Overview }) => Overview);
      if (grey) this.#build(grey);
      else this.element.replaceChildren(this.button, notice('info', '', t(LABELS)));
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      this.element.replaceChildren(this.button, notice('error', '', error.message));
    }
    this.button.disabled = false;
  }

  /** @param {{Threshold: number, Overview: Overview}} grey */
  #build({ Threshold: suggested, Overview: overview }) {
    this.overview = overview;
    this.suggested = suggested;
    const { Lowest: low, Highest: high } = overview;
    this.slider = h('input', { type: 'range', min: String(low), max: String(high), step: String((high - low) / 1000),
      'aria-label': t('Threshold'), autocomplete: 'off', oninput: () => {
      this.input.value = String(Number(Number(/** @type {any} */ (this.slider).value).toPrecision(4)));
      this.input.dispatchEvent(new Event('input'));
    } });
    this.pictures = overview.Views.map((view) => new Picture(view));
    this.said = h('p', { class: 'help-text', role: 'status' });
    this.element.replaceChildren(h('div', { class: 'threshold-views' },
      ...this.pictures.map(({ element }) => element)), this.slider, this.said);
    this.draw();
  }

  draw() {
    const { overview, slider, said } = this;
    if (!overview || !slider || !said) return;
    const { Lowest: low, Highest: high, Counts: counts, VoxelMl: voxel } = overview;
    const at = (this.threshold - low) / (high - low || 1); // 0..1 of the values
    slider.value = String(this.threshold);
    const all = counts.reduce((sum, count) => sum + count, 0);
    /** @param {number} share of the voxels that are darker */
    const greyOf = (share) => {
      let sum = 0;
      return counts.findIndex((count) => (sum += count) >= share * all) / counts.length;
    };
    const black = greyOf(DARKEST), white = Math.max(greyOf(BRIGHTEST), black + 1 / counts.length);
    for (const picture of this.pictures ?? []) picture.draw(at, black, white);
    const first = Math.max(0, Math.round(at * counts.length));
    const inside = at > 1 ? 0 : counts.slice(first).reduce((sum, count) => sum + count, 0);
    said.textContent = inside ? t('Inside: about {volume}.', { volume: volume(inside * voxel * 1000) })
      : t('Nothing is inside.');
  }
}

/** The highest values behind each pixel, as on a screen. */
class Picture {
  /** @param {Overview['Views'][number]} view */
  constructor({ Plane: plane, Columns: columns, Rows: rows, SizeMm: [width, height], Values: text }) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    this.values = new Uint16Array(bytes.buffer);
    const name = t(FROM[plane]);
    this.canvas = h('canvas', { width: columns, height: rows, role: 'img', 'aria-label': name });
    this.canvas.style.aspectRatio = `${width} / ${height}`;
    this.element = h('figure', {}, this.canvas, h('figcaption', {}, name));
  }

  /** @param {number} at the threshold @param {number} black @param {number} white 0..1 of the values */
  draw(at, black, white) {
    const { canvas, values } = this;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    const image = context.createImageData(canvas.width, canvas.height);
    values.forEach((value, i) => {
      const grey = 255 * Math.min(1, Math.max(0, (value / 65535 - black) / (white - black)));
      const inside = value >= at * 65535;
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = inside ? (grey + TINT[c]) / 2 : grey;
      image.data[4 * i + 3] = 255;
    });
    context.putImageData(image, 0, 0);
  }
}
