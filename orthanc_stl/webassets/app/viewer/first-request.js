/** The list of a source's structures, which is asked for before the page's other modules have come. */

import { getJson } from '../shared/api.js';

/** @param {string} instance @returns {Promise<any>} */
const listOf = (instance) => getJson(`instances/${encodeURIComponent(instance)}/stl/structures`);

const source = new URLSearchParams(globalThis.location?.search ?? '').get('source')?.trim();
const asked = source ? listOf(source) : null;
asked?.catch(() => {}); // whoever wants the list is told

/**
 * @param {string} instance @returns {Promise<any>} answer of its `stl/structures`
 * @throws {import('../shared/api.js').RequestFailed}
 */
export const listOfStructures = (instance) => (asked && instance === source ? asked : listOf(instance));
