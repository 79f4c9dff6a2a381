/** What is read here and what is stored, as the server has it in sources/kinds.py: GET /stl/sources. */

import { getJson } from './api.js';

/** @typedef {{Key: string, Label: string, SOPClasses: string[], Modalities: string[], Suffixes: string[]}} Kind */

const IMAGES = 'images';
const MODELS = 'encapsulated';

export class Sources {
  /**
   * @param {{Sources: Kind[], Stored: Record<'STL' | 'OBJ' | 'MTL' | 'Nexus', string>, StoredModalities: string[],
   *   ShownModalities: string[], NexusCreator: string}} table
   */
  constructor({ Sources: kinds, Stored, StoredModalities, ShownModalities, NexusCreator }) {
    this.kinds = kinds;
    /** SOP classes of what is stored here. */
    this.stored = Stored;
    /** Modalities of its series. */
    this.storedModalities = StoredModalities;
    /** Modalities of images that can be shown beside models. */
    this.shownModalities = ShownModalities;
    this.nexusCreator = NexusCreator;
  }

  /** Endings of the names of files that are read: ".nii", ".nii.gz". @returns {string[]} */
  get suffixes() {
    return this.kinds.flatMap(({ Suffixes }) => Suffixes);
  }

  /** @param {string} key @param {string} sopClass */
  is(key, sopClass) {
    return this.kinds.some((kind) => kind.Key === key && kind.SOPClasses.includes(sopClass));
  }

  /** @param {string} sopClass whether such an object says where structures are, and is no model itself */
  holdsStructures(sopClass) {
    return this.kinds.some((kind) => kind.Key !== MODELS && kind.SOPClasses.includes(sopClass));
  }

  /** @param {string} modality of a series @returns {Kind | undefined} of objects with structures, no models */
  structuresOf(modality) {
    return this.kinds.find((kind) => ![IMAGES, MODELS].includes(kind.Key) && kind.Modalities.includes(modality));
  }

  /** @param {string} modality @returns {Kind | undefined} of objects with structures, or of models */
  comparableOf(modality) {
    return this.kinds.find((kind) => kind.Key !== IMAGES && kind.Modalities.includes(modality));
  }

  /** @param {string} modality whether such series are stored models (a Nexus model is none of these) */
  isModels(modality) {
    return this.kinds.some((kind) => kind.Key === MODELS && kind.Modalities.includes(modality));
  }

  /** @param {string} modality whether models are made of such images, if a series has several */
  isImages(modality) {
    return this.kinds.some((kind) => kind.Key === IMAGES && kind.Modalities.includes(modality));
  }
}

/** @type {Promise<Sources> | null} */
let asked = null;

/**
 * Asked once a page, and again after a failure.
 * @returns {Promise<Sources>} @throws {import('./api.js').RequestFailed}
 */
export function knownSources() {
  asked ??= getJson('stl/sources').then((table) => new Sources(table)).catch((error) => {
    asked = null;
    throw error;
  });
  return asked;
}
