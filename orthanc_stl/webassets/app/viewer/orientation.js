/**
 * Which way the patient lies: letters at the edges of the window, as on a radiological image, and a cube to turn to.
 * DICOM's axes (LPS): x grows to the patient's Left, y to Posterior, z to Superior.
 */

import * as THREE from 'three';
import { h } from '../shared/dom.js';
import { t } from '../shared/language.js';
import { lettersOf } from './letters.js';

/** name, normal (towards the eye), the face's right and down: all in LPS. */
/** @type {[string, number[], number[], number[]][]} */
const FACES = [
  ['Anterior', [0, -1, 0], [1, 0, 0], [0, 0, -1]],
  ['Posterior', [0, 1, 0], [-1, 0, 0], [0, 0, -1]],
  ['Left', [1, 0, 0], [0, 1, 0], [0, 0, -1]],
  ['Right', [-1, 0, 0], [0, -1, 0], [0, 0, -1]],
  ['Superior', [0, 0, 1], [1, 0, 0], [0, -1, 0]],
  ['Inferior', [0, 0, -1], [1, 0, 0], [0, 1, 0]],
];

const HALF = 27; // px: half an edge of the cube, as in viewer.css

export class Orientation {
  /** @param {import('./stage.js').Stage} stage @param {HTMLElement} container */
  constructor(stage, container) {
    this.stage = stage;
    this.edges = ['left', 'right', 'top', 'bottom']
      .map((edge) => h('div', { class: `edge-letter ${edge}`, 'aria-hidden': 'true' }));
    this.cube = h('div', { class: 'cube' }, ...FACES.map((face) => this.#face(face)));
    container.append(...this.edges, h('div', { class: 'cube-frame', role: 'group',
      'aria-label': t('Look at the model from') }, this.cube));
    stage.onFrame.push(() => this.update());
  }

  /** @param {[string, number[], number[], number[]]} face of FACES */
  #face([name, normal, right, down]) {
    const button = h('button', { type: 'button', title: t(`View from ${name.toLowerCase()}`), 'aria-label': t(name),
      onclick: () => this.stage.lookFrom(new THREE.Vector3(...normal)) }, name[0]);
    const columns = [...right, 0, ...down, 0, ...normal, 0, ...normal.map((value) => value * HALF), 1];
    button.style.transform = `matrix3d(${columns.join(',')})`;
    return button;
  }

  update() {
    const rotation = new THREE.Matrix4().extractRotation(this.stage.camera.matrixWorld);
    const [right, up, back] = [0, 1, 2].map((column) => new THREE.Vector3().setFromMatrixColumn(rotation, column));
    const words = [right.clone().negate(), right, up, up.clone().negate()].map((each) => lettersOf(each.toArray()));
    words.forEach((word, i) => { this.edges[i].textContent = word; });
    // World to eye, with y downwards as the page has it; column by column.
    const columns = [0, 1, 2].flatMap((axis) => [right.getComponent(axis), -up.getComponent(axis),
      back.getComponent(axis), 0]);
    this.cube.style.transform = `matrix3d(${columns.map((value) => value.toFixed(5)).join(',')},0,0,0,1)`;
    const sides = lettersOf(back.toArray()).split('').map((letter) => t(NAMES[letter]));
    const side = sides.join(` ${t('and')} `);
    this.stage.canvas.setAttribute('aria-label', t('3D model, seen from {side}', { side }));
  }

  /** @returns {{text: string, edge: string}[]} for the screenshot */
  letters() {
    return this.edges.map((element, i) => ({ text: element.textContent, edge: ['left', 'right', 'top', 'bottom'][i] }));
  }
}

/** @type {Record<string, string>} */
const NAMES = Object.fromEntries(FACES.map(([name]) => [name[0], name.toLowerCase()]));
