/**
 * Our buttons in Orthanc Explorer, with the ids and the words that they have had from the beginning.
 * Called by ../../explorer.js each time that one of its pages is shown.
 */

import { countSlices } from '../forms/sources.js';
import { getJson, pageUrl, request } from '../shared/api.js';
import { t } from '../shared/language.js';
import { knownSources } from '../shared/sources.js';
import { attachNexus, attachNifti, attachStl, chooseNexusViewer, chooseStlViewer, download, generateOfImages,
  generateOfInstance } from './dialogs.js';
import { showPictures } from './pictures.js';

/**
 * @param {string} id of the new button @param {string} page of Orthanc Explorer
 * @param {string} text English @param {string} iconName @param {() => void} act
 */
function addButton(id, page, text, iconName, act) {
  $(`#${id}`).remove();
  const button = $('<a>').attr({ id, href: '#', 'data-role': 'button', 'data-icon': iconName, 'data-theme': 'e' });
  button.text(t(text)).click((/** @type {Event} */ event) => {
    event.preventDefault();
    act();
  });
  $(`#${page}-info`).after(button);
  button.button();
}

/** @param {...string} ids */
const removeButtons = (...ids) => ids.forEach((id) => $(`#${id}`).remove());

/** A page of ours in a tab of its own. @param {string} page @param {Record<string, string>} query */
const openPage = (page, query) => void window.open(pageUrl(page, query), '_blank', 'noopener');

/** @param {string} page @param {string} id @param {Record<string, string>} query of the page that makes models */
const addGenerate = (page, id, query) => addButton(id, page, 'Generate 3D model', 'gear',
  () => openPage('generate.html', query));

/** @param {string} page @param {string} id @param {Record<string, string>} query of the viewer */
const addViewer = (page, id, query) => addButton(id, page, '3D viewer', 'search', () => openPage('three.html', query));

/** @param {string} path */
const textOf = (path) => request(path).then((response) => response.text(), () => '');

/** @param {string} study @param {any} options @param {() => boolean} shown whether that page is still there */
async function studyButtons(study, options, shown) {
  // Each goes directly below the facts of the study, so the last one ends up on top.
  /** @param {string} id @param {string} text @param {() => void} act */
  const attach = (id, text, act) => addButton(`stl-attach-${id}`, 'study', text, 'plus', act);
  if (options.EnableNexus) attach('nexus', 'Attach Nexus model', () => attachNexus(study));
  if (options.EnableNIfTI) attach('nifti', 'Attach NIfTI 3D model', () => attachNifti(study));
  attach('instance', 'Attach STL model', () => attachStl(study, options.Version));
  removeButtons('stl-download-study', 'stl-generate-study', 'stl-viewer-study', 'stl-compare-study');
  /** @type {[any[], import('../shared/sources.js').Sources]} */
  const [series, sources] = await Promise.all([getJson(`studies/${study}/series`), knownSources()]);
  if (!shown()) return;
  const of = (/** @type {(modality: string) => unknown} */ wanted) => series
    .filter(({ MainDicomTags: { Modality } }) => wanted(Modality));
  const structures = of((modality) => sources.structuresOf(modality));
  const slices = await Promise.all(of((modality) => sources.isImages(modality))
    .map(({ Instances }) => countSlices(Instances)));
  if (!shown()) return;
  const models = of((modality) => sources.isModels(modality));
  const sides = [...structures.flatMap(({ Instances }) => Instances), ...models];
  if (sides.length > 1) {
    addButton('stl-compare-study', 'study', 'Compare structures', 'grid', () => openPage('compare.html', { study }));
  }
  if (structures.length || slices.some((count) => count > 1)) addGenerate('study', 'stl-generate-study', { study });
  if (models.length) {
    addButton('stl-download-study', 'study', 'Download 3D model', 'arrow-d',
      () => download('studies', study, 'models'));
    addViewer('study', 'stl-viewer-study', { study });
  } else if (structures.length) addViewer('study', 'stl-viewer-study', { source: structures[0].Instances[0] });
}

/**
 * @param {string} instance @param {'series' | 'instance'} page @param {any} options
 * @param {() => boolean} shown whether that page is still there
 */
async function instanceButtons(instance, page, options, shown) {
  const [text, sources] = await Promise.all([textOf(`instances/${instance}/metadata/SopClassUid`), knownSources()]);
  const sopClass = text.trim();
  const { STL, OBJ, Nexus } = sources.stored;
  const creator = sopClass === Nexus && options.EnableNexus ? await textOf(`instances/${instance}/content/4205-0010`)
    : '';
  if (!shown()) return;
  if (sopClass === STL) addButton(`stl-viewer-${page}`, page, 'STL viewer', 'search', () => chooseStlViewer(instance));
  if (sopClass === OBJ) addViewer(page, `stl-scene-${page}`, { instance });
  if ([STL, OBJ].includes(sopClass)) addGenerate(page, `stl-generate-rtstruct-${page}`, { instance });
  if (sources.holdsStructures(sopClass)) {
    addButton(`stl-generate-rtstruct-${page}`, page, 'Generate 3D model', 'gear',
      () => generateOfInstance(instance, sopClass));
    addViewer(page, `stl-scene-${page}`, { source: instance });
  }
  if (creator.replace(/[ \0]+$/, '') === sources.nexusCreator) {
    addButton(`stl-nexus-${page}`, page, 'Nexus 3D viewer', 'search', () => chooseNexusViewer(instance));
  }
}

/** @param {string} series @param {any} options @param {() => boolean} shown whether that page is still there */
async function seriesButtons(series, options, shown) {
  const [{ Instances, MainDicomTags: { Modality, SeriesDescription } }, sources] = await Promise.all([
    getJson(`series/${series}`), knownSources()]);
  if (!shown()) return;
  const several = Instances.length > 1;
  const only = several ? '' : await textOf(`instances/${Instances[0]}/metadata/SopClassUid`);
  if (!shown()) return;
  if (sources.isModels(Modality) && only.trim() !== sources.stored.MTL) { // an MTL has colours alone
    addButton('stl-download-series', 'series', 'Download 3D model', 'arrow-d',
      () => download('series', series, SeriesDescription || 'models'));
    if (several) addViewer('series', 'stl-viewer-series', { series });
    showPictures([sources.stored.STL, sources.stored.OBJ], shown);
  }
  const generate = 'stl-generate-rtstruct-series';
  if (sources.isImages(Modality) && await countSlices(Instances) > 1) {
    if (!shown()) return;
    addButton(generate, 'series', 'Generate 3D model', 'gear', () => generateOfImages(series));
  }
  if (sources.structuresOf(Modality) && several) addGenerate('series', generate, { series });
  if (!several) await instanceButtons(Instances[0], 'series', options, shown);
}

/**
 * @param {'study' | 'series' | 'instance'} page that is shown now
 * @param {string} id of its resource
 * @param {{EnableNIfTI: boolean, EnableNexus: boolean, Version: string}} options
 */
export async function showButtons(page, id, options) {
  const shown = () => $.mobile.pageData?.uuid === id;
  if (page === 'study') return studyButtons(id, options, shown);
  removeButtons(...['viewer', 'generate-rtstruct', 'nexus', 'scene', 'download'].map((one) => `stl-${one}-${page}`));
  return page === 'instance' ? instanceButtons(id, page, options, shown) : seriesButtons(id, options, shown);
}
