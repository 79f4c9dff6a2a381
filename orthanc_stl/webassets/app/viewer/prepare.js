/** Models made ready for a printer: what a request says, where its preview is, storing and downloading it. */

import { Box3, Vector3 } from 'three';
import { getJson, postJson, request } from '../shared/api.js';
import { save } from '../shared/dom.js';
import { fileName } from '../shared/format.js';
import { follow } from '../shared/job.js';

/** @typedef {import('./parts.js').Part} Part */
/** @typedef {'model' | 'subtract' | 'intersect'} Role */
/**
 * @typedef {object} Order
 * @property {string} instance @property {Record<string, any>} options of POST /stl/encode
 * @property {string} name of what becomes models
 */

/**
 * @typedef {object} Wishes what the form says; sizes in mm, 0: not wanted
 * @property {Map<Part, Role>} roles @property {boolean} separate a model for each
 * @property {boolean} keepLargest @property {boolean} fillCavities @property {number} smooth
 * @property {number[]} margin one, or six in the order of SIDES @property {number | null} tolerance
 * @property {number} wall @property {boolean} outwards @property {number} drain
 * @property {Record<string, any> | null} label the option Label
 * @property {string} mirror "", "x", "y" or "z"
 * @property {{Point: number[], Normal: number[]} | null} plane @property {string} keep both, front or back
 * @property {number} pegDiameter @property {number} pegLength
 */

/** Of `Margin`: right, left, front, back, feet, head. */
export const SIDES = ['XMinus', 'XPlus', 'YMinus', 'YPlus', 'ZMinus', 'ZPlus'];

const safe = encodeURIComponent;

/**
 * @param {Wishes} wishes @param {import('./catalogue.js').Catalogue} catalogue
 * @returns {Order | null} null: no part is to become a model
 */
export function orderOf(wishes, catalogue) {
  const of = (/** @type {Role} */ role) => [...wishes.roles].filter(([, each]) => each === role).map(([part]) => part);
  const models = of('model');
  if (!models.length) return null;
  const name = (/** @type {Part} */ part) => (catalogue.source ? part.number : { Instance: part.instance });
  const [first, ...rest] = models;
  /** @type {Record<string, any>} */
  const options = catalogue.source ? { Structures: models.map((part) => part.number) } : { All: true };
  if (!catalogue.source && rest.length) options.Unite = rest.map(name);
  if (catalogue.source && rest.length && wishes.separate) options.Separate = true;
  for (const [key, role] of /** @type {[string, Role][]} */ ([['Subtract', 'subtract'], ['Intersect', 'intersect']])) {
    if (of(role).length) options[key] = of(role).map(name);
  }
  return { instance: catalogue.source ?? first.instance, options: { ...options, ...shapeOf(wishes, models) },
    name: models.map((part) => part.name).join(', ') };
}

/** @param {Wishes} wishes @param {Part[]} models @returns {Record<string, any>} what is done to each model */
function shapeOf(wishes, models) {
  /** @type {Record<string, any>} */
  const options = {};
  if (wishes.keepLargest) options.KeepLargest = true;
  if (wishes.fillCavities) options.FillCavities = true;
  if (wishes.smooth) options.SmoothMm = wishes.smooth;
  if (wishes.tolerance !== null) options.Tolerance = wishes.tolerance;
  if (wishes.margin.length === 1 && wishes.margin[0]) [options.Margin] = wishes.margin;
  if (wishes.margin.length > 1 && wishes.margin.some(Boolean)) {
    options.Margin = Object.fromEntries(SIDES.map((side, i) => [side, wishes.margin[i]]));
  }
  if (wishes.wall) {
    options.Shell = { Wall: wishes.wall, ...(wishes.outwards ? { Outwards: true } : {}),
      ...(wishes.drain ? { Drain: { Diameter: wishes.drain } } : {}) };
  }
  if (wishes.mirror) Object.assign(options, { Mirror: wishes.mirror, MirrorAt: middleOf(models, wishes.mirror) });
  if (wishes.label) options.Label = wishes.label;
  if (wishes.plane) {
    const pegs = wishes.pegDiameter ? { Pegs: { Diameter: wishes.pegDiameter, Length: wishes.pegLength } } : {};
    options.Cut = [{ ...wishes.plane, ...pegs, ...(wishes.keep === 'both' ? {} : { Keep: wishes.keep }) }];
  }
  return options;
}

/** @param {Part[]} parts @returns {Box3 | null} around them, LPS mm; null where nothing is known of them */
export function boxOf(parts) {
  const corners = parts.flatMap(({ extent }) => extent ?? []).map((corner) => new Vector3().fromArray(corner));
  return corners.length ? new Box3().setFromPoints(corners) : null;
}

/** @param {Part[]} parts @param {string} axis @returns {number} mm */
function middleOf(parts, axis) {
  const middle = boxOf(parts)?.getCenter(new Vector3()).toArray() ?? [0, 0, 0];
  return Math.round(middle[['x', 'y', 'z'].indexOf(axis)] * 10) / 10;
}

/** @param {Order} order @param {string} route below the instance's /stl/ @param {Record<string, string>} [more] */
function pathOf({ instance, options }, route, more = {}) {
  const query = Object.entries({ ...more, options: JSON.stringify(options) })
    .map(([key, value]) => `${key}=${safe(value)}`).join('&');
  return `instances/${safe(instance)}/stl/${route}?${query}`;
}

/** @param {Order} order @returns {Promise<{Models: any[], Skipped: any[]}>} facts on what it would make */
export const factsOf = (order) => getJson(pathOf(order, 'scene/info'));

/** @param {Order} order @param {number} part from 1 on @param {number} of how many there are */
export const meshPath = (order, part, of) => pathOf(order, 'scene.stl', of > 1 ? { part: String(part) } : {});

/**
 * @param {Order} order
 * @param {Record<string, string>} sizes `wall`, `bed` in mm @param {string} [suffix] ".ply": as a coloured model
 */
export const checkPath = (order, sizes, suffix = '') => pathOf(order, `print-check${suffix}`, sizes);

/** @param {Order} order @param {string} suffix "3mf" @param {string} title */
export async function downloadPrepared(order, suffix, title) {
  save(await (await request(pathOf(order, `scene.${suffix}`))).blob(), `${fileName(title)}.${suffix}`);
}

/** @param {Order} order @param {(fraction: number, step: string) => void} onProgress @returns {Promise<any>} */
export async function storePrepared({ instance, options }, onProgress) {
  const { ID: job } = await postJson('stl/encode', JSON.stringify({ Instance: instance, ...options,
    Asynchronous: true }));
  return follow(job, onProgress);
}
