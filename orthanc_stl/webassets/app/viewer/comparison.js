/** A structure colored by its distance to another one: ?a=, ?b= and, of each, which structure. */

import { RequestFailed } from '../shared/api.js';
import { t } from '../shared/language.js';

/** @typedef {import('./catalogue.js').Catalogue} Catalogue */

const WHITE = [255, 255, 255]; // its vertices have colors of their own
const BEHIND = 0.25;

/**
 * One of the two that are compared.
 * @param {URLSearchParams} parameters @param {'a' | 'b'} side
 * @returns {{series: string | null, instance: string | null, structure: number | null}}
 */
export function sideOf(parameters, side) {
  const named = parameters.get(side)?.trim() ?? '';
  const series = named.startsWith('series/') ? named.slice('series/'.length) : null;
  const structure = Number(parameters.get(`structure-${side}`)) || null;
  return { series, instance: series ? null : named, structure };
}

/** @param {ReturnType<typeof sideOf>} side @returns {object} A or B of POST /stl/compare */
export const bodyOfSide = ({ series, instance, structure }) => ({
  ...(series ? { Series: series } : { Instance: instance }), ...(structure ? { Structure: structure } : {}) });

/**
 * @param {URLSearchParams} parameters
 * @param {(one: URLSearchParams) => Promise<Catalogue | null>} catalogueOf what one side names
 * @returns {Promise<Catalogue>} A colored, and B, faint @throws {RequestFailed}
 */
export async function comparisonOf(parameters, catalogueOf) {
  const sides = /** @type {const} */ (['a', 'b']).map((side) => sideOf(parameters, side));
  const [[a, ofA], [b]] = await Promise.all(sides.map((side) => chosen(side, catalogueOf)));
  const resolution = Number(parameters.get('resolution'));
  const body = { A: bodyOfSide(sides[0]), B: bodyOfSide(sides[1]), File: 'glb',
    ...(resolution ? { Resolution: resolution } : {}) };
  return {
    title: t('{a}, by its distance to {b}', { a: a.name, b: b.name }),
    about: ofA.about,
    parts: [
      { ...a, id: 'a', mesh: 'stl/compare', body: JSON.stringify(body), color: WHITE, opacity: 1, group: 'A',
        weight: Infinity },
      { ...b, id: 'b', opacity: BEHIND, group: 'B' }],
    unusable: [],
    source: null,
    series: null,
    origin: ofA.origin,
    distanceTo: b.name,
  };
}

/**
 * @param {ReturnType<typeof sideOf>} side @param {(one: URLSearchParams) => Promise<Catalogue | null>} catalogueOf
 * @returns {Promise<[import('./catalogue.js').Listed, Catalogue]>}
 */
async function chosen({ series, instance, structure }, catalogueOf) {
  /** @type {Record<string, string>} */
  const level = series ? { series } : structure ? { source: instance ?? '' } : { instance: instance ?? '' };
  const catalogue = await catalogueOf(new URLSearchParams(level));
  // The models of a series are numbered by their place in it.
  const part = series ? catalogue?.parts[(structure ?? 1) - 1]
    : catalogue?.parts.find(({ number }) => !structure || number === structure);
  if (!catalogue || !part) throw new RequestFailed(t('The structure that is to be compared is not there.'), 404);
  return [part, catalogue];
}
