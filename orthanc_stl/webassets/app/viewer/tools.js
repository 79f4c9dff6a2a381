/** The tools: two bars of buttons, what each does, and the keys. */

import { save } from '../shared/dom.js';
import { fileName } from '../shared/format.js';
import { t } from '../shared/language.js';
import { keepPanel } from './keep-panel.js';
import { linkOf } from './link.js';
import { numbersDialog } from './numbers.js';
import { narrow } from './panels.js';
import { picture } from './picture.js';
import { PreparePanel } from './prepare-panel.js';
import { helpDialog, Toolbar } from './toolbar.js';

/** @typedef {import('./app.js').App} App */
/** @typedef {import('./toolbar.js').Tool} Tool */

/** Tools that open a panel. */
const PANELS = ['parts', 'section', 'slices', 'measure', 'keep', 'prepare'];

/** Of these, those whose fields are where the keyboard goes next. */
const FORMS = ['section', 'keep', 'prepare'];

/** @param {App} app */
export function buildTools(app) {
  const { stage, root, panels } = app;
  const open = (/** @type {string} */ id, /** @type {boolean} */ on) => {
    if (on && narrow.matches) for (const other of panels.others(id)) hide(other);
    panels.toggle(id, on);
  };
  /** A panel goes to make room; on the phone what its tool does goes on. @param {string} id */
  const hide = (id) => {
    panels.toggle(id, false);
    if (['parts', 'keep', 'measure', 'prepare'].includes(id)) mark(id, false);
    if (id === 'measure') app.measure.active = false;
  };
  const keep = keepPanel(app);
  const prepare = new PreparePanel(app);
  /** @type {(Tool | null)[]} */
  const main = [
    { id: 'parts', icon: 'list', label: 'List of parts', short: 'Parts', key: 'A', toggle: true,
      act: (on) => open('parts', on) },
    { id: 'home', icon: 'home', label: 'Reset the view', short: 'View', key: 'R', act: () => stage.goHome() },
    { id: 'projection', icon: 'orthographic', label: 'Parallel projection', short: 'Parallel', key: 'P', toggle: true,
      act: (on) => { stage.setOrthographic(on); app.changed(); } },
    { id: 'wireframe', icon: 'wireframe', label: 'Wireframe', short: 'Wires', key: 'W', toggle: true,
      act: (on) => { app.parts.setWireframe(on); app.section.update(); } },
    null,
    { id: 'slices', icon: 'slices', label: 'Slices of the images', short: 'Slices', key: 'I', toggle: true,
      act: (on) => { app.showSlices(on); open('slices', on && !narrow.matches); } },
    { id: 'layout', icon: 'four', label: 'Slices beside the scene', short: 'Four', key: '4', toggle: true,
      act: (on) => layout(on) },
    { id: 'section', icon: 'section', label: 'Section plane', short: 'Section', key: 'C', toggle: true,
      act: (on) => { app.section.active = on; open('section', on); app.changed(); } },
    { id: 'measure', icon: 'measure', label: 'Measure', short: 'Measure', key: 'M', toggle: true,
      act: (on) => { app.measure.active = on; stage.canvas.classList.toggle('measuring', on); open('measure', on); } },
    { id: 'prepare', icon: 'printer', label: 'Prepare for the printer', short: 'Print', key: 'E', toggle: true,
      act: (on) => { if (on) prepare.fill(); open('prepare', on); } },
  ];
  /** @type {(Tool | null)[]} */
  const extra = [
    { id: 'dimensions', icon: 'dimensions', label: 'Dimensions', short: 'Size', key: 'D', toggle: true,
      act: (on) => { app.dimensions.active = on; } },
    { id: 'undo', icon: 'undo', label: 'Undo', short: 'Revert', key: 'U',
      act: () => { if (!app.history.undo()) app.toast(t('There is nothing to undo.'), 'info'); } },
    { id: 'numbers', icon: 'table', label: 'Table of numbers', short: 'Table', key: 'N',
      act: () => numbersDialog(app) },
    { id: 'link', icon: 'link', label: 'Copy link', short: 'Link', key: 'K', act: () => copyLink(app) },
    { id: 'screenshot', icon: 'camera', label: 'Save a picture', short: 'Picture', key: 'S', act: async () =>
      save(await picture(app), `${fileName(app.catalogue.title)}.png`) },
    { id: 'keep', icon: 'download', label: app.catalogue.source ? 'Store and download' : 'Download', short: 'Keep',
      key: 'L', toggle: true, act: (/** @type {boolean} */ on) => { open('keep', on); if (on) keep.fill(); } },
    { id: 'fullscreen', icon: 'fullscreen', label: 'Full screen', short: 'Full', key: 'F',
      act: () => void (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen?.()) },
    { id: 'help', icon: 'help', label: 'Mouse and keys', short: 'Help', key: '?', act: () => help.showModal() },
  ];
  const bars = [new Toolbar(root, 'main-tools', t('Tools'), main), new Toolbar(root, 'extra-tools',
    t('Picture, file and help'), extra)];
  const help = helpDialog(/** @type {Tool[]} */ ([...main, ...extra].filter(Boolean)));
  const use = (/** @type {string} */ id, /** @type {boolean} */ on) => bars.forEach((bar) => bar.use(id, on));
  /** The button shows a state that came another way. */
  const mark = (/** @type {string} */ id, /** @type {boolean} */ on) => {
    bars.forEach((bar) => bar.mark(id, on));
    if (id === 'section') open('section', on);
  };
  const layout = (/** @type {boolean} */ on) => {
    if (on && !app.slices.stack) use('slices', true);
    app.views.layout = on ? 'four' : 'one';
    app.changed();
  };
  panels.add('parts', t('Parts'), app.partPanel.element, () => use('parts', false));
  panels.add('section', t('Section plane'), app.section.element, () => use('section', false));
  panels.add('slices', t('Slices'), app.slicePanel.element, () => panels.toggle('slices', false));
  panels.add('measure', t('Measure'), app.measure.element, () => use('measure', false));
  panels.add('prepare', t('Prepare'), prepare.element, () => use('prepare', false));
  panels.add('keep', t('Store and download'), keep.element, () => use('keep', false));
  for (const id of ['slices', 'layout']) bars[0].show(id, false);
  const beside = !narrow.matches && !(document.body.classList.contains('embedded') && app.parts.all.length === 1);
  if (beside) use('parts', true);
  listenToKeys(app, bars, use);
  return { elements: [...bars.map((bar) => bar.element), help], use, mark,
    offer: (/** @type {string[]} */ ...ids) => ids.forEach((id) => bars[0].show(id, true)) };
}

/** @param {App} app @param {Toolbar[]} bars @param {(id: string, on: boolean) => void} use */
function listenToKeys(app, bars, use) {
  addEventListener('keydown', (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'z'
      && !target.closest('input[type=search], input[type=number]')) {
      app.history.undo();
      event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey
      || target.closest('input:not([type=checkbox]), select, dialog')) return;
    const open = FORMS.filter((id) => app.panels.isOpen(id));
    if (event.key === 'Escape') PANELS.filter((id) => id !== 'parts' && id !== 'slices').forEach((id) =>
      use(id, false));
    else if (event.key === 'Enter' && target === app.stage.canvas
      && app.measure.active) app.click(app.hitAt(middleOf(app.stage.canvas)));
    else if (!app.stage.press(event) && !bars.some((bar) => bar.press(event.key))) return;
    event.preventDefault();
    const opened = FORMS.find((id) => app.panels.isOpen(id) && !open.includes(id));
    if (opened) app.panels.focus(opened);
    else if (open.some((id) => !app.panels.isOpen(id))) app.stage.canvas.focus();
  });
}

/**
 * Where the keyboard clicks: the middle of the view, which the arrows move the scene under.
 * @param {HTMLCanvasElement} canvas
 */
function middleOf(canvas) {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  return { clientX: left + width / 2, clientY: top + height / 2 };
}

/** @param {App} app */
async function copyLink(app) {
  const link = linkOf(app.state());
  try {
    await navigator.clipboard.writeText(link);
    app.toast(t('The link to this view was copied.'), 'info');
  } catch {
    // Without a secure connection browsers give no clipboard: the address bar has the link.
    history.replaceState(history.state, '', link);
    app.toast(t('The address of this page is the link now: copy it from the address bar.'), 'info');
  }
}
