/** The scene: puts stage, parts, slices, tools and panels together. */

import * as THREE from 'three';
import { h, notice, save } from '../shared/dom.js';
import { count, length, size, volume } from '../shared/format.js';
import { t } from '../shared/language.js';
import { onClick } from './click.js';
import { Dimensions } from './dimensions.js';
import { DistanceScale } from './distance-scale.js';
import { History } from './history.js';
import { Images } from './images.js';
import { keepState, stateInAddress } from './link.js';
import { Measure } from './measure.js';
import { Orientation } from './orientation.js';
import { Overlay } from './overlay.js';
import { Panels } from './panels.js';
import { sample } from './part-mesh.js';
import { PartPanel } from './part-panel.js';
import { Parts } from './parts.js';
import { pick } from './picking.js';
import { Section } from './section.js';
import { Slices } from './slices.js';
import { SlicePanel } from './slice-panel.js';
import { buildTools } from './tools.js';
import { Views } from './views.js';
import { Warnings } from './warnings.js';

/** @typedef {import('./parts.js').Part} Part */

/** Events: "select", "measure", "slice", as `window.viewer` passes them on. */
export class App extends EventTarget {
  /**
   * @param {HTMLElement} root @param {import('./stage.js').Stage} stage
   * @param {import('./catalogue.js').Catalogue} catalogue
   */
  constructor(root, stage, catalogue) {
    super();
    this.root = root;
    this.stage = stage;
    this.catalogue = catalogue;
    this.parts = new Parts(stage, catalogue.parts);
    this.images = new Images();
    this.slices = new Slices(stage, this.parts, () => this.changed());
    this.overlay = new Overlay(stage, stage.container);
    this.orientation = new Orientation(stage, stage.container);
    this.section = new Section(stage, this.parts, () => this.changed());
    this.measure = new Measure(this.overlay, { parts: () => this.parts.shown, changed: () => this.changed(),
      measured: (detail) => this.tell('measure', detail) });
    this.dimensions = new Dimensions(stage, this.overlay, this.parts, length);
    this.history = new History(() => this.state(), (state) => this.restore(state));
    this.partPanel = new PartPanel(this.parts, catalogue.unusable, {
      changed: () => this.changed(),
      centre: (part) => this.lookAt(part),
      selected: (part) => this.tell('select', part && { id: part.id, number: part.number, name: part.name }),
    });
    this.slicePanel = new SlicePanel(this.slices, this.images, (id) => this.useSeries(id));
    this.views = new Views(stage, this.slices, this.parts, this.measure, (hit) => this.click(hit));
    this.panels = new Panels(root);
    this.scale = catalogue.distanceTo ? new DistanceScale(this, catalogue.distanceTo) : null;
    document.title = `${this.catalogue.title} · ${t('3D model')}`;
    this.root.classList.add('scene');
    /** @type {string[]} of the picture */
    this.captions = [];
    this.facts = h('dl', { class: 'facts' });
    this.warnings = new Warnings(this.parts, this.root);
    const { title, about } = this.catalogue;
    this.head = h('header', { class: 'card' }, h('div', { class: 'card-text' }, h('h1', { title, dir: 'auto' }, title),
      about ? h('p', { class: 'about', dir: 'auto' }, about) : null, this.facts, this.warnings.element));
    /** @type {ReturnType<typeof buildTools>} */
    this.tools = buildTools(this);
    this.root.append(this.head, this.panels.element, this.views.element, ...this.tools.elements);
    this.slices.addEventListener('slice', () => this.tell('slice', this.slices.shownSlice()));
    const showFacts = () => this.#showFacts(), update = () => this.warnings.update();
    for (const each of [showFacts, update]) this.parts.addEventListener('list', () => this.stage.drawSoon(each));
    this.parts.addEventListener('look', showFacts);
    this.stage.onMove.push(() => keepState(() => this.state()));
    this.#listen();
  }

  #listen() {
    const { canvas } = this.stage;
    onClick(canvas, (event) => this.click(this.hitAt(event)));
    canvas.addEventListener('dblclick', (event) => {
      const hit = this.measure.active ? null : this.hitAt(event);
      if (hit) this.stage.centreOn(hit.point);
    });
  }

  /** @param {{clientX: number, clientY: number}} event @returns {import('./picking.js').Hit | null} */
  hitAt(event) {
    return pick(this.stage.rayAt(event), this.parts.shown, (ray) => this.slices.hits(ray));
  }

  /** @param {import('./picking.js').Hit | null} hit in 3D or on a slice */
  click(hit) {
    if (this.measure.active) this.measure.click(hit);
    else if (hit?.part) this.partPanel.select(hit.part);
  }

  /** Loads and shows; resolves with the first part. @param {import('./loading.js').Progress} progress */
  async start(progress) {
    this.views.stageElement.append(progress.element);
    this.parts.addEventListener('progress', (event) => {
      const { fraction, step } = /** @type {CustomEvent} */ (event).detail;
      if (this.parts.all.length === 1) progress.show(fraction, step);
    });
    const asked = stateInAddress();
    if (asked?.hidden) this.#applyParts(asked);
    const box = this.parts.bounds();
    if (!box.isEmpty()) this.stage.setBounds(box, true);
    this.parts.load();
    const first = this.#firstPart();
    // Without a box the planes would not know where to go, nor the eye.
    const find = () => this.#findImages(asked, first);
    this.imagesReady = box.isEmpty() ? first.then(find) : find();
    const planes = this.imagesReady.then(() => (this.slices.visible ? this.slices.stack?.coarse : first)).catch(() =>
      first);
    await Promise.all([Promise.race([first, planes]), this.stage.prepare(sample(1))]); // the fewer programs, the sooner
    progress.end();
    if (box.isEmpty() && this.parts.loaded.length) this.stage.setBounds(this.parts.bounds(), true);
    if (asked) this.restore(asked);
    await first;
    requestAnimationFrame(() => setTimeout(() => this.stage.prepare(sample(0.5)))); // once that part is drawn
    if (!asked && this.parts.all.length === 1) this.stage.turn();
    this.root.dataset.ready = 'true';
    this.history.start();
    const follow = () => this.#follow();
    this.parts.addEventListener('shape', () => this.stage.drawSoon(follow));
    this.parts.ready.then(follow);
  }

  /** Until a part is to be seen, or none will be. @returns {Promise<void>} */
  #firstPart() {
    return new Promise((resolve) => {
      const look = () => {
        if (this.parts.shown.length || this.parts.all.every(({ state, visible }) => !visible
          || state === 'failed')) resolve();
      };
      this.parts.addEventListener('shape', look);
      this.parts.addEventListener('list', look);
      look();
    });
  }

  /** The clipping range follows the parts that come; the home view, too, until a person moves the eye. */
  #follow() {
    const box = this.#bounds();
    if (box.isEmpty() || (this.box && box.equals(this.box))) return;
    this.box = box.clone();
    const { atHome, moved, turning } = this.stage;
    this.stage.setBounds(box, atHome && !moved && !turning);
  }

  #bounds() {
    const box = this.parts.bounds();
    return this.slices.stack && this.slices.visible ? box.union(this.slices.stack.bounds()) : box;
  }

  /** @param {any} asked state of the address @param {Promise<void>} firstPart */
  async #findImages(asked, firstPart) {
    await this.images.find(this.catalogue.origin);
    this.slicePanel.refresh();
    const [first] = this.images.all;
    if (!this.images.usable.length) {
      if (first) this.tools.offer('slices'); // whose panel says why there are none
      if (first && this.catalogue.source) this.toast(first.reason, 'info');
      return;
    }
    this.tools.offer('slices', 'layout');
    if (asked?.slices) {
      await this.useSeries(asked.slices.series);
      this.slices.restore(asked.slices);
      this.tools.use('slices', Boolean(asked.slices.visible));
      if (asked.layout === 'four') this.tools.use('layout', true);
    } else if (this.catalogue.source) {
      this.images.open(this.images.usable[0]); // to be drawn after the first part, if that comes within half a second
      await Promise.race([firstPart, new Promise((resolve) => setTimeout(resolve, 500))]);
      this.tools.use('slices', true);
      if (innerWidth >= 1100 && window.parent === window) this.tools.use('layout', true);
    }
  }

  /**
   * @param {string} [series] Orthanc's id; none: the nearest one
   * @returns {Promise<void>} when the coarse images are there
   */
  async useSeries(series = this.images.usable[0]?.id) {
    const entry = this.images.usable.find(({ id }) => id === series);
    if (!entry) return;
    if (this.slices.stack && this.slices.series === entry.id) {
      await this.slices.prepared;
      return;
    }
    const stack = this.images.open(entry);
    this.slices.use(stack, entry.id, this.parts.bounds());
    this.slicePanel.refresh();
    this.views.refresh();
    this.stage.setBounds(this.#bounds());
    await Promise.all([stack.coarse, this.slices.prepared]);
  }

  /** @param {boolean} on */
  showSlices(on) {
    if (on && !this.slices.stack) this.useSeries();
    if (on) this.slices.setAside(false); // whoever asks for them has them beside a preview, too
    this.slices.visible = on;
    if (this.stage.radius) this.stage.setBounds(this.#bounds());
    this.changed();
  }

  /** @param {Part} part */
  lookAt(part) {
    if (!part.model) return;
    const { min, max } = part.model;
    const box = new THREE.Box3(new THREE.Vector3().fromArray(min), new THREE.Vector3().fromArray(max));
    const centre = box.getCenter(new THREE.Vector3());
    this.stage.centreOn(centre);
    this.slices.goTo(centre);
  }

  /** @param {string} kind @param {any} detail */
  tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }

  /** Something happened that can be undone and that a link holds. */
  changed() {
    this.history?.note();
    keepState(() => this.state());
  }

  #showFacts() {
    const models = this.parts.shown.flatMap(({ model }) => (model ? [model] : []));
    if (!models.length) return;
    const box = new THREE.Box3();
    for (const { min, max } of models) {
      box.expandByPoint(new THREE.Vector3().fromArray(min)).expandByPoint(new THREE.Vector3().fromArray(max));
    }
    const sum = (/** @type {(model: any) => number} */ of) => models.reduce((all, model) => all + of(model), 0);
    /** @type {[string, string][]} */
    const list = [[t('Size'), size(box.getSize(new THREE.Vector3()).toArray())]];
    if (models.length === 1) list.push([t('Volume'), volume(models[0].volume)]);
    list.push([t('Triangles'), count(sum((model) => model.triangles))]);
    this.captions = [this.catalogue.title, this.catalogue.about, list
      .map(([name, value]) => `${name}: ${value}`).join('   ')].filter(Boolean);
    this.facts.replaceChildren(...list.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
  }

  /** @param {string} message @param {'error' | 'info'} [kind] for some seconds, at the foot of the views */
  toast(message, kind = 'error') {
    this.root.querySelector('.toast')?.remove();
    const toast = h('div', { class: 'toast' }, notice(kind, '', message));
    this.views.stageElement.append(toast);
    setTimeout(() => toast.remove(), 8000);
  }

  /** @param {Blob} blob @param {string} name */
  save(blob, name) {
    save(blob, name);
  }

  /** @returns {any} what a link holds */
  state() {
    const { lasting } = this.parts;
    const changed = lasting.filter((part) => part.opacity !== part.ownOpacity
      || String(part.color) !== String(part.ownColor));
    return {
      camera: this.stage.radius ? this.stage.cameraState() : null,
      hidden: lasting.filter((part) => !part.visible).map((part) => part.id),
      looks: Object.fromEntries(changed.map((part) => [part.id, [...part.color, Math.round(part.opacity * 100)]])),
      section: this.section.state(),
      slices: this.slices.state(),
      layout: this.views.layout,
      measures: this.measure.state(),
    };
  }

  /** @param {any} state */
  #applyParts({ hidden = [], looks = {} }) {
    this.parts.setOwn((part) => {
      const look = looks[part.id];
      return { visible: !hidden.includes(part.id), color: look ? look.slice(0, 3) : part.ownColor, opacity: look
        ? look[3] / 100 : part.ownOpacity };
    });
  }

  /** @param {any} state of `state` */
  restore(state) {
    this.#applyParts(state);
    if (state.camera) this.stage.restoreCamera(state.camera);
    this.section.restore(state.section ?? null);
    this.tools.mark('section', Boolean(state.section));
    this.tools.mark('projection', Boolean(state.camera?.parallel));
    this.measure.restore(state.measures ?? []);
    if (this.slices.stack && state.slices) {
      this.slices.restore(state.slices);
      this.tools.mark('slices', this.slices.inScene);
    }
  }
}
