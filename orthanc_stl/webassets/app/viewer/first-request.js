/** What is asked for before the page's other modules have come: a source's structures, and where its images lie. */

import { getJson } from '../shared/api.js';
import { beginLoadWorkers } from './load-workers.js';

/** @typedef {'stl/structures' | 'series' | 'study'} What */

/** @param {string} instance @param {What} what @returns {Promise<any>} */
const ask = (instance, what) => getJson(`instances/${encodeURIComponent(instance)}/${what}`);

/** @param {string} instance */
const seriesOf = async (instance) => (await import('./image-series.js')).imageSeriesOf(instance);

const source = new URLSearchParams(globalThis.location?.search ?? '').get('source')?.trim();
/** @type {What[]} */
const wanted = source ? ['stl/structures', 'series', 'study'] : [];
const asked = new Map(wanted.map((what) => [what, ask(source ?? '', what)]));
const series = source ? seriesOf(source) : null;
if (globalThis.location?.search) beginLoadWorkers(2); // as many as load before a part is there
for (const each of [...asked.values(), series]) each?.catch(() => {}); // whoever wants it is told

/**
 * @param {string} instance @param {What} what of it @returns {Promise<any>} Orthanc's answer
 * @throws {import('../shared/api.js').RequestFailed}
 */
export const answerOf = (instance, what) => (instance === source && asked.get(what)) || ask(instance, what);

/** @param {string} instance @returns {ReturnType<typeof import('./image-series.js').imageSeriesOf>} */
export const imagesOf = (instance) => (series && instance === source ? series : seriesOf(instance));
