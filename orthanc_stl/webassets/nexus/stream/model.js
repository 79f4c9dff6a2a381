/** A model that comes in parts: which are here, which are drawn, which are asked for next, which have to go. */

import { readHeader, readIndex, task } from '../decoder/decode.js';
import { NexusError } from '../decoder/errors.js';
import { RequestFailed } from '../../app/shared/api.js';
import { cut, family, visibleRanges } from './cut.js';

const AT_ONCE = 3; // requests under way
const RETRIES_MS = [1000, 3000, 8000];
const GOOD_ENOUGH = 1.5; // pixels
const OUT_OF_SIGHT = 1000; // by this factor what is outside of the window is less urgent
/** Pixels take more room than the picture they come from; known once it is decoded. */
const PICTURE_GROWTH = 12;
/**
 * Bytes of a vertex and of a triangle as they are kept: position, normal, colour, texture coordinate; three numbers.
 */
const VERTEX_BYTES = 34;
const TRIANGLE_BYTES = 6;

/** @typedef {import('../decoder/container.js').Node} Node */
/** @typedef {import('../worker.js').DecodedNode} DecodedNode */
/** @typedef {ReturnType<typeof visibleRanges>} Ranges */
/** @typedef {ReturnType<typeof limitsOf>} Limits */

/** Limits for this device: bytes kept, triangles drawn. */
export function limitsOf({ deviceMemory = 4, small = false } = {}) {
  return { bytes: Math.min(deviceMemory, 8) * (96 << 20), triangles: small ? 1_500_000 : 5_000_000,
    target: GOOD_ENOUGH };
}

/**
 * Events: "change" when other parts are to be drawn; "trouble" with a sentence in `detail` when a part does not come.
 * `onLoad(i, node)`, `onDrop(i)` tell what to hand to the graphics card and what to take back.
 */
export class NexusModel extends EventTarget {
  /**
   * @param {import('./source.js').Source} source @param {import('./pool.js').DecoderPool} pool
   * @param {ReturnType<typeof readIndex>} index @param {Limits} limits
   */
  constructor(source, pool, index, limits) {
    super();
    this.source = source;
    this.pool = pool;
    this.limits = limits;
    this.header = index.header;
    this.nodes = index.nodes;
    this.textures = index.textures;
    this.roots = index.roots;
    this.sink = index.sink;
    this.family = family(index);
    /** @type {Set<number>} */
    this.loaded = new Set();
    /** @type {Set<number>} */
    this.asked = new Set();
    /** @type {Set<number>} */
    this.failed = new Set();
    this.sizes = this.nodes.map((node) => this.#expected(node)); // in bytes; as it is, once a node was loaded
    this.selected = new Uint8Array(this.nodes.length);
    /** @type {number[]} */
    this.wanted = [];
    this.drawn = 0;
    this.full = false;
    /** @type {(node: number) => number} pixels on the screen, in the view that was chosen for last */
    this.errorOf = () => 0;
    /** @type {(number: number, node: DecodedNode) => void} */
    this.onLoad = () => {};
    /** @type {(number: number) => void} */
    this.onDrop = () => {};
  }

  /**
   * @param {import('./source.js').Source} source @param {import('./pool.js').DecoderPool} pool
   * @throws {RequestFailed | NexusError}
   */
  static async open(source, pool, limits = limitsOf()) {
    await source.open();
    const head = await source.range(0, Math.min(88, source.size));
    const { indexEnd } = readHeader(head.buffer, source.size);
    const index = await source.range(0, indexEnd);
    return new NexusModel(source, pool, readIndex(index.buffer, source.size), limits);
  }

  /** Nothing is missing for this view, as far as memory allows. */
  get complete() {
    return this.loaded.size > 0 && this.asked.size === 0 && this.wanted.length === 0;
  }

  /** Bytes of what is here and of what is on its way. */
  get bytes() {
    return [...this.loaded, ...this.asked].reduce((sum, i) => sum + this.sizes[i], 0);
  }

  /**
   * Choose what is drawn in a view, ask for what is missing.
   * @param {(node: Node) => number} pixelsOf size on the screen of the error of a node, with its sphere
   * @param {(node: Node) => boolean} inSight
   */
  update(pixelsOf, inSight) {
    const seen = this.#seen(inSight);
    const errors = new Map();
    const errorOf = (/** @type {number} */ i) => {
      if (!errors.has(i)) errors.set(i, pixelsOf(this.nodes[i]) / (seen[i] ? 1 : OUT_OF_SIGHT));
      return errors.get(i);
    };
    const bytesOf = (/** @type {number} */ i) => (this.failed.has(i) ? 0 : this.sizes[i]);
    const { wanted, ...chosen } = cut(this, errorOf, (i) => this.loaded.has(i), bytesOf, this.limits);
    Object.assign(this, chosen, { errorOf, wanted: wanted.filter((i) => !this.failed.has(i)) });
    this.#ask();
    this.#makeRoom();
  }

  /**
   * What is in sight, and what that refines: a node beside the window may have to make way for a finer one inside.
   * @param {(node: Node) => boolean} inSight
   */
  #seen(inSight) {
    const seen = new Uint8Array(this.nodes.length);
    for (let i = seen.length - 1; i >= 0; i--) {
      seen[i] = Number(this.family.children[i].some((finer) => seen[finer]) || inSight(this.nodes[i]));
    }
    return seen;
  }

  /** @returns {Iterable<[number, Ranges]>} loaded node, and the ranges of it that are drawn */
  * ranges() {
    for (const i of this.loaded) yield [i, this.selected[i] ? visibleRanges(this.nodes[i], this.selected) : []];
  }

  /** @param {Node} node */
  #texturesOf(node) {
    const numbers = new Set(node.patches.map((patch) => patch.texture).filter((texture) => texture >= 0));
    return [...numbers].filter((texture) => this.textures[texture].end > this.textures[texture].begin);
  }

  /** @param {Node} node */
  #expected(node) {
    const pictures = this.#texturesOf(node).reduce((sum, t) => sum + this.textures[t].end - this.textures[t].begin, 0);
    return VERTEX_BYTES * node.vertices + TRIANGLE_BYTES * node.triangles + PICTURE_GROWTH * pictures;
  }

  /** What is selected and wanted fits; of the rest, what matters least goes until all does. */
  #makeRoom() {
    let excess = this.bytes - this.limits.bytes;
    if (excess <= 0) return;
    const spare = [...this.loaded].filter((i) => !this.selected[i] && i >= this.roots)
      .sort((a, b) => this.errorOf(a) - this.errorOf(b));
    for (const i of spare) {
      if (excess <= 0) return;
      excess -= this.sizes[i];
      this.loaded.delete(i);
      this.onDrop(i);
    }
  }

  #ask() {
    for (const i of this.wanted) {
      if (this.asked.size >= AT_ONCE) break;
      if (this.asked.has(i)) continue;
      this.asked.add(i);
      this.#load(i);
    }
  }

  /** @param {number} i */
  async #load(i) {
    try {
      const node = await this.#fetchAndDecode(i);
      this.sizes[i] = [node.position, node.normal, node.color, node.uv, node.index].reduce(
        (sum, array) => sum + (array?.byteLength ?? 0), 0)
        + node.pictures.reduce((sum, { picture }) => sum + Math.ceil(picture.width * picture.height * 4 * 1.34), 0);
      this.loaded.add(i);
      this.onLoad(i, node);
      for (const sentence of node.troubles) this.#tell(sentence);
    } catch (error) {
      if (!(error instanceof RequestFailed || error instanceof NexusError)) throw error;
      this.failed.add(i);
      this.#tell(error.message, i < this.roots);
    } finally {
      this.asked.delete(i);
    }
    // The line is kept busy however long the next frame takes.
    this.wanted = this.wanted.filter((other) => other !== i);
    this.#ask();
    this.dispatchEvent(new Event('change'));
  }

  /** @param {number} i */
  async #fetchAndDecode(i) {
    const node = this.nodes[i];
    const texts = this.#texturesOf(node);
    const [bytes, ...pictures] = await Promise.all(
      [this.#bytes(node), ...texts.map((t) => this.#bytes(this.textures[t]))]);
    const images = texts.map((texture, k) => ({ texture, bytes: pictures[k] }));
    return this.pool.decode({ task: task(this.header, node), bytes, origin: this.header.centre, images });
  }

  /** A line that breaks off for a moment is no reason to give up. @param {{begin: number, end: number}} range */
  async #bytes({ begin, end }) {
    for (const pause of RETRIES_MS) {
      try {
        return await this.source.range(begin, end);
      } catch (error) {
        if (!(error instanceof RequestFailed) || ![0, 502, 503].includes(error.status)) throw error;
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
    return this.source.range(begin, end);
  }

  /** Ask again for what did not come. */
  retry() {
    this.failed.clear();
    this.dispatchEvent(new Event('change'));
  }

  /** @param {string} sentence */
  #tell(sentence, fatal = false) {
    this.dispatchEvent(new CustomEvent('trouble', { detail: { sentence, fatal } }));
  }
}
