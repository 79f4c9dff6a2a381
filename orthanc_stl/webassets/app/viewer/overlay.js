/**
 * Lines and labels over the 3D view: drawn as SVG, so they stay sharp, moved along with each frame; labels keep apart.
 */

import { h } from '../shared/dom.js';
import { Labels } from './labels.js';

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @typedef {object} Item
 * @property {string} kind a class: "measure", "dimension"
 * @property {import('three').Vector3[]} points in patient coordinates
 * @property {string} text empty: no label
 * @property {boolean} closed the last point is joined with the first
 * @property {SVGElement} line @property {SVGElement[]} dots @property {SVGElement | null} leader @property
 * {HTMLElement | null} label
 * @property {{x: number, y: number}[]} at on the screen @property {{x: number, y: number}} labelAt
 */

/** @param {string} tag @param {string} className @returns {SVGElement} */
function svg(tag, className) {
  const element = document.createElementNS(SVG, tag);
  element.setAttribute('class', className);
  return element;
}

export class Overlay {
  /** @param {import('./stage.js').Stage} stage @param {HTMLElement} container */
  constructor(stage, container) {
    this.stage = stage;
    this.svg = svg('svg', 'overlay');
    this.svg.setAttribute('aria-hidden', 'true');
    this.labels = h('div', { class: 'overlay-labels' });
    container.append(this.svg, this.labels);
    /** @type {Set<Item>} */
    this.items = new Set();
    stage.onFrame.push(() => this.update());
  }

  /**
   * @param {string} kind @param {import('three').Vector3[]} points @param {string} text
   * @param {boolean} [closed] @returns {Item} a handle for `remove`
   */
  add(kind, points, text, closed = false) {
    const label = text ? h('div', { class: `label ${kind}` }, text) : null;
    /** @type {Item} */
    const item = { kind, points, text, closed, line: svg('path', kind), label, leader: label && svg('line', 'leader'),
      dots: points.length <= 3 ? points.map(() => svg('circle', kind)) : [], at: [], labelAt: { x: 0, y: 0 } };
    for (const dot of item.dots) dot.setAttribute('r', kind === 'measure' ? '4' : '2.5');
    this.svg.append(...(item.leader ? [item.leader] : []), item.line, ...item.dots);
    if (label) this.labels.append(label);
    this.items.add(item);
    this.stage.draw();
    return item;
  }

  /** @param {Item} item */
  remove(item) {
    for (const element of [item.line, item.label, item.leader, ...item.dots]) element?.remove();
    this.items.delete(item);
    this.stage.draw();
  }

  update() {
    const labels = new Labels();
    for (const item of this.items) {
      const at = item.points.map((point) => this.stage.project(point));
      item.at = at;
      item.dots.forEach((dot, i) => set(dot, { cx: at[i].x, cy: at[i].y }));
      const points = at.map(({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`);
      item.line.setAttribute('d', `M${points.join('L')}${item.closed ? 'Z' : ''}`);
      if (item.label) this.#place(item, labels);
    }
  }

  /** @param {Item} item @param {Labels} labels */
  #place(item, labels) {
    const x = average(item.at.map((point) => point.x)), middle = average(item.at.map((point) => point.y));
    item.labelAt = labels.place(/** @type {HTMLElement} */ (item.label), x, middle);
    if (item.leader) set(item.leader, { x1: x, y1: middle, x2: item.labelAt.x, y2: item.labelAt.y });
  }
}

/** @param {number[]} values */
export const average = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** @param {SVGElement} element @param {Record<string, number>} values */
const set = (element, values) => {
  for (const [name, value] of Object.entries(values)) element.setAttribute(name, value.toFixed(1));
};
