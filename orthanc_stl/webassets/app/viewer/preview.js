/** What a request would make, in the scene before it is stored: alone in sight, as what lies around it may hide it. */

import * as THREE from 'three';
import { paletteColor } from '../shared/color.js';
import { h } from '../shared/dom.js';
import { t } from '../shared/language.js';
import { boxOf, checkPath, meshPath } from './prepare.js';
import { coloredModel } from './print-check.js';
import { bringIntoSight } from './sight.js';

/** @typedef {import('./parts.js').Part} Part */
/** @typedef {import('./prepare.js').Order} Order */

/** How opaque the other parts are, when they are asked for: what is looked at stays in sight behind them. */
const FAINT = 0.08;

const STAYED = 0.01; // mm

export class Preview {
  /** @type {Order | null} what is shown */
  order = null;

  /** @type {Part[]} of the preview */
  shown = [];

  /** @type {THREE.Mesh | null} the models in the colours of the print check */
  colored = null;

  /** @type {Part[]} what it is made of */
  used = [];

  /** What puts the eye and the slices back to where they were. @type {(() => void)[]} */
  ways = [];

  /** @param {import('./app.js').App} app */
  constructor(app) {
    this.app = app;
    this.others = h('button', { type: 'button', class: 'chip', 'aria-pressed': 'false', onclick: () =>
      this.showOthers(this.others.getAttribute('aria-pressed') !== 'true') }, t('Show the others'));
    this.bar = h('div', { class: 'preview-bar', hidden: true }, h('span', {}, t('Preview, not stored')), this.others);
    app.stage.container.append(this.bar);
    app.parts.addEventListener('look', () => this.#drawColored());
  }

  /**
   * Takes the place of the preview before it.
   * @param {Order} order @param {any[]} models facts on them @param {Part[]} used what they are made of
   * @returns {Promise<void>} when their surfaces are there
   */
  async show(order, models, used) {
    const { parts } = this.app;
    this.#clear();
    this.order = order;
    this.used = used;
    this.bar.hidden = false;
    this.others.hidden = !parts.all.some((part) => part.visible && !used.includes(part));
    parts.setAside();
    this.#setSlicesAside(true);
    this.shown = models.map((model, i) => parts.add({
      id: `prepared-${i + 1}`, number: i + 1, name: model.Name, group: t('Preview, not stored'), kind: 'Organ',
      color: model.Color ?? paletteColor(model.Number + i), opacity: 1, mesh: meshPath(order, i + 1, models.length),
      info: '', instance: '', weight: 1e9, volumeMl: model.VolumeMl, extent: null, notes: [],
    }, model));
    await this.#arrived();
    const box = boxOf(this.shown);
    if (box) this.#lookAt(box);
  }

  /** Their button says whether they are in the scene: pressed once, it brings them back. @param {boolean} on */
  #setSlicesAside(on) {
    const { slices, tools } = this.app;
    slices.setAside(on);
    tools.mark('slices', slices.inScene);
  }

  /** @returns {Promise<void>} when all surfaces are there, or will not come */
  #arrived() {
    const { parts } = this.app;
    return new Promise((resolve) => {
      const look = () => {
        if (!this.shown.every(({ state }) => state === 'ready' || state === 'failed')) return;
        parts.removeEventListener('list', look);
        resolve();
      };
      parts.addEventListener('list', look);
      look();
    });
  }

  /** What was moved by hand since then does not go back. @param {THREE.Box3} box LPS mm of what is to be seen */
  #lookAt(box) {
    const { stage, slices } = this.app;
    const before = stage.cameraState(), home = stage.atHome && !stage.moved;
    const there = bringIntoSight(stage, box), { flight, camera } = stage;
    if (there) {
      this.ways.unshift(() => {
        const stayed = camera.zoom === 1 && camera.position.distanceTo(there) <= STAYED;
        if (stage.camera !== camera || !(stayed || (flight && flight === stage.flight))) return;
        if (home) stage.goHome();
        else stage.restoreCamera(before);
      });
    }
    if (slices.all.every(({ face }) => box.intersectsPlane(face.plane))) return;
    const places = () => slices.all.map(({ index }) => index);
    const from = places(), { stack } = slices;
    slices.goTo(box.getCenter(new THREE.Vector3()));
    const to = places();
    this.ways.unshift(() => slices.stack === stack && places().forEach((index, axis) =>
      index === to[axis] && slices.move(axis, from[axis])));
  }

  /** @param {boolean} on those that were in sight before: faint */
  showOthers(on) {
    const { parts } = this.app;
    this.others.setAttribute('aria-pressed', String(on));
    for (const [part, { visible, opacity }] of parts.before) {
      if (!visible || this.used.includes(part)) continue;
      parts.set(part, { visible: on, opacity: on ? Math.min(opacity, FAINT) : opacity });
    }
  }

  /** @param {Record<string, string> | null} sizes of the print check whose colours are shown; null: its own colours */
  async color(sizes) {
    const { stage, parts } = this.app;
    const colored = sizes && this.order ? await coloredModel(checkPath(this.order, sizes, '.ply')) : null;
    if (this.colored) {
      this.colored.removeFromParent();
      this.colored.geometry.dispose();
    }
    this.colored = colored;
    if (colored) stage.world.add(colored);
    parts.cover(colored ? this.shown : []);
    this.#drawColored();
  }

  #drawColored() {
    if (!this.colored) return;
    this.colored.visible = this.shown.some(({ visible }) => visible);
    this.app.stage.draw();
  }

  /** The scene as it was before. */
  end() {
    if (!this.order) return;
    this.#clear();
    for (const back of this.ways) back();
    this.ways = [];
  }

  #clear() {
    if (!this.order) return;
    const { parts } = this.app;
    this.order = null;
    this.color(null);
    for (const part of this.shown) parts.remove(part);
    this.shown = [];
    parts.bringBack();
    this.#setSlicesAside(false);
    this.bar.hidden = true;
    this.others.setAttribute('aria-pressed', 'false');
  }
}
