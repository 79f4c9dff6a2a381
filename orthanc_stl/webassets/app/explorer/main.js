/**
 * Our buttons in Orthanc Explorer, with the ids and the words that they have had from the beginning.
 * Called by ../../explorer.js each time that one of its pages is shown.
 */

import { getJson, request } from '../shared/api.js';
import { attachNexus, attachNifti, attachStl, chooseNexusViewer, chooseStlViewer, generate } from './dialogs.js';

const STL = '1.2.840.10008.5.1.4.1.1.104.3';
const RT_STRUCT = '1.2.840.10008.5.1.4.1.1.481.3';
const RAW_DATA = '1.2.840.10008.5.1.4.1.1.66';
const NEXUS_CREATOR = 'OrthancSTL'; // the value of (4205,0010)

/** @param {string} id of the new button @param {string} page of Orthanc Explorer @param {string} text @param {string} iconName @param {() => void} act */
function addButton(id, page, text, iconName, act) {
  const { $ } = globalThis;
  $(`#${id}`).remove();
  const button = $('<a>').attr({ id, href: '#', 'data-role': 'button', 'data-icon': iconName, 'data-theme': 'e' }).text(text);
  button.click((event) => {
    event.preventDefault();
    act();
  });
  $(`#${page}-info`).after(button);
  button.button();
}

const removeButtons = (...ids) => ids.forEach((id) => globalThis.$(`#${id}`).remove());

function studyButtons(study, options) {
  // Each goes directly below the facts of the study, so the last one ends up on top.
  if (options.EnableNexus) addButton('stl-attach-nexus', 'study', 'Attach Nexus model', 'plus', () => attachNexus(study));
  if (options.EnableNIfTI) addButton('stl-attach-nifti', 'study', 'Attach NIfTI 3D model', 'plus', () => attachNifti(study));
  addButton('stl-attach-instance', 'study', 'Attach STL model', 'plus', () => attachStl(study, options.Version));
}

const textOf = (path) => request(path).then((response) => response.text(), () => '');

/** @param {string} instance @param {'series' | 'instance'} page @param {() => boolean} shown whether that page is still there */
async function instanceButtons(instance, page, options, shown) {
  const sopClass = (await textOf(`instances/${instance}/metadata/SopClassUid`)).trim();
  const creator = sopClass === RAW_DATA && options.EnableNexus ? (await textOf(`instances/${instance}/content/4205-0010`)).replace(/[ \0]+$/, '') : '';
  if (!shown()) return;
  if (sopClass === STL) addButton(`stl-viewer-${page}`, page, 'STL viewer', 'search', () => chooseStlViewer(instance));
  if (sopClass === RT_STRUCT) addButton(`stl-generate-rtstruct-${page}`, page, 'Generate 3D model', 'gear', () => generate(instance));
  if (creator === NEXUS_CREATOR) addButton(`stl-nexus-${page}`, page, 'Nexus 3D viewer', 'search', () => chooseNexusViewer(instance));
}

/**
 * @param {'study' | 'series' | 'instance'} page that is shown now
 * @param {string} id of its resource
 * @param {{EnableNIfTI: boolean, EnableNexus: boolean, Version: string}} options
 */
export async function showButtons(page, id, options) {
  if (page === 'study') return studyButtons(id, options);
  const shown = () => globalThis.$.mobile.pageData?.uuid === id;
  removeButtons(`stl-viewer-${page}`, `stl-generate-rtstruct-${page}`, `stl-nexus-${page}`);
  if (page === 'instance') return instanceButtons(id, page, options, shown);
  const { Instances } = await getJson(`series/${id}`);
  return Instances.length === 1 ? instanceButtons(Instances[0], page, options, shown) : undefined;
}
