/**
 * o3dv.html?instance= | series=: the model in Online3DViewer (https://github.com/kovacsv/Online3DViewer), which gets it
 * as a file.
 */

import { RequestFailed, startPage } from './shared/api.js';
import { paletteColor } from './shared/color.js';
import { h, notice } from './shared/dom.js';
import { language, t } from './shared/language.js';
import { downloadButton } from './viewer/download.js';
import { loadFacts, loadFile, namedInstance } from './viewer/load.js';
import { loading } from './viewer/loading.js';
import { addTools, lookFromHome } from './viewer/o3dv-tools.js';

const root = /** @type {HTMLElement} */ (document.getElementById('viewer'));
const parameters = new URLSearchParams(location.search);
startPage();
document.documentElement.lang = language;

/** @param {string} title @param {string} message @param {...Node} more what can be done about it */
function fail(title, message, ...more) {
  root.replaceChildren(h('div', { class: 'centre' }, notice('error', title, message, ...more)));
}

const hasWebGl = () => Boolean(document.createElement('canvas').getContext('webgl2'));

/** @param {File} file @param {number[]} rgb @param {(viewer: any) => void} onShown gets the engine's Viewer */
function show(file, rgb, onShown) {
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  const viewer = new OV.EmbeddedViewer(root, {
    backgroundColor: dark ? new OV.RGBAColor(26, 34, 43, 255) : new OV.RGBAColor(238, 242, 246, 255),
    defaultColor: new OV.RGBColor(...rgb),
    onModelLoaded: () => {
      lookFromHome(viewer.GetViewer());
      onShown(viewer.GetViewer());
      root.dataset.ready = 'true';
    },
    onModelLoadFailed: () => fail(t('The model cannot be shown'),
      t('Online3DViewer could not read this file as an STL.')),
  });
  viewer.LoadModelFromFileList([file]);
}

async function main() {
  if (!hasWebGl()) {
    return fail(t('This browser cannot show 3D'),
      t('WebGL 2 is missing or switched off, perhaps by a graphics driver or a remote desktop.'),
      ...downloadButton(parameters));
  }
  const progress = loading(root);
  try {
    const instance = await namedInstance(parameters);
    if (!instance) {
      return fail(t('No model was named'),
        t('The address of this page must end with ?instance= and the Orthanc identifier of an STL instance.'));
    }
    const [file, facts] = await Promise.all([loadFile(instance), loadFacts(instance)]);
    document.title = `${facts.name} · Online3DViewer`;
    root.append(h('header', { class: 'card' }, h('h1', { title: facts.name, dir: 'auto' }, facts.name),
      facts.about ? h('p', { class: 'about', dir: 'auto' }, facts.about) : null));
    show(new File([file], 'model.stl'), facts.color ?? paletteColor(1), (viewer) => {
      progress.end();
      addTools(root, viewer, { name: facts.name, instance, file });
    });
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error;
    fail(t('The model cannot be shown'), error.message);
  }
  return undefined;
}

main();
