/** What the address of the page names, as a list of parts: known before the first triangle is loaded. */

import { getJson, request, RequestFailed } from '../shared/api.js';
import { dicomLabToRgb, paletteColor, parseDicomLab } from '../shared/color.js';
import { date, person } from '../shared/format.js';
import { t } from '../shared/language.js';
import { knownSources } from '../shared/sources.js';
import { comparisonOf } from './comparison.js';
import { answerOf } from './first-request.js';
import { kindOf } from './kinds.js';

/** @typedef {{Rank: number, Text: string}} Note `Rank` of orthanc_stl/mesh/notes.py */

/**
 * @typedef {object} Listed a part before it is loaded
 * @property {string} id of the page's own: what links and `window.viewer` name it by
 * @property {number} number @property {string} name @property {string} group the title of its series
 * @property {import('./kinds.js').Kind} kind @property {number[]} color 0..255 @property {number} opacity 0..1
 * @property {string} mesh @property {string} info paths below Orthanc's root
 * @property {string} [body] of a POST to `mesh`
 * @property {string} instance that it is stored in, or comes from
 * @property {number} weight bytes or mL: of one kind, the larger, the sooner it is loaded
 * @property {number | null} volumeMl @property {number[][] | null} extent two corners, LPS mm
 * @property {Note[]} notes known from the list
 */

/**
 * @typedef {object} Catalogue
 * @property {string} title @property {string} about whose it is
 * @property {Listed[]} parts @property {{name: string, reason: string}[]} unusable
 * @property {string | null} source the instance whose structures these are; null for stored models
 * @property {string | null} series the one series of stored models; null for several
 * @property {string} origin an instance to find the images by
 * @property {string} [distanceTo] the name of B, where the first part is A colored by its distance to it
 */

const safe = encodeURIComponent;

/** @param {string} path @returns {Promise<any>} null where it may not be seen or is not there */
const optional = (path) => getJson(path).catch(() => null);

/** @param {string} path @returns {Promise<string>} empty where it may not be seen or is not there */
const optionalText = (path) => request(path).then((answer) => answer.text(), () => '');

/** @param {string} instance @returns {Promise<string>} patient, study, date */
async function aboutOf(instance) {
  const study = await answerOf(instance, 'study').catch(() => null);
  const { PatientMainDicomTags: patient = {}, MainDicomTags: tags = {} } = study ?? {};
  return [person(patient.PatientName ?? ''), tags.StudyDescription, date(tags.StudyDate ?? '')]
    .filter(Boolean).join(' · ');
}

/**
 * @param {URLSearchParams} parameters @returns {Promise<Catalogue | null>} null if the address names nothing
 * @throws {RequestFailed}
 */
export async function catalogueOf(parameters) {
  const value = (/** @type {string} */ name) => parameters.get(name)?.trim() ?? '';
  if (value('a') && value('b')) return comparisonOf(parameters, catalogueOf);
  if (value('source')) return sourceCatalogue(value('source'));
  if (value('instance')) {
    return modelsCatalogue(await withClasses(value('instance').split(',').map((id) => id.trim()).filter(Boolean)));
  }
  if (value('series')) return seriesCatalogue(value('series'));
  if (value('study')) return studyCatalogue(value('study'));
  return null;
}

/** @param {string} id of a series @returns {Promise<Catalogue>} */
async function seriesCatalogue(id) {
  const { MainDicomTags: { Modality: modality = '' }, Instances: instances } = await getJson(`series/${safe(id)}`);
  const sources = await knownSources();
  if (sources.structuresOf(modality)) return sourceCatalogue(instances[0]);
  if (sources.isModels(modality)) return modelsCatalogue(await onlyModels(instances));
  throw new RequestFailed(
    t('This series is of modality {modality}. The viewer shows 3D models (STL or OBJ, modality M3D).',
      { modality: modality || t('unknown') }), 400);
}

/** @param {string} id of a study @returns {Promise<Catalogue>} */
async function studyCatalogue(id) {
  const [series, sources] = await Promise.all([getJson(`studies/${safe(id)}/series`), knownSources()]);
  const models = series.filter((/** @type {any} */ each) => sources.isModels(each.MainDicomTags.Modality));
  const instances = await onlyModels(models.flatMap((/** @type {any} */ each) => each.Instances));
  if (!instances.length) {
    throw new RequestFailed(t('This study has no stored 3D models (STL or OBJ, modality M3D).'), 400);
  }
  return modelsCatalogue(instances);
}

/** @typedef {{id: string, sopClass: string}} Instance `sopClass` is empty where it may not be seen */

/** @param {string[]} instances Orthanc's ids @returns {Promise<Instance[]>} */
const withClasses = (instances) => Promise.all(instances.map(async (id) => ({
  id, sopClass: (await optionalText(`instances/${safe(id)}/metadata/SopClassUid`)).trim() })));

/** @param {string[]} instances @returns {Promise<Instance[]>} those that are STL, else OBJ: no MTL */
async function onlyModels(instances) {
  const [all, { stored: { STL, OBJ } }] = await Promise.all([withClasses(instances), knownSources()]);
  const found = [STL, OBJ].map((wanted) => all.filter(({ sopClass }) => ['', wanted].includes(sopClass)));
  return found.find((models) => models.length) ?? all;
}

/** @param {Instance[]} models @returns {Promise<Catalogue>} of an OBJ, its structures */
async function modelsCatalogue(models) {
  const { stored: { OBJ } } = await knownSources();
  if (models.length === 1 && models[0].sopClass === OBJ) return sourceCatalogue(models[0].id);
  const all = await Promise.all(models.map(({ id, sopClass }, i) => (
    sopClass === OBJ ? structuresOf(id) : storedPart(id, i + 1))));
  const sorted = all.flat().sort((a, b) => a.group.localeCompare(b.group) || a.number - b.number);
  const parts = sorted.map((part, i) => ({ ...part, color: part.color ?? paletteColor(i + 1) })); // as in the files
  const series = new Set(parts.map((part) => part.series));
  return {
    title: parts.length === 1 || series.size === 1 ? parts[0].group : t('{count} models', { count: parts.length }),
    about: await aboutOf(models[0].id),
    parts,
    unusable: [],
    source: null,
    series: series.size === 1 && parts.length > 1 ? parts[0].series : null,
    origin: models[0].id,
  };
}

/** @param {string} id of an OBJ among others @returns {Promise<(Listed & {series: string})[]>} */
async function structuresOf(id) {
  const { parts } = await sourceCatalogue(id);
  return parts.map((part) => ({ ...part, id: `${id}-${part.id}`, series: '' }));
}

/**
 * @param {string} id @param {number} place in the list
 * @returns {Promise<Omit<Listed, 'color'> & {color: number[] | null, series: string}>}
 */
async function storedPart(id, place) {
  const [tags, instance] = await Promise.all([optional(`instances/${safe(id)}/simplified-tags`),
    optional(`instances/${safe(id)}`)]);
  const text = (/** @type {string} */ name) => (typeof tags?.[name] === 'string' ? tags[name].trim() : '');
  const lab = parseDicomLab(tags?.RecommendedDisplayCIELabValue);
  const group = text('SeriesDescription') || text('DocumentTitle') || t('3D model');
  const opacity = Number(text('RecommendedPresentationOpacity') || NaN);
  const name = text('ContentDescription') || group;
  return {
    id,
    number: Number(text('InstanceNumber')) || place,
    name,
    group,
    kind: kindOf('', name),
    color: lab ? dicomLabToRgb(lab) : null,
    opacity: Number.isFinite(opacity) ? opacity : 1,
    mesh: `instances/${safe(id)}/stl`,
    info: `instances/${safe(id)}/stl/info`,
    instance: id,
    weight: Number(text('EncapsulatedDocumentLength')) || 0,
    volumeMl: null,
    extent: null,
    notes: [],
    series: instance?.ParentSeries ?? '',
  };
}

/** @param {string} id of an RT-STRUCT, SEG or RTDOSE @returns {Promise<Catalogue>} */
async function sourceCatalogue(id) {
  const [structures, series, about] = await Promise.all([
    answerOf(id, 'stl/structures'), answerOf(id, 'series').catch(() => null), aboutOf(id)]);
  const { SeriesDescription: description, Modality: modality } = series?.MainDicomTags ?? {};
  const title = description || t('Structures of {what}', { what: modality ?? t('a file') });
  const usable = structures.filter((/** @type {any} */ each) => each.Usable);
  if (!usable.length) {
    const reason = structures[0]?.Reason ? ` ${t('The first one')}: ${structures[0].Reason}` : '';
    throw new RequestFailed(t('This file has no structure that can be shown.') + reason, 400);
  }
  return {
    title,
    about,
    parts: usable.map((/** @type {any} */ each) => structurePart(id, each, title)),
    unusable: structures.filter((/** @type {any} */ each) => !each.Usable)
      .map((/** @type {any} */ each) => ({ name: each.Name, reason: each.Reason })),
    source: id,
    series: null,
    origin: id,
  };
}

/** @param {string} instance @param {any} structure of the listing @param {string} group @returns {Listed} */
function structurePart(instance, structure, group) {
  const kind = kindOf(structure.Type ?? '', structure.Name);
  const base = `instances/${safe(instance)}/stl/structures/${structure.Number}`;
  const extent = structure.Extent ?? null;
  const box = extent ? extent[1].reduce((/** @type {number} */ all, /** @type {number} */ high,
    /** @type {number} */ i) =>
    all * Math.max(1, high - extent[0][i]), 1) / 1000 : 0;
  return {
    id: String(structure.Number),
    number: structure.Number,
    name: structure.Name,
    group,
    kind,
    color: structure.Color ?? paletteColor(structure.Number),
    opacity: structure.Opacity ?? (kind === 'External' ? 0.15 : 1),
    mesh: `${base}.stl`,
    info: `${base}/info`,
    instance,
    weight: structure.VolumeMl ?? box,
    volumeMl: structure.VolumeMl ?? null,
    extent,
    notes: structure.Notes ?? [],
  };
}
