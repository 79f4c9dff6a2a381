/** A model and what is known of it, from Orthanc. */

import { getJson, request, RequestFailed } from '../shared/api.js';
import { dicomLabToRgb, parseDicomLab } from '../shared/color.js';
import { date, person } from '../shared/format.js';
import { knownSources } from '../shared/sources.js';

/**
 * @param {URLSearchParams} parameters of the page: `instance`, or `series` for the buttons of Orthanc Explorer 2
 * @returns {Promise<string | null>} the instance to show; null if the address names none
 * @throws {RequestFailed} also for a series that holds something else
 */
export async function namedInstance(parameters) {
  if (parameters.get('instance') || !parameters.get('series')) return parameters.get('instance');
  const { MainDicomTags, Instances } = await getJson(`series/${encodeURIComponent(parameters.get('series') ?? '')}`);
  if ((await knownSources()).isModels(MainDicomTags.Modality)) return Instances[0];
  const modality = MainDicomTags.Modality ?? 'unknown';
  const sentence = `This series is of modality ${modality}. The viewer shows 3D models (STL or OBJ, modality M3D).`;
  throw new RequestFailed(sentence, 400);
}

/**
 * @param {string} instance
 * @returns {Promise<{name: string, about: string, color: number[] | null}>}
 * Whoever may see the model but not its tags gets a viewer with less text.
 */
export async function loadFacts(instance) {
  const tags = await getJson(`instances/${encodeURIComponent(instance)}/simplified-tags`).catch(() => null);
  const text = (/** @type {string} */ name) => (typeof tags?.[name] === 'string' ? tags[name].trim() : '');
  const lab = parseDicomLab(tags?.RecommendedDisplayCIELabValue);
  return {
    name: text('SeriesDescription') || text('DocumentTitle') || '3D model',
    about: [person(text('PatientName')), text('StudyDescription'), date(text('StudyDate'))]
      .filter(Boolean).join(' · '),
    color: lab && dicomLabToRgb(lab),
  };
}

/** @param {string} instance @returns {Promise<Blob>} the STL file as it is stored */
export const loadFile = async (instance) => (await request(`instances/${encodeURIComponent(instance)}/stl`)).blob();

/** @param {string} instance @returns {Promise<{file: Blob, suffix: string}>} the same, of an OBJ a zip with its MTL */
export async function loadStored(instance) {
  const path = `instances/${encodeURIComponent(instance)}`;
  const [sopClass, { stored }] = await Promise.all([
    request(`${path}/metadata/SopClassUid`).then((answer) => answer.text(), () => ''), knownSources()]);
  if (sopClass.trim() !== stored.OBJ) return { file: await loadFile(instance), suffix: 'stl' };
  return { file: await (await request(`${path}/stl/scene.obj.zip`)).blob(), suffix: 'obj.zip' };
}
