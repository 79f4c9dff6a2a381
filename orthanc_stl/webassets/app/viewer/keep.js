/** Files of the parts for download, and models stored in Orthanc. */

import { getJson, postJson, request } from '../shared/api.js';
import { save } from '../shared/dom.js';
import { fileName } from '../shared/format.js';
import { follow } from '../shared/job.js';

/** @typedef {import('./parts.js').Part} Part */

const safe = encodeURIComponent;

/** Formats that hold colors of their own for each vertex. */
const COLORED = ['glb', 'ply'];

/**
 * Formats of several parts together, or of one that is colored by distance; what this server lacks is not offered.
 * @param {import('./catalogue.js').Catalogue} catalogue @returns {Promise<{Suffix: string, Name: string}[]>}
 */
export const formats = (catalogue) => getJson('stl/formats').then((list) => (Array.isArray(list) ? list : [])
  .filter(({ Suffix: suffix }) => !catalogue.distanceTo || COLORED.includes(suffix)), () => []);

/**
 * @param {import('./catalogue.js').Catalogue} catalogue @param {Part[]} parts the chosen ones @param {string} suffix
 * ".glb"
 */
export async function downloadScene(catalogue, parts, suffix) {
  const plain = suffix.replace(/^\./, '');
  if (catalogue.distanceTo) {
    const body = JSON.stringify({ ...JSON.parse(catalogue.parts[0].body ?? ''), File: plain });
    const file = await (await request('stl/compare', { method: 'POST', body })).blob();
    save(file, `${fileName(catalogue.title)}.${plain}`);
    return;
  }
  const path = catalogue.source
    ? `instances/${safe(catalogue.source)}/stl/scene.${plain}?structures=${parts.map((part) => part.number).join(',')}`
    : storedScene(catalogue, parts, plain);
  save(await (await request(path)).blob(), `${fileName(catalogue.title)}.${plain}`);
}

/**
 * The stored models that have these parts, and of them only these; a single STL as it is stored.
 * @param {import('./catalogue.js').Catalogue} catalogue @param {Part[]} parts @param {string} suffix "glb"
 */
function storedScene(catalogue, parts, suffix) {
  const chosen = new Set(parts.map((part) => part.id));
  if (catalogue.series && chosen.size === catalogue.parts.length) {
    return `series/${safe(catalogue.series)}/stl/scene.${suffix}`;
  }
  const instances = [...new Set(parts.map((part) => part.instance))];
  if (suffix === 'stl' && parts.length === 1 && parts[0].mesh.endsWith('/stl')) return parts[0].mesh;
  const all = instances.flatMap((instance) => catalogue.parts.filter((part) => part.instance === instance)
    .sort((a, b) => a.number - b.number)); // an OBJ has several
  const numbers = all.flatMap((part, i) => (chosen.has(part.id) ? [i + 1] : []));
  const query = new URLSearchParams();
  if (instances.length > 1) query.set('with', instances.slice(1).join(','));
  if (numbers.length < all.length) query.set('structures', numbers.join(','));
  return `instances/${safe(instances[0])}/stl/scene.${suffix}?${query}`;
}

/**
 * Stores structures as models, each of its own, in one series, in the colors that they have here.
 * @param {string} source @param {Part[]} parts @param {(fraction: number, step: string) => void} onProgress
 * @returns {Promise<any>} the route's answer
 */
export async function storeParts(source, parts, onProgress) {
  const body = { Instance: source, Structures: parts.map((part) => part.number), Separate: true, Asynchronous: true,
    Colors: Object.fromEntries(parts.map((part) => [part.number, part.color])) };
  const { ID: job } = await postJson('stl/encode', JSON.stringify(body));
  return follow(job, onProgress);
}
