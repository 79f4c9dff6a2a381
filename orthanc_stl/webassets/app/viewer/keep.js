/** Taking things home: files of the parts, and models stored in Orthanc. */

import { getJson, postJson, request } from '../shared/api.js';
import { fileName, save } from '../shared/dom.js';
import { follow } from '../shared/job.js';

/** @typedef {import('./parts.js').Part} Part */

const safe = encodeURIComponent;

/** @param {string} instance of a stored model @param {string} name */
export async function downloadStl(instance, name) {
  save(await (await request(`instances/${safe(instance)}/stl`)).blob(), `${fileName(name)}.stl`);
}

/**
 * Formats of several parts together; what this server lacks is not offered.
 * @returns {Promise<{Suffix: string, Name: string}[]>}
 */
export const formats = () => getJson('stl/formats').then((list) => (Array.isArray(list) ? list : []), () => []);

/**
 * @param {import('./catalogue.js').Catalogue} catalogue @param {Part[]} parts the chosen ones @param {string} suffix
 * ".glb"
 */
export async function downloadScene(catalogue, parts, suffix) {
  const plain = suffix.replace(/^\./, '');
  const query = catalogue.source ? `?structures=${parts.map((part) => part.number).join(',')}` : '';
  const path = catalogue.source ? `instances/${safe(catalogue.source)}/stl/scene.${plain}${query}`
    : catalogue.series ? `series/${safe(catalogue.series)}/stl/scene.${plain}`
      : `instances/${safe(parts[0].instance)}/stl/scene.${plain}`;
  save(await (await request(path)).blob(), `${fileName(catalogue.title)}.${plain}`);
}

/**
 * Stores structures as models, each of its own, in one series.
 * @param {string} source @param {Part[]} parts @param {(fraction: number, step: string) => void} onProgress
 * @returns {Promise<any>} the route's answer
 */
export async function storeParts(source, parts, onProgress) {
  const body = { Instance: source, Structures: parts.map((part) => part.number), Separate: true, Asynchronous: true };
  const { ID: job } = await postJson('stl/encode', JSON.stringify(body));
  return follow(job, onProgress);
}
