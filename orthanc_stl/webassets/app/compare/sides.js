/** What can be compared: the structure sets, segmentations and doses of a study, and its series of models. */

import { getJson, RequestFailed } from '../shared/api.js';
import { date } from '../shared/format.js';
import { t } from '../shared/language.js';
import { knownSources } from '../shared/sources.js';

const safe = encodeURIComponent;

/**
 * @typedef {{value: string, label: string}} Choice `value`: as `?a=` names it, an instance or "series/" and a series
 */

/** @param {string} named an instance or "series/" and a series @returns {Promise<string>} its study */
export async function studyOf(named) {
  const [level, id] = named.startsWith('series/') ? ['series', named.slice('series/'.length)] : ['instances', named];
  return (await getJson(`${level}/${safe(id)}/study`)).ID;
}

/** @param {string} named @returns {object} A or B of POST /stl/compare */
export const sideOf = (named) => (named.startsWith('series/') ? { Series: named.slice('series/'.length) }
  : { Instance: named });

/** @param {string} study @returns {Promise<Choice[]>} the oldest first @throws {RequestFailed} */
export async function choicesIn(study) {
  /** @type {[any[], import('../shared/sources.js').Sources]} */
  const [series, sources] = await Promise.all([getJson(`studies/${safe(study)}/series`), knownSources()]);
  const kind = (/** @type {string} */ modality) => t(sources.comparableOf(modality)?.Label ?? '');
  return series.filter(({ MainDicomTags: tags }) => sources.comparableOf(tags.Modality))
    .sort((a, b) => moment(a).localeCompare(moment(b)))
    .flatMap(({ ID, Instances, MainDicomTags: tags }) => {
      const label = (/** @type {string} */ place) => [`${tags.SeriesDescription || kind(tags.Modality)}${place}`,
        tags.SeriesDescription ? kind(tags.Modality) : '', tags.Manufacturer, date(tags.SeriesDate ?? '')]
        .filter(Boolean).join(' · ');
      if (sources.isModels(tags.Modality)) return [{ value: `series/${ID}`, label: label('') }];
      return Instances.map((/** @type {string} */ id, /** @type {number} */ i) => ({ value: id,
        label: label(Instances.length > 1 ? ` ${i + 1}` : '') }));
    });
}

/** @param {any} series */
const moment = ({ MainDicomTags: tags }) => `${tags.SeriesDate ?? ''}${tags.SeriesTime ?? ''}`;

/** @param {string} named that is in no list: an object of another kind, or of a study that may not be seen */
export const unlisted = (named) => ({ value: named, label: t('The object of the address') });

/** @param {unknown} error @returns {string} its sentence, if it is one of a request; others are thrown again */
export function sentenceOf(error) {
  if (error instanceof RequestFailed) return error.message;
  throw error;
}
