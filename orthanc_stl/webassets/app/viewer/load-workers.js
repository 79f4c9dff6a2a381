/** Workers that read models, begun before it is known which: a page that makes its 3D context has no time for that. */

/** @type {Set<Worker>} */
const begun = new Set();

const newWorker = () => new Worker(new URL('load-worker.js', import.meta.url), { type: 'module' });

/** @param {number} count of workers that will soon be wanted */
export function beginLoadWorkers(count) {
  for (let i = 0; i < count; i++) {
    const worker = newWorker();
    begun.add(worker);
    worker.onerror = () => begun.delete(worker); // whoever wants one tries anew, and hears of it
  }
}

/** @returns {Worker} one that nobody else has */
export function loadWorker() {
  for (const worker of begun) {
    begun.delete(worker);
    return worker;
  }
  return newWorker();
}
