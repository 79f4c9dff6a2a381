/** Cutting the model open along X, Y and Z, each with its place and side; planes and edges shown if wanted. */

import * as THREE from 'three';
import { h } from '../../app/shared/dom.js';
import { t } from '../../app/shared/language.js';
import { SectionPlane } from '../../app/viewer/section-plane.js';
import { digits } from './tools.js';

const AXES = ['X', 'Y', 'Z'];
const COLOURS = [0xd6336c, 0x2f9e44, 0x1c7ed6];

/** @typedef {{on: boolean, cut: SectionPlane, axis: number, button: HTMLElement}} Row */

export class Sections {
  /** @param {import('./stage.js').NexusStage} stage @param {HTMLElement} container */
  constructor(stage, container) {
    this.stage = stage;
    this.rows = AXES.map((name, axis) => this.#row(name, axis));
    this.showPlanes = true;
    this.showEdges = true;
    this.panel = h('div', { class: 'panel section-panel', role: 'group', 'aria-label': t('Sections'), hidden: true },
      ...this.rows.map(({ button, cut: { slider, value, flip } }) =>
        h('div', { class: 'row' }, button, slider, value, flip)),
      h('div', { class: 'row' },
        this.#switch(t('Planes'), 'showPlanes'), this.#switch(t('Edges'), 'showEdges'), h('span', { class: 'grow' }),
        h('button', { type: 'button', class: 'chip', onclick: () => this.reset() }, t('Reset'))));
    container.append(this.panel);
  }

  /** @param {string} name @param {number} axis @returns {Row} */
  #row(name, axis) {
    const centre = /** @type {import('../stream/model.js').NexusModel} */ (this.stage.model).header.centre[axis];
    const cut = new SectionPlane(this.stage, () => this.stage.nodes.box, { color: COLOURS[axis], filled: true,
      label: t('Place of section {axis}', { axis: name }),
      flipLabel: t('Show the other side of section {axis}', { axis: name }),
      word: (at) => digits(at + centre, this.stage.radius),
      moved: () => {
        row.on = true;
        this.update();
      } });
    cut.flip.setAttribute('aria-label', cut.flip.title); // one of three
    const button = h('button', { type: 'button', class: 'chip axis', id: `section-${name.toLowerCase()}`,
      'aria-label': t('Section {axis}', { axis: name }), onclick: () => {
        row.on = !row.on;
        this.update();
      } }, name);
    /** @type {Row} */
    const row = { on: false, cut, axis, button };
    this.#middle(row);
    return row;
  }

  /** @param {Row} row */
  #middle({ cut, axis }) {
    cut.face(new THREE.Vector3().setComponent(axis, 1), -1);
  }

  /** @param {string} label @param {'showPlanes' | 'showEdges'} field */
  #switch(label, field) {
    const button = h('button', { type: 'button', class: 'chip', 'aria-pressed': String(this[field]), onclick: () => {
      this[field] = !this[field];
      button.setAttribute('aria-pressed', String(this[field]));
      this.update();
    } }, label);
    return button;
  }

  reset() {
    for (const row of this.rows) {
      row.on = false;
      this.#middle(row);
    }
    this.update();
  }

  get active() {
    return !this.panel.hidden;
  }

  /** Closing the panel closes the model. Opening it with nothing cut cuts X in the middle. */
  set active(on) {
    this.panel.hidden = !on;
    if (on && !this.rows.some((row) => row.on)) this.rows[0].on = true;
    this.update();
  }

  update() {
    const { materials } = this.stage;
    for (const { on, cut, button } of this.rows) {
      cut.fit(); // the box grows with the parts that come
      cut.update(this.active && on && this.showPlanes);
      button.setAttribute('aria-pressed', String(on));
    }
    const planes = this.rows.filter(({ on }) => this.active && on).map(({ cut }) => cut.plane);
    materials.edges = this.showEdges;
    const same = planes.length === materials.planes.length && planes.every((plane, i) => plane === materials.planes[i]);
    if (same) this.stage.draw();
    else this.stage.setLook({ planes });
  }
}
