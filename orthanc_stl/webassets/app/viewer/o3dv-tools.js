/** The tools of Online3DViewer's page: what its engine can do, and a way to the viewer with the rest. */

import { pageUrl } from '../shared/api.js';
import { h, icon, save } from '../shared/dom.js';
import { fileName } from '../shared/format.js';
import { t } from '../shared/language.js';
import { lettersOf } from './letters.js';
import { helpDialog, Toolbar } from './toolbar.js';

/** @typedef {import('./toolbar.js').Tool} Tool */

/** From the middle of the model towards the eye, LPS. The key is the letter of the side. */
const SIDES = /** @type {[string, number[]][]} */ ([
  ['Anterior', [0, -1, 0]], ['Posterior', [0, 1, 0]], ['Left', [1, 0, 0]], ['Right', [-1, 0, 0]],
  ['Superior', [0, 0, 1]], ['Inferior', [0, 0, -1]]]);
const HOME = [0.42, -1, 0.28];
const FIELD_OF_VIEW = 30; // degrees
const EDGES = 1; // degrees between two triangles from which on the edge between them is drawn
const MOUSE = [['drag', 'turn'], ['right drag', 'move'], ['wheel', 'zoom']];

/** Online3DViewer turns STL models so that superior is its y; anterior is its z then. @param {number[]} lps */
const turned = ([x, y, z]) => [x, z, -y];

/** @param {{x: number, y: number, z: number}} of Online3DViewer @returns {number[]} LPS */
const turnedBack = ({ x, y, z }) => [x, -z, y];

/**
 * @param {any} viewer the engine's Viewer, with its model @param {number[]} direction towards the eye, LPS
 */
export function lookFrom(viewer, direction) {
  const { OV } = /** @type {any} */ (globalThis);
  const sphere = viewer.GetBoundingSphere(() => true);
  const { x, y, z } = sphere.center;
  const along = turned(direction).map((value) => value * sphere.radius);
  // Straight from above or below, the front of the body decides what is up.
  const up = direction[0] === 0 && direction[1] === 0 ? new OV.Coord3D(0, 0, -Math.sign(direction[2]))
    : new OV.Coord3D(0, 1, 0);
  const eye = new OV.Coord3D(x + along[0], y + along[1], z + along[2]);
  viewer.SetCamera(new OV.Camera(eye, new OV.Coord3D(x, y, z), up, FIELD_OF_VIEW));
  viewer.FitSphereToWindow(sphere, false);
}

/** @param {any} viewer */
export const lookFromHome = (viewer) => lookFrom(viewer, HOME);

/**
 * @param {HTMLElement} root of the page @param {any} viewer the engine's Viewer, with its model
 * @param {{name: string, instance: string, file: Blob}} model
 */
export function addTools(root, viewer, { name, instance, file }) {
  const { OV } = /** @type {any} */ (globalThis);
  const edges = (/** @type {boolean} */ on) =>
    viewer.SetEdgeSettings(new OV.EdgeSettings(on, new OV.RGBColor(0, 0, 0), EDGES));
  /** @type {Tool[]} */
  const tools = [
    { id: 'home', icon: 'home', label: 'Reset the view', short: 'View', key: 'E', act: () => lookFromHome(viewer) },
    { id: 'projection', icon: 'orthographic', label: 'Parallel projection', short: 'Parallel', key: 'O', toggle: true,
      act: (on) => {
        viewer.SetProjectionMode(on ? OV.ProjectionMode.Orthographic : OV.ProjectionMode.Perspective);
        viewer.Render();
      } },
    { id: 'wireframe', icon: 'wireframe', label: 'Edges of the triangles', short: 'Edges', key: 'W', toggle: true,
      act: edges },
    { id: 'screenshot', icon: 'camera', label: 'Save a picture', short: 'Picture', key: 'C',
      act: () => savePicture(viewer, name) },
    { id: 'download', icon: 'download', label: 'Download the STL file', short: 'File', key: 'D',
      act: () => save(file, `${fileName(name)}.stl`) },
    { id: 'fullscreen', icon: 'fullscreen', label: 'Full screen', short: 'Full', key: 'F',
      act: () => void (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen?.()) },
    { id: 'help', icon: 'help', label: 'Mouse and keys', short: 'Help', key: '?', act: () => help.showModal() },
  ];
  const bar = new Toolbar(root, 'main-tools', t('Tools'), tools);
  const help = helpDialog(tools, MOUSE);
  const sides = h('div', { class: 'toolbar side-tools', role: 'toolbar', 'aria-label': t('Look at the model from') },
    ...SIDES.map(([side, direction]) => h('button', { type: 'button', class: 'tool', 'aria-label': t(side),
      title: t(`View from ${side.toLowerCase()}`), onclick: () => lookFrom(viewer, direction) }, side[0])));
  const more = h('a', { class: 'button more-tools', href: pageUrl('three.html', { instance }) }, icon('section'),
    t('Sections and measuring: in the 3D viewer'));
  root.append(sides, more, help);
  addLetters(root, viewer);
  addEventListener('keydown', (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest('dialog')) return;
    const side = SIDES.find(([word]) => word[0] === event.key.toUpperCase());
    if (side) lookFrom(viewer, side[1]);
    else if (!bar.press(event.key)) return;
    event.preventDefault();
  });
}

/** @param {any} viewer @param {string} name */
function savePicture(viewer, name) {
  const { width, height } = viewer.GetCanvas().getBoundingClientRect();
  const data = atob(viewer.GetImageAsDataUrl(2 * width, 2 * height, false).split(',')[1]);
  const bytes = Uint8Array.from(data, (each) => each.charCodeAt(0));
  save(new Blob([bytes], { type: 'image/png' }), `${fileName(name)}.png`);
}

/** Letters at the edges of the window say which way the patient lies. @param {HTMLElement} root @param {any} viewer */
function addLetters(root, viewer) {
  const letters = ['left', 'right', 'top', 'bottom'].map((edge) =>
    h('div', { class: `edge-letter ${edge}`, 'aria-hidden': 'true' }));
  root.append(...letters);
  let before = '';
  const update = () => {
    const { eye, center, up } = viewer.GetCamera();
    const now = JSON.stringify([eye, up, center]);
    if (now !== before) {
      before = now;
      const back = unit([eye.x - center.x, eye.y - center.y, eye.z - center.z]);
      const right = unit(cross([up.x, up.y, up.z], back)), above = cross(back, right);
      [right.map((value) => -value), right, above, above.map((value) => -value)].forEach(([x, y, z], i) => {
        letters[i].textContent = lettersOf(turnedBack({ x, y, z }));
      });
    }
    requestAnimationFrame(update);
  };
  update();
}

/** @param {number[]} a @param {number[]} b */
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

/** @param {number[]} v */
const unit = (v) => v.map((value) => value / Math.hypot(...v));
