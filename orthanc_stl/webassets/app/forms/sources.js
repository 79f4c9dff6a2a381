/** What models are made from: an instance or a series that Orthanc has, or a file of the person. */

import { bodyWithFile, bodyWithFiles, getJson, pageUrl, postJson } from '../shared/api.js';
import { knownSources } from '../shared/sources.js';

const safe = encodeURIComponent;

/**
 * @typedef {object} Source
 * @property {{contours: boolean, threshold: boolean}} kind what else can be told of it
 * @property {string | null} scene the address of a viewer of all its structures
 * @property {string} [route] that makes models of it, POST /stl/encode if not said
 * @property {string} name of the series to be made; empty: as its structures are called
 * @property {(progress: any) => Promise<any[]>} list its structures
 * @property {(threshold: number | null) => Promise<any[]>} [overview] its structures, with what grey values look like
 * @property {(fields: any) => Promise<string | Blob>} body of POST /stl/encode
 */


/**
 * @param {string} id of an instance @param {string} sopClass
 * @returns {Promise<Source>} @throws {import('../shared/api.js').RequestFailed}
 */
export async function instanceSource(id, sopClass) {
  const sources = await knownSources();
  const contours = sources.is('rtstruct', sopClass);
  return {
    kind: { contours, threshold: false },
    scene: sources.is('encapsulated', sopClass) ? null : pageUrl('three.html', { source: id }),
    name: '',
    list: () => getJson(`instances/${safe(id)}/stl/structures`),
    route: contours ? 'stl/encode-rtstruct' : 'stl/encode', // permissions name the former
    body: async ({ Structures, ...fields }) => JSON.stringify({ Instance: id, ...fields,
      [contours ? 'RoiNumbers' : 'Structures']: Structures }),
  };
}

/**
 * How many slices a series of images has: one in each instance, or the frames of the only one.
 * @param {string[]} instances @returns {Promise<number>}
 */
export async function countSlices(instances) {
  if (instances.length !== 1) return instances.length;
  return getJson(`instances/${safe(instances[0])}/frames`).then((frames) => frames.length, () => 1);
}

/** @param {string} id of a series of images @returns {Source} */
export function imagesSource(id) {
  return {
    kind: { contours: false, threshold: true },
    scene: null,
    name: '',
    list: () => getJson(`series/${safe(id)}/stl/structures`),
    body: async (fields) => JSON.stringify({ Series: id, ...fields }),
  };
}

/**
 * @param {File[]} files one, or masks, or a file and what it needs
 * @param {string} study that its models join
 * @returns {Source}
 */
export function fileSource(files, study) {
  const data = 'data:application/octet-stream;base64,';
  const [file] = files;
  const volume = files.length === 1 && /\.(nii|nii\.gz|nrrd|hdr|gz)$/i.test(file.name)
    && !/\.seg\.nrrd$/i.test(file.name);
  const body = (/** @type {object} */ fields) => (files.length > 1 ? bodyWithFiles(data, files, fields)
    : bodyWithFile('Content', data, file, { FileName: file.name, ...fields }));
  return {
    kind: { contours: false, threshold: volume },
    scene: null,
    name: stem(file.name),
    list: async ({ signal, onProgress }) => postJson('stl/structures', await body({}), { signal, onProgress }),
    overview: volume ? async (threshold) => postJson('stl/structures', await body({ Overview: true,
      ...(threshold === null ? {} : { Threshold: threshold }) })) : undefined,
    body: (fields) => body({ Parent: study, ...fields }),
  };
}

/** @param {string} name of a file @returns {string} without its ending, at most 64 characters */
export const stem = (name) => name.replace(/(\.seg)?\.[a-z0-9]{2,4}(\.gz)?$/i, '').slice(0, 64) || name.slice(0, 64);
