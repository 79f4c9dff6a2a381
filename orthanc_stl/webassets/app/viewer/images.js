/** Which series of images belong to the parts, and their stacks of slices. */

import { getJson } from '../shared/api.js';
import { t } from '../shared/language.js';
import { knownSources } from '../shared/sources.js';
import { Stack } from './stack.js';

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

export class Images {
  /** @param {string} origin an instance of the parts */
  constructor(origin) {
    this.origin = origin;
    /** @type {ImageSeries[]} of the study */
    this.all = [];
    this.frame = '';
    /** @type {Map<string, Stack>} */
    this.stacks = new Map();
  }

  /**
   * Looks through the study. What cannot be had is told as a reason, not as an error: the parts stand without images.
   */
  async find() {
    const study = await getJson(`instances/${safe(this.origin)}/study`).catch(() => null);
    if (!study) return;
    const [series, { shownModalities }] = await Promise.all([
      getJson(`studies/${safe(study.ID)}/series`).catch(() => []), knownSources()]);
    const images = series.filter((/** @type {any} */ each) => shownModalities.includes(each.MainDicomTags.Modality)
      && each.Instances.length);
    if (!images.length) return;
    const { frame, referenced } = await placeOf(this.origin);
    this.frame = frame;
    this.all = await Promise.all(images.map((/** @type {any} */ each) => this.#entry(each)));
    const rank = (/** @type {ImageSeries} */ each) => (each.uid === referenced ? 0 : 1);
    this.all.sort((a, b) => rank(a) - rank(b) || b.facts.Instances.length - a.facts.Instances.length);
    await Promise.all(this.all.filter((each) => !each.reason).map((each) => this.#ask(each)));
  }

  /** @param {any} series @returns {Promise<ImageSeries>} */
  async #entry(series) {
    const { Modality: modality, SeriesDescription: description, SeriesNumber: number,
      SeriesInstanceUID: uid } = series.MainDicomTags;
    const { frame } = await placeOf(series.Instances[0]);
    const name = [modality, description || (number && t('Series {number}', { number }))].filter(Boolean).join(' ');
    const reason = frame && this.frame && frame !== this.frame ? t(OTHER_FRAME, { name }) : '';
    return { id: series.ID, name, frame, uid, facts: series, reason };
  }

  /** Its geometry. @param {ImageSeries} entry */
  async #ask(entry) {
    try {
      entry.facts = await getJson(`series/${safe(entry.id)}/stl/images`);
      if (!entry.facts.Stacks?.length) entry.reason = entry.facts.Reason || t('“{name}” has no parallel slices.',
        { name: entry.name });
    } catch (error) {
      entry.reason = `${entry.name}: ${/** @type {Error} */ (error).message}`;
    }
  }

  /** @returns {ImageSeries[]} that can be laid over the parts, the referenced one first */
  get usable() {
    return this.all.filter((each) => !each.reason);
  }

  /** @param {ImageSeries} entry @returns {Stack} it begins to load when it is first opened */
  open(entry) {
    let stack = this.stacks.get(entry.id);
    if (!stack) {
      const matching = entry.facts.Stacks.findIndex((/** @type {any} */ each) => !this.frame
        || !each.FrameOfReferenceUID || each.FrameOfReferenceUID === this.frame);
      const index = Math.max(0, matching);
      stack = new Stack(entry.facts.Stacks[index], `series/${safe(entry.id)}/stl/images/${index}`);
      this.stacks.set(entry.id, stack);
    }
    return stack;
  }
}
