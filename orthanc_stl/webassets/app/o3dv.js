/** o3dv.html?instance= | series=: the model in Online3DViewer (https://github.com/kovacsv/Online3DViewer), which gets it as a file. */

import { RequestFailed, startPage } from './shared/api.js';
import { DEFAULT_RGB } from './shared/color.js';
import { h, notice } from './shared/dom.js';
import { downloadButton } from './viewer/download.js';
import { loadFacts, loadFile, namedInstance } from './viewer/load.js';
import { loading } from './viewer/loading.js';

const { OV } = globalThis;
const root = document.getElementById('viewer');
const parameters = new URLSearchParams(location.search);
startPage();

/** @param {...Node} more what can be done about it */
function fail(title, message, ...more) {
  root.replaceChildren(h('div', { class: 'centre' }, notice('error', title, message, ...more)));
}

const hasWebGl = () => Boolean(document.createElement('canvas').getContext('webgl2'));

/** Online3DViewer turns STL models so that z (superior) is its y; anterior is its z then, and one looks from there. */
function lookFromFront(viewer) {
  const sphere = viewer.GetBoundingSphere(() => true);
  const { x, y, z } = sphere.center;
  const eye = new OV.Coord3D(x + 0.42 * sphere.radius, y + 0.28 * sphere.radius, z + sphere.radius);
  viewer.SetCamera(new OV.Camera(eye, new OV.Coord3D(x, y, z), new OV.Coord3D(0, 1, 0), 30));
  viewer.FitSphereToWindow(sphere, false);
}

/** @param {File} file @param {number[]} rgb @param {() => void} onShown */
function show(file, rgb, onShown) {
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  const viewer = new OV.EmbeddedViewer(root, {
    backgroundColor: dark ? new OV.RGBAColor(26, 34, 43, 255) : new OV.RGBAColor(238, 242, 246, 255),
    defaultColor: new OV.RGBColor(...rgb),
    onModelLoaded: () => {
      lookFromFront(viewer.GetViewer());
      onShown();
      root.dataset.ready = 'true';
    },
    onModelLoadFailed: () => fail('The model cannot be shown', 'Online3DViewer could not read this file as an STL.'),
  });
  viewer.LoadModelFromFileList([file]);
}

async function main() {
  if (!hasWebGl()) return fail('This browser cannot show 3D', 'WebGL 2 is missing or switched off, perhaps by a graphics driver or a remote desktop.', ...downloadButton(parameters));
  const progress = loading(root);
  try {
    const instance = await namedInstance(parameters);
    if (!instance) return fail('No model was named', 'The address of this page must end with ?instance= and the Orthanc identifier of an STL instance.');
    const [file, facts] = await Promise.all([loadFile(instance), loadFacts(instance)]);
    document.title = `${facts.name} · Online3DViewer`;
    root.append(h('header', { class: 'card' }, h('h1', { title: facts.name }, facts.name), facts.about ? h('p', { class: 'about' }, facts.about) : null));
    show(new File([file], 'model.stl'), facts.color ?? DEFAULT_RGB, progress.end);
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error;
    fail('The model cannot be shown', error.message);
  }
  return undefined;
}

main();
