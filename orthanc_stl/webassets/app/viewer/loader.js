/** Loads meshes, a few at a time, the most wanted first, each in a worker that is kept. */

import { authorization, orthancUrl, RequestFailed, sentence } from '../shared/api.js';
import { loadWorker } from './load-workers.js';

/**
 * @typedef {object} Loaded a surface in mm, LPS; `positions` are relative to `centre`
 * @property {number} triangles @property {number[]} min @property {number[]} max
 * @property {number} volume mm³ @property {number} area mm² @property {number[]} centre
 * @property {Float32Array} positions @property {Float32Array} normals @property {Uint32Array} index
 * @property {import('./catalogue.js').Note[]} [notes] what the file itself says
 */

/**
 * @typedef {object} Task
 * @property {string} path below Orthanc's root @property {string} [body] JSON, posted there; without it: GET
 * @property {() => number} weight asked when a worker is free: the largest goes first
 * @property {(model: Loaded) => void} onModel
 * @property {(bvh: any) => void} onTree
 * @property {(error: RequestFailed) => void} onFailure
 * @property {(fraction: number | null, step: string) => void} [onProgress]
 * @property {() => void} [onStart]
 */

const WORKERS = 3;
const BROKEN = 'The part of this page that reads models could not be started. Please reload the page.';

export class Loader {
  constructor(workers = WORKERS) {
    /** How many may load at once: one, until the server has got its request, and two until a model is there. */
    this.limit = 1;
    this.workersInAll = workers;
    /** @type {Task[]} */
    this.waiting = [];
    /** @type {Map<Worker, {id: number, task: Task} | null>} null: free */
    this.workers = new Map();
    this.last = 0;
  }

  /** @param {Task} task */
  add(task) {
    this.waiting.push(task);
    queueMicrotask(() => this.#next());
  }

  /** What has not begun to load will not. */
  stop() {
    this.waiting = [];
  }

  #next() {
    while (this.waiting.length) {
      const worker = this.#freeWorker();
      if (!worker) return;
      let best = 0;
      this.waiting.forEach((each, i) => { if (each.weight() > this.waiting[best].weight()) best = i; });
      const [task] = this.waiting.splice(best, 1);
      const id = ++this.last;
      this.workers.set(worker, { id, task });
      task.onStart?.();
      worker.postMessage({ id, url: orthancUrl(task.path), headers: authorization(), body: task.body });
    }
  }

  /** @param {number} limit of workers, if that is more than now */
  #allow(limit) {
    this.limit = Math.max(this.limit, Math.min(limit, this.workersInAll));
    this.#next();
  }

  #freeWorker() {
    for (const [worker, doing] of this.workers) if (!doing) return worker;
    if (this.workers.size >= this.limit) return null;
    const worker = loadWorker();
    worker.onmessage = ({ data }) => this.#answer(worker, data);
    worker.onerror = () => this.#broken(worker);
    this.workers.set(worker, null);
    return worker;
  }

  /** @param {Worker} worker @param {any} message of load-worker.js */
  #answer(worker, { id, asked, progress, model, bvh, failure, done }) {
    const doing = this.workers.get(worker);
    if (!doing || doing.id !== id) return;
    const { task } = doing;
    if (asked) this.#allow(2);
    else if (progress) task.onProgress?.(progress.fraction, progress.step);
    else if (model) {
      task.onModel(model);
      this.#allow(this.workersInAll);
    }
    else if (bvh) task.onTree(bvh);
    else if (failure) {
      task.onFailure(new RequestFailed(failure.message ?? sentence(failure.status, failure.body), failure.status ?? 0));
    } else if (done) {
      this.workers.set(worker, null);
      this.#allow(this.workersInAll);
    }
  }

  /** @param {Worker} worker */
  #broken(worker) {
    const doing = this.workers.get(worker);
    this.workers.delete(worker);
    worker.terminate();
    doing?.task.onFailure(new RequestFailed(BROKEN, 0));
    this.#next();
  }
}
