/**
 * An STL file into a study: checked, made binary, scaled to millimetres, and stored by Orthanc's own
 * /tools/create-dicom.
 */

import { bodyWithFile, getJson, postJson } from '../shared/api.js';
import { DEFAULT_RGB, hexOf, rgbOf, rgbToDicomLab } from '../shared/color.js';
import { h, notice } from '../shared/dom.js';
import { count, size } from '../shared/format.js';
import { FilePicker } from './file-picker.js';
import { FrameChoice } from './frame-choice.js';
import { field } from './options.js';
import { stem } from './sources.js';
import { NotYet, WorkForm } from './work-form.js';
import { t } from '../shared/language.js';
import { knownSources } from '../shared/sources.js';
import { numberAfter } from './series-number.js';

/** @type {[string, number, string][]} short, millimetres, long */
const UNITS = [['mm', 1, t('millimetres')], ['cm', 10, t('centimetres')], ['m', 1000, t('metres')],
  ['in', 25.4, t('inches')], ['µm', 0.001, t('micrometres')]];

/** A model smaller or larger than this is more likely in another unit than of that size. */
const LIKELY_MM = [1, 3000];

/** What DICOM demands of a study and a patient, if only as empty values; given where the study has nothing to copy. */
const TYPE_2 = { PatientMainDicomTags: ['PatientBirthDate', 'PatientSex'],
  MainDicomTags: ['ReferringPhysicianName', 'StudyID', 'AccessionNumber'] };

/** @returns {Worker} that has the file which is checked, and converts it */
const reader = () => new Worker(new URL('stl-worker.js', import.meta.url), { type: 'module' });

export class StlForm extends WorkForm {
  /** @param {string} study Orthanc's id @param {string} version of the plugin @param {(answer: any) => void} onDone */
  constructor(study, version, onDone) {
    super(t('Import'), onDone);
    this.study = study;
    this.version = version;
    /** @type {any} what the worker found in the file */
    this.facts = null;
    /** @type {Worker | null} */
    this.worker = null;
    this.picker = new FilePicker('an STL file', '.stl,model/stl', (file) => this.check(file));
    this.description = h('input', { type: 'text', maxlength: 64, name: 'description' });
    this.unit = h('select', { name: 'unit', onchange: () => this.describe() },
      ...UNITS.map(([short, , long]) => h('option', { value: short }, `${long} (${short})`)));
    this.color = h('input', { type: 'color', value: hexOf(DEFAULT_RGB), name: 'color' });
    this.found = h('div', { class: 'found' });
    this.frame = new FrameChoice(study);
    this.fields.append(this.picker.element, this.found, field(t('Series description'), this.description),
      h('div', { class: 'options' }, field(t('Coordinates are in'), this.unit), field(t('Colour'), this.color)),
      this.frame.element);
    this.submitButton.disabled = true;
  }

  /** @param {any} message @returns {Promise<any>} */
  #ask(message) {
    return new Promise((resolve) => {
      this.worker ??= reader();
      this.worker.onmessage = ({ data }) => resolve(data);
      this.worker.onerror = () => resolve({ failure: t('The part of this page that reads models could not be started. '
        + 'Please reload the page.') });
      this.worker.postMessage(message);
    });
  }

  /** @param {File} file refused before any upload if it is no STL */
  async check(file) {
    this.worker?.terminate();
    this.worker = reader();
    this.facts = null;
    this.description.value = stem(file.name);
    this.submitButton.disabled = true;
    this.say(null);
    this.found.replaceChildren(h('p', { class: 'waiting' }, t('Checking the file …')));
    const { facts, failure } = await this.#ask({ file });
    if (this.picker.file !== file) return;
    this.found.replaceChildren();
    if (failure) return void this.say(notice('error', t('This file cannot be attached'), failure));
    this.facts = facts;
    this.submitButton.disabled = false;
    this.describe();
  }

  get #scale() {
    return (UNITS.find(([short]) => short === this.unit.value) ?? UNITS[0])[1];
  }

  /** Triangles and size, and what will be done to the file. */
  describe() {
    if (!this.facts) return;
    const scale = this.#scale;
    const { min, max, kind, triangles } = this.facts;
    const lengths = max.map((/** @type {number} */ high, /** @type {number} */ i) => (high - min[i]) * scale);
    const notes = [];
    if (kind === 'ascii') {
      notes.push(notice('info', '', t('This is a text (ASCII) STL. DICOM takes binary STL only, so it is converted '
        + 'before the upload; the shape stays the same.')));
    }
    if (scale !== 1) {
      notes.push(notice('info', '', t('All coordinates are multiplied by {scale}, because DICOM objects of this kind '
        + 'are in millimetres.', { scale })));
    }
    const longest = Math.max(...lengths);
    if (longest < LIKELY_MM[0] || longest > LIKELY_MM[1]) {
      notes.push(notice('warning', '', t('The model would be {size} large. Is the unit right?',
        { size: size(lengths) })));
    }
    this.found.replaceChildren(h('p', { class: 'found-line' },
      `${t('{count} triangles', { count: count(triangles) })}, ${size(lengths)}`), ...notes);
  }

  /** @param {import('./work-form.js').Progress} progress */
  async work(progress) {
    const { file } = this.picker;
    if (!this.facts || !file) throw new NotYet('Choose an STL file first.');
    const description = this.description.value.trim() || stem(file.name);
    progress.show(null, 'preparing the file');
    const stl = await this.#binary(file);
    const path = `studies/${encodeURIComponent(this.study)}`;
    const [study, series, { storedModalities }] = await Promise.all([
      getJson(path), getJson(`${path}/series`), knownSources()]);
    const number = numberAfter(series.map((/** @type {any} */ one) => one.MainDicomTags), storedModalities);
    const tags = { ...this.#tags(description, stl.size), SeriesNumber: String(number), ...missing(study) };
    const body = await bodyWithFile('Content', 'data:model/stl;base64,', stl, { Parent: this.study, Tags: tags });
    progress.signal.throwIfAborted();
    return postJson('tools/create-dicom', body, { signal: progress.signal,
      onProgress: (fraction) => (
        fraction < 1 ? progress.show(fraction, 'uploading') : progress.show(null, 'storing')) });
  }

  /** The file as it is where it can be, else rewritten. @param {File} file @returns {Promise<Blob>} */
  async #binary(file) {
    if (this.facts.exact && this.#scale === 1) return file;
    const header = `Orthanc STL plugin ${this.version}, UNITS=mm`;
    const { stl, failure } = await this.#ask({ convert: { scale: this.#scale, header } });
    if (failure) throw new NotYet(failure);
    return new Blob([stl]);
  }

  /**
   * What makes the object conform to the standard: Orthanc itself writes only what it cannot do without.
   * @param {string} description @param {number} bytes
   */
  #tags(description, bytes) {
    return {
      SeriesDescription: description, InstanceNumber: '1', DocumentTitle: description,
      ContentDescription: description.slice(0, 64), Manufacturer: 'Orthanc STL plugin',
      ManufacturerModelName: 'Orthanc STL plugin', DeviceSerialNumber: '1', SoftwareVersions: this.version,
      FrameOfReferenceUID: this.frame.uid || newUid(), PositionReferenceIndicator: '', AcquisitionDateTime: '',
      BurnedInAnnotation: 'NO', ConceptNameCodeSequence: [],
      MeasurementUnitsCodeSequence: [{ CodeValue: 'mm', CodingSchemeDesignator: 'UCUM', CodeMeaning: 'mm' }],
      EncapsulatedDocumentLength: String(bytes),
      RecommendedDisplayCIELabValue: rgbToDicomLab(rgbOf(this.color.value)).join('\\'),
    };
  }
}

/** Empty values for what DICOM wants and the study does not have. @param {any} study */
function missing(study) {
  const names = Object.entries(TYPE_2).flatMap(([level, tags]) => tags.filter((tag) => !(tag in (study[level] ?? {}))));
  return Object.fromEntries(names.map((name) => [name, '']));
}

/** A new UID by PS3.5 B.2: "2.25." and a random UUID as a number. (crypto.randomUUID is missing on plain HTTP.) */
function newUid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return `2.25.${BigInt(`0x${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`)}`;
}
