/** Pieces of image volumes, from a worker that all stacks share. */

import { authorization, orthancUrl, RequestFailed, sentence } from '../shared/api.js';

const BROKEN = 'The part of this page that reads images could not be started. Please reload the page.';

/** @type {Worker | null} */
let worker = null;
let last = 0;
/** @type {Map<number, {resolve: (values: Int16Array) => void, reject: (error: Error) => void}>} */
const waiting = new Map();

/** @returns {Worker} that is there already, or soon */
export function startImageWorker() {
  if (worker) return worker;
  worker = new Worker(new URL('image-worker.js', import.meta.url), { type: 'module' });
  worker.onmessage = ({ data: { id, values, failure } }) => {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (values) asked?.resolve(values);
    else if (failure.status) asked?.reject(new RequestFailed(sentence(failure.status, failure.body), failure.status));
    else asked?.reject(new RequestFailed('Orthanc did not answer. It may have stopped, or the network is down.', 0));
  };
  worker.onerror = () => {
    const error = new RequestFailed(BROKEN, 0);
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
    worker = null;
  };
  return worker;
}

/**
 * @param {string} path below Orthanc's root @param {number} columns @param {number} rows
 * @returns {Promise<Int16Array>} whole slices, x fastest @throws {RequestFailed}
 */
export function loadSlices(path, columns, rows) {
  return new Promise((resolve, reject) => {
    const id = ++last;
    waiting.set(id, { resolve, reject });
    const url = orthancUrl(`${path}?layout=packed`);
    startImageWorker().postMessage({ id, url, headers: authorization(), columns, rows });
  });
}
