/** Workers that decode nodes, so that the page goes on answering while a model comes. */

import { NexusError } from '../decoder/errors.js';

/** A node of 65,535 triangles takes some 30 ms; one that takes this long was made to. */
const LONGEST_MS = 20000;

/**
 * @typedef {object} Job
 * @property {import('../decoder/decode.js').Task} task
 * @property {Uint8Array<ArrayBuffer>} bytes of the node
 * @property {number[]} origin
 * @property {{texture: number, bytes: Uint8Array<ArrayBuffer>}[]} images
 */
/** @typedef {import('../worker.js').DecodedNode} DecodedNode */
/** @typedef {{job: Job, resolve: (node: DecodedNode) => void, reject: (reason: Error) => void}} Waiting */

export class DecoderPool {
  /** @param {number} size how many workers */
  constructor(size = Math.max(1, Math.min(3, (navigator.hardwareConcurrency ?? 2) - 1))) {
    /** @type {Worker[]} */
    this.idle = [];
    this.unstarted = size;
    /** @type {Waiting[]} */
    this.waiting = [];
  }

  /**
   * @param {Job} job for worker.js: `task`, `bytes`, `origin`, `images`; the bytes are given away
   * @returns {Promise<DecodedNode>} what worker.js makes of it @throws {NexusError}
   */
  decode(job) {
    return new Promise((resolve, reject) => {
      this.waiting.push({ job, resolve, reject });
      this.#next();
    });
  }

  #next() {
    if (this.waiting.length === 0) return;
    let worker = this.idle.pop();
    if (!worker) {
      if (this.unstarted === 0) return;
      this.unstarted -= 1;
      worker = new Worker(new URL('../worker.js', import.meta.url), { type: 'module' });
    }
    this.#run(worker, /** @type {Waiting} */ (this.waiting.shift()));
  }

  /** @param {Worker} worker @param {Waiting} waiting */
  #run(worker, { job, resolve, reject }) {
    const over = (/** @type {boolean} */ alive) => {
      clearTimeout(timer);
      worker.onmessage = null;
      worker.onerror = null;
      if (alive) this.idle.push(worker);
      else {
        worker.terminate();
        this.unstarted += 1;
      }
      this.#next();
    };
    const timer = setTimeout(() => {
      over(false);
      reject(new NexusError('A part of the model took too long to decode'));
    }, LONGEST_MS);
    worker.onmessage = ({ data }) => {
      over(true);
      if (data.failure) reject(new NexusError(data.failure));
      else resolve(data.node);
    };
    worker.onerror = () => {
      over(false);
      reject(new NexusError('The decoder could not be started, or failed'));
    };
    worker.postMessage(job, [job.bytes.buffer, ...job.images.map((image) => image.bytes.buffer)]);
  }
}
