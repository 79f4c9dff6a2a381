/** Lines and labels over the 3D window: drawn as SVG, so they stay sharp, and moved along with each frame. */

import { h } from '../shared/dom.js';

const SVG = 'http://www.w3.org/2000/svg';

export class Overlay {
  /** @param {import('./stage.js').Stage} stage @param {HTMLElement} container */
  constructor(stage, container) {
    this.stage = stage;
    this.svg = document.createElementNS(SVG, 'svg');
    this.svg.setAttribute('class', 'overlay');
    this.svg.setAttribute('aria-hidden', 'true');
    this.labels = h('div', { class: 'overlay-labels' });
    container.append(this.svg, this.labels);
    this.items = new Set();
    stage.onFrame.push(() => this.update());
  }

  /**
   * @param {'measure' | 'dimension'} kind
   * @param {import('three').Vector3[]} points one or two, in patient coordinates
   * @param {string} text empty: no label
   * @returns {object} a handle for `remove`
   */
  add(kind, points, text) {
    const make = (tag) => {
      const element = document.createElementNS(SVG, tag);
      element.setAttribute('class', kind);
      this.svg.append(element);
      return element;
    };
    const item = { kind, points, text, line: points.length === 2 ? make('line') : null, dots: points.map(() => make('circle')),
      label: text ? h('div', { class: `label ${kind}` }, text) : null };
    if (item.label) this.labels.append(item.label);
    for (const dot of item.dots) dot.setAttribute('r', kind === 'measure' ? '4' : '2.5');
    this.items.add(item);
    this.stage.draw();
    return item;
  }

  remove(item) {
    for (const element of [item.line, item.label, ...item.dots]) element?.remove();
    this.items.delete(item);
    this.stage.draw();
  }

  update() {
    for (const item of this.items) {
      const at = item.points.map((point) => this.stage.project(point));
      item.at = at;
      item.dots.forEach((dot, i) => set(dot, { cx: at[i].x, cy: at[i].y }));
      if (item.line) set(item.line, { x1: at[0].x, y1: at[0].y, x2: at[1].x, y2: at[1].y });
      if (item.label) {
        const x = (at[0].x + at.at(-1).x) / 2, y = (at[0].y + at.at(-1).y) / 2;
        item.label.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px) translate(-50%, -50%)`;
      }
    }
  }
}

const set = (element, values) => {
  for (const [name, value] of Object.entries(values)) element.setAttribute(name, value.toFixed(1));
};
