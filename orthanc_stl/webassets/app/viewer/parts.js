/** The parts of the scene: what is known of each, whether and how it is shown, and loading them. */

import * as THREE from 'three';
import { MeshBVH } from 'three-mesh-bvh';
import { getJson } from '../shared/api.js';
import { LOADING_RANK } from './kinds.js';
import { Loader } from './loader.js';
import { edgesOf, meshOf, paint } from './part-mesh.js';

/** @typedef {import('./catalogue.js').Listed} Listed */

/**
 * @typedef {Listed & {
 *   ownColor: number[], ownOpacity: number, visible: boolean,
 *   state: 'waiting' | 'loading' | 'ready' | 'failed', reason: string, status: number,
 *   model: import('./loader.js').Loaded | null, facts: any, asked: boolean,
 *   object: THREE.Mesh<THREE.BufferGeometry, THREE.MeshStandardMaterial> | null,
 *   edges: THREE.LineSegments | null, tree: MeshBVH | null, wanted: boolean,
 * }} Part
 */

/**
 * Events: "list" (what is shown of the parts in words), "shape" (a mesh came or its tree), "look" (visibility,
 * colours), "added" and "removed" with the part in `detail`.
 */
export class Parts extends EventTarget {
  /** @param {import('./stage.js').Stage} stage @param {Listed[]} listed */
  constructor(stage, listed) {
    super();
    this.stage = stage;
    this.loader = new Loader();
    this.wireframe = false;
    /**
     * How the page's own parts were before a preview took their place, and will be after it; empty: there is none.
     * @type {Map<Part, {visible: boolean, opacity: number}>}
     */
    this.before = new Map();
    /** Parts that something else is drawn in place of. @type {Part[]} */
    this.covered = [];
    /** @type {Part[]} */
    this.all = listed.map((each) => partOf(each));
    this.byId = new Map(this.all.map((part) => [part.id, part]));
    this.ready = new Promise((resolve) => { this.#resolveReady = resolve; });
  }

  /** @type {(value?: unknown) => void} */
  #resolveReady = () => {};

  /** Another part, which is loaded. @param {Listed} listed @param {any} facts that are known of it @returns {Part} */
  add(listed, facts) {
    const part = { ...partOf(listed), facts };
    this.all.push(part);
    this.byId.set(part.id, part);
    this.dispatchEvent(new CustomEvent('added', { detail: part }));
    this.#want(part);
    this.tell('list');
    return part;
  }

  /** @param {Part} part one that was added */
  remove(part) {
    this.all = this.all.filter((each) => each !== part);
    this.byId.delete(part.id);
    for (const object of [part.object, part.edges]) {
      object?.removeFromParent();
      object?.geometry.dispose();
    }
    this.dispatchEvent(new CustomEvent('removed', { detail: part }));
    for (const kind of /** @type {const} */ (['list', 'shape', 'look'])) this.tell(kind);
    this.stage.draw();
  }

  /** @returns {Part[]} the page's own, without those of a preview */
  get own() {
    return this.before.size ? [...this.before.keys()] : this.all;
  }

  /** @returns {Part[]} the page's own, as they are without a preview */
  get lasting() {
    return this.own.map((part) => ({ ...part, ...this.before.get(part) }));
  }

  /** @returns {Part[]} that are there and shown */
  get shown() {
    return this.all.filter((part) => part.visible && part.object);
  }

  /** @returns {Part[]} */
  get loaded() {
    return this.all.filter((part) => part.object);
  }

  /** @param {'list' | 'shape' | 'look'} kind */
  tell(kind) {
    this.dispatchEvent(new Event(kind));
  }

  /** Loads all that are to be seen; those that are hidden come when they are asked for. */
  load() {
    const wanted = this.all.filter(({ visible }) => visible);
    const quick = quickest(wanted);
    for (const part of wanted) this.#want(part, part === quick);
    this.#checkReady();
  }

  /** @param {Part} part @param {boolean} first before all others */
  #want(part, first = false) {
    if (part.wanted) return;
    part.wanted = true;
    this.loader.add({
      path: part.mesh,
      body: part.body,
      weight: () => (first ? 1e16 : 0) + (part.visible ? 1e15 : 0) + LOADING_RANK[part.kind] * 1e12 + part.weight,
      onStart: () => this.#setState(part, 'loading'),
      onProgress: (fraction, step) => this.dispatchEvent(new CustomEvent('progress',
        { detail: { fraction, step } })),
      onModel: (model) => this.#arrived(part, model),
      onTree: (bvh) => {
        if (!part.object) return;
        part.tree = MeshBVH.deserialize({ version: 1, index: null, ...bvh }, part.object.geometry, { setIndex: false });
        this.tell('shape');
        this.#checkReady();
      },
      onFailure: (error) => {
        part.reason = error.message;
        part.status = error.status;
        this.#setState(part, 'failed');
        this.#checkReady();
      },
    });
  }

  /** @param {Part} part @param {Part['state']} state */
  #setState(part, state) {
    part.state = state;
    this.tell('list');
  }

  /** @param {Part} part @param {import('./loader.js').Loaded} model */
  #arrived(part, model) {
    if (!this.all.includes(part)) return; // removed meanwhile
    part.model = model;
    part.extent = [model.min, model.max];
    part.volumeMl ??= model.volume / 1000;
    part.object = meshOf(model, part.color, part.opacity, this.all.indexOf(part));
    part.object.userData.part = part;
    part.object.visible = part.visible;
    this.stage.world.add(part.object);
    if (this.wireframe) this.#updateEdges(part);
    this.#setState(part, 'ready');
    this.tell('shape');
    this.stage.drawSoon();
    if (this.loaded.length === 1) this.stage.hurry();
    this.#learn(part);
  }

  /** What the server knows of a part: nobody waits for it. @param {Part} part */
  async #learn(part) {
    part.facts ??= await getJson(part.info).catch(() => null);
    part.volumeMl = part.facts?.VolumeMl ?? part.volumeMl;
    part.asked = true;
    this.tell('list');
    this.#checkReady();
  }

  #checkReady() {
    const open = this.all.some(({ visible, state, tree, asked }) => visible && state !== 'failed' && !(tree && asked));
    if (open) return;
    this.stage.hurry();
    this.#resolveReady();
  }

  /**
   * @returns {THREE.Box3} of all parts, by what is loaded or what the list says, so that it does not depend on which
   * came first; empty if nothing is known
   */
  bounds() {
    const box = new THREE.Box3();
    for (const { extent, state } of this.all) {
      if (!extent || state === 'failed') continue;
      box.expandByPoint(new THREE.Vector3().fromArray(extent[0]));
      box.expandByPoint(new THREE.Vector3().fromArray(extent[1]));
    }
    return box;
  }

  /**
   * @param {Part | string} which @param {{visible?: boolean, color?: number[], opacity?: number}} change
   * @throws {RangeError} for a part that is not there
   */
  set(which, change) {
    const part = typeof which === 'string' ? this.byId.get(which) : which;
    if (!part) throw new RangeError(`There is no part "${which}".`);
    this.#apply(part, change);
    this.tell('look');
  }

  /**
   * Several at once, told once.
   * @param {(part: Part) => {visible?: boolean, color?: number[], opacity?: number}} changeOf
   */
  setAll(changeOf) {
    for (const part of this.all) this.#apply(part, changeOf(part));
    this.tell('look');
  }

  /**
   * As `setAll`, of the page's own parts; during a preview it is how they come back.
   * @param {(part: Part) => {visible: boolean, color: number[], opacity: number}} lookOf
   */
  setOwn(lookOf) {
    for (const part of this.own) {
      const { color, ...look } = lookOf(part), before = this.before.get(part);
      this.#apply(part, before ? { color } : { color, ...look });
      if (before) Object.assign(before, look);
    }
    this.tell('look');
  }

  /** A preview begins: the page's own parts go out of sight. */
  setAside() {
    this.before = new Map(this.all.map((part) => [part, { visible: part.visible, opacity: part.opacity }]));
    this.setAll(() => ({ visible: false }));
  }

  /** The preview ends, whose parts were removed. */
  bringBack() {
    const { before } = this;
    this.before = new Map();
    this.setAll((part) => before.get(part) ?? {});
  }

  /** @param {Part[]} parts that something else is drawn in place of, in 3D */
  cover(parts) {
    this.covered = parts;
    for (const part of this.loaded) this.#updateEdges(part);
    this.tell('look');
    this.stage.draw();
  }

  /** @param {Part} part @param {{visible?: boolean, color?: number[], opacity?: number}} change */
  #apply(part, { visible = part.visible, color = part.color, opacity = part.opacity }) {
    Object.assign(part, { visible, color: [...color], opacity: Math.min(1, Math.max(0, opacity)) });
    if (visible) this.#want(part);
    if (part.object) {
      paint(part.object, part.color, part.opacity);
      this.#updateEdges(part);
    }
    this.stage.draw();
  }

  /** @param {boolean} on only the edges of the triangles; their list is made when it is first asked for */
  setWireframe(on) {
    this.wireframe = on;
    for (const part of this.loaded) this.#updateEdges(part);
    this.stage.draw();
  }

  /** @param {Part} part */
  #updateEdges(part) {
    const { object } = part;
    if (!object) return;
    if (this.wireframe && part.visible && !part.edges) {
      part.edges = edgesOf(object);
      this.stage.world.add(part.edges);
    }
    const drawn = part.visible && !this.covered.includes(part);
    object.visible = drawn && !this.wireframe;
    if (part.edges) part.edges.visible = drawn && this.wireframe;
  }
}

/**
 * The smallest of what people look at: something is to be seen while the large ones, which come next, are made.
 * @param {Part[]} parts @returns {Part | undefined}
 */
function quickest(parts) {
  const rank = Math.max(...parts.map(({ kind }) => LOADING_RANK[kind]));
  const looked = parts.filter(({ kind, weight }) => LOADING_RANK[kind] === rank && weight > 0);
  return looked.sort((a, b) => a.weight - b.weight)[0];
}

/** @param {Listed} listed @returns {Part} one that waits to be loaded */
const partOf = (listed) => ({
  ...listed, ownColor: listed.color, ownOpacity: listed.opacity, visible: true, state: 'waiting', reason: '', status: 0,
  model: null, facts: null, asked: false, object: null, edges: null, tree: null, wanted: false,
});

/**
 * @param {Part} part @returns {{rank: number, text: string}[]} what is to be known of a part, what matters most first
 */
export function notesOf({ facts, notes, model }) {
  /** @type {import('./catalogue.js').Note[]} */
  const told = [...(facts?.Notes ?? notes), ...(model?.notes ?? [])];
  const list = told.map(({ Rank: rank, Text: text }) => ({ rank, text }));
  if (facts?.Closed === false) list.push({ rank: 1, text: 'The surface is not closed: its volume is a rough figure.' });
  return list.sort((a, b) => a.rank - b.rank);
}
