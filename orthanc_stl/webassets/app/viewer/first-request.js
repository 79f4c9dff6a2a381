/** What is asked for before the page's other modules have come: a source's structures, and where its images lie. */

import { getJson } from '../shared/api.js';

/** @param {string} instance @returns {Promise<any>} */
const listOf = (instance) => getJson(`instances/${encodeURIComponent(instance)}/stl/structures`);

/** @param {string} instance */
const seriesOf = async (instance) => (await import('./image-series.js')).imageSeriesOf(instance);

const source = new URLSearchParams(globalThis.location?.search ?? '').get('source')?.trim();
const list = source ? listOf(source) : null;
const series = source ? seriesOf(source) : null;
for (const asked of [list, series]) asked?.catch(() => {}); // whoever wants it is told

/**
 * @param {string} instance @returns {Promise<any>} answer of its `stl/structures`
 * @throws {import('../shared/api.js').RequestFailed}
 */
export const listOfStructures = (instance) => (list && instance === source ? list : listOf(instance));

/** @param {string} instance @returns {ReturnType<typeof import('./image-series.js').imageSeriesOf>} */
export const imagesOf = (instance) => (series && instance === source ? series : seriesOf(instance));
