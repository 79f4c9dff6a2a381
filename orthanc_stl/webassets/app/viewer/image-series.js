/** Which series of images belong to an instance, and where they lie. Without three.js: it is asked for before that. */

import { getJson } from '../shared/api.js';
import { t } from '../shared/language.js';
import { knownSources } from '../shared/sources.js';
import { startImageWorker } from './image-loader.js';

/** @typedef {{id: string, name: string, frame: string, uid: string, facts: any, reason: string}} ImageSeries */

const safe = encodeURIComponent;


const OTHER_FRAME = '“{name}” has another frame of reference: '
  + 'it is not known how the patient lay in it, so it is not laid over the parts.';
const TAGS = 'FrameOfReferenceUID;ReferencedFrameOfReferenceSequence;ReferencedSeriesSequence';

/**
 * Where an instance lies, and the series that it was drawn on.
 * @param {string} instance @returns {Promise<{frame: string, referenced: string}>} empty where it does not say
 */
async function placeOf(instance) {
  const { RequestedTags: tags = {} } = await getJson(`instances/${safe(instance)}?requested-tags=${TAGS}`).catch(() =>
    ({}));
  const frames = tags.ReferencedFrameOfReferenceSequence?.[0];
  const drawnOn = frames?.RTReferencedStudySequence?.[0]?.RTReferencedSeriesSequence?.[0]
    ?? tags.ReferencedSeriesSequence?.[0];
  return { frame: frames?.FrameOfReferenceUID ?? tags.FrameOfReferenceUID ?? '', referenced: drawnOn?.SeriesInstanceUID
    ?? '' };
}

/**
 * Looks through the study. What cannot be had is told as a reason, not as an error: the parts stand without images.
 * @param {string} origin an instance of the parts
 * @returns {Promise<{frame: string, all: ImageSeries[]}>} its frame of reference; series, the one it was drawn on first
 */
export async function imageSeriesOf(origin) {
  const place = placeOf(origin);
  const [study, sources] = await Promise.all([
    getJson(`instances/${safe(origin)}/study`).catch(() => null), knownSources().catch(() => null)]);
  const series = study ? await getJson(`studies/${safe(study.ID)}/series`).catch(() => []) : [];
  const images = series.filter((/** @type {any} */ each) => each.Instances.length
    && sources?.shownModalities.includes(each.MainDicomTags.Modality));
  if (images.length) startImageWorker();
  const { frame, referenced } = await place;
  /** @type {ImageSeries[]} */
  const all = await Promise.all(images.map((/** @type {any} */ each) => entryOf(each, frame)));
  const rank = (/** @type {ImageSeries} */ each) => (each.uid === referenced ? 0 : 1);
  all.sort((a, b) => rank(a) - rank(b) || b.facts.Instances.length - a.facts.Instances.length);
  await Promise.all(all.filter((each) => !each.reason).map(askGeometry));
  return { frame, all };
}

/** @param {any} series @param {string} partsFrame where the parts lie @returns {Promise<ImageSeries>} */
async function entryOf(series, partsFrame) {
  const { Modality: modality, SeriesDescription: description, SeriesNumber: number,
    SeriesInstanceUID: uid } = series.MainDicomTags;
  const { frame } = await placeOf(series.Instances[0]);
  const name = [modality, description || (number && t('Series {number}', { number }))].filter(Boolean).join(' ');
  const reason = frame && partsFrame && frame !== partsFrame ? t(OTHER_FRAME, { name }) : '';
  return { id: series.ID, name, frame, uid, facts: series, reason };
}

/** @param {ImageSeries} entry */
async function askGeometry(entry) {
  try {
    entry.facts = await getJson(`series/${safe(entry.id)}/stl/images`);
    if (!entry.facts.Stacks?.length) entry.reason = entry.facts.Reason || t('“{name}” has no parallel slices.',
      { name: entry.name });
  } catch (error) {
    entry.reason = `${entry.name}: ${/** @type {Error} */ (error).message}`;
  }
}
