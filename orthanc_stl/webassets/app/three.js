/** The basic viewer: three.html?instance= | series= and the Orthanc id of an STL model. */

import { RequestFailed } from './shared/api.js';
import { DEFAULT_RGB } from './shared/color.js';
import { fileName, h, notice, save, warningList } from './shared/dom.js';
import { count, size, volume } from './shared/format.js';
import { download, downloadButton } from './viewer/download.js';
import { isClosed, loadFacts, loadModel, namedInstance } from './viewer/load.js';
import { loading } from './viewer/loading.js';
import { Dimensions, Measure } from './viewer/measure.js';
import { Orientation } from './viewer/orientation.js';
import { Overlay } from './viewer/overlay.js';
import { screenshot } from './viewer/screenshot.js';
import { Section } from './viewer/section.js';
import { Stage } from './viewer/stage.js';
import { surfaceOf } from './viewer/surface.js';
import { helpDialog, Toolbar } from './viewer/toolbar.js';

const root = document.getElementById('viewer');
const parameters = new URLSearchParams(location.search);
document.body.classList.toggle('embedded', window.parent !== window);

/** @param {...Node} more what can be done about it */
function fail(title, message, ...more) {
  root.replaceChildren(h('div', { class: 'centre' }, notice('error', title, message, ...more)));
}

function factsOf(model, facts) {
  const list = [
    ['Size', size(model.max.map((high, i) => high - model.min[i]))],
    ['Volume', volume(model.volume)],
    ['Triangles', count(model.triangles)],
  ];
  return { list, captions: [facts.name, facts.about, list.map(([name, value]) => `${name}: ${value}`).join('   ')].filter(Boolean) };
}

function showCard(facts, list) {
  const terms = list.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]);
  root.append(h('header', { class: 'card' }, h('h1', { title: facts.name }, facts.name), facts.about ? h('p', { class: 'about' }, facts.about) : null,
    h('dl', { class: 'facts' }, ...terms), facts.warnings.length ? warningList(facts.warnings) : null));
}

function buildTools(stage, instance, model, facts, captions) {
  const overlay = new Overlay(stage, root);
  const orientation = new Orientation(stage, root);
  const panels = h('div', { class: 'panels' });
  const section = new Section(stage, panels, model);
  const measure = new Measure(stage, overlay, panels);
  const dimensions = new Dimensions(stage, overlay, model);
  const picture = async () => save(await screenshot(stage, overlay, orientation.letters(), captions), `${fileName(facts.name)}.png`);
  const main = [
    { id: 'home', icon: 'home', label: 'Reset the view', key: 'R', act: () => stage.goHome() },
    { id: 'projection', icon: 'orthographic', label: 'Parallel projection', key: 'P', toggle: true, act: (on) => stage.setOrthographic(on) },
    { id: 'wireframe', icon: 'wireframe', label: 'Wireframe', key: 'W', toggle: true, act: (on) => stage.setWireframe(on) },
    null,
    { id: 'section', icon: 'section', label: 'Section plane', key: 'C', toggle: true, act: (on) => { section.active = on; } },
    { id: 'measure', icon: 'measure', label: 'Measure a distance', key: 'M', toggle: true, act: (on) => { measure.active = on; } },
    { id: 'dimensions', icon: 'dimensions', label: 'Dimensions', key: 'D', toggle: true, act: (on) => { dimensions.active = on; } },
  ];
  const extra = [
    { id: 'screenshot', icon: 'camera', label: 'Save a picture', key: 'S', act: () => picture() },
    { id: 'download', icon: 'download', label: 'Download the STL file', key: 'L', act: () => download(instance).catch((error) => alertOnce(error.message)) },
    { id: 'fullscreen', icon: 'fullscreen', label: 'Full screen', key: 'F', act: () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen?.()) },
    { id: 'help', icon: 'help', label: 'Mouse and keys', key: '?', act: () => help.showModal() },
  ];
  const bars = [new Toolbar(root, 'main-tools', 'Tools', main), new Toolbar(root, 'extra-tools', 'Picture, file and help', extra)];
  const help = helpDialog([...main, ...extra].filter(Boolean));
  root.append(panels, help);
  return { bars, measure };
}

function alertOnce(message) {
  root.querySelector('.toast')?.remove();
  const toast = h('div', { class: 'toast' }, notice('error', '', message));
  root.append(toast);
  setTimeout(() => toast.remove(), 8000);
}

function listenToKeys(stage, { bars }) {
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, dialog')) return;
    if (event.key === 'Escape') ['section', 'measure'].forEach((id) => bars[0].use(id, false));
    else if (!stage.press(event) && !bars.some((bar) => bar.press(event.key))) return;
    event.preventDefault();
  });
}

function newStage() {
  try {
    return new Stage(root);
  } catch {
    fail('This browser cannot show 3D', 'WebGL 2 is missing or switched off, perhaps by a graphics driver or a remote desktop.', ...downloadButton(parameters));
    return null;
  }
}

async function main() {
  const stage = newStage();
  if (!stage) return undefined;
  stage.canvas.addEventListener('webglcontextlost', () => fail('The graphics card gave up', 'It may have run out of memory. Reload the page to try again.', ...downloadButton(parameters)));
  const progress = loading(root);
  try {
    const instance = await namedInstance(parameters);
    if (!instance) return fail('No model was named', 'The address of this page must end with ?instance= and the Orthanc identifier of an STL instance.');
    const [model, facts] = await Promise.all([loadModel(instance, progress.show), loadFacts(instance)]);
    progress.end();
    document.title = `${facts.name} · 3D model`;
    const { list, captions } = factsOf(model, facts);
    stage.show(surfaceOf(model, facts.color ?? DEFAULT_RGB));
    showCard(facts, list);
    const tools = buildTools(stage, instance, model, facts, captions);
    listenToKeys(stage, tools);
    stage.canvas.addEventListener('dblclick', (event) => {
      const point = tools.measure.active ? null : stage.pick(event);
      if (point) stage.centreOn(point);
    });
    root.dataset.ready = 'true';
    if (await isClosed(instance, model.triangles)) return undefined;
    root.querySelector('.card').append(notice('warning', '', 'The surface is not closed: its volume is a rough figure.'));
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error;
    fail('The model cannot be shown', error.message);
  }
  return undefined;
}

main();
