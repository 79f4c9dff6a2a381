/** The page of a Nexus model: window, tools, what is known about it, and words for what goes wrong. */

import { fileName, h, notice, save } from '../../app/shared/dom.js';
import { bytes, count, date, person } from '../../app/shared/format.js';
import { getJson, RequestFailed } from '../../app/shared/api.js';
import { t } from '../../app/shared/language.js';
import { Overlay } from '../../app/viewer/overlay.js';
import { screenshot } from '../../app/viewer/screenshot.js';
import { helpDialog, Toolbar } from '../../app/viewer/toolbar.js';
import { NexusError } from '../decoder/errors.js';
import { Sections } from './sections.js';
import { Stage } from './stage.js';
import { LightDirection, Measure, PickPoint } from './tools.js';

const MOUSE = [['drag', 'turn'], ['right drag', 'move (also middle, or Ctrl)'], ['wheel', 'zoom'],
  ['double click', 'centre on a point'],
  ['Alt + wheel', 'size of points'], ['two fingers', 'zoom and move']];

export class Viewer {
  /** @param {HTMLElement} root @param {{tools: 'few' | 'all', name?: string, instance?: string | null}} options */
  constructor(root, { tools, instance = null }) {
    Object.assign(this, { root, which: tools, instance, name: t('Nexus model'), about: '' });
    root.dataset.state = 'loading';
    this.progress = h('progress', { 'aria-label': t('Loading the model') });
    this.loading = h('div', { class: 'centre loading' }, h('div', { class: 'loading-box' }, this.progress,
      h('p', { role: 'status' }, `${t('Loading the model')} …`)));
    root.replaceChildren(this.loading);
  }

  /** Instead of the model, a sentence. */
  fail(title, message) {
    this.root.dataset.state = 'error';
    this.root.replaceChildren(h('div', { class: 'centre' }, notice('error', title, message)));
  }

  /** @param {unknown} error @returns {boolean} whether it could be put in words */
  failBy(error) {
    if (!(error instanceof RequestFailed || error instanceof NexusError)) return false;
    this.fail(t('The model cannot be shown'), error.message);
    return true;
  }

  /** @returns {boolean} */
  makeStage() {
    try {
      this.stage = new Stage(this.root);
    } catch {
      this.fail(t('This browser cannot show 3D'),
        t('WebGL 2 is missing or switched off, perhaps by a graphics driver or a remote desktop.'));
      return false;
    }
    this.stage.canvas.addEventListener('webglcontextlost', () => this.fail(t('The graphics card gave up'),
      t('It may have run out of memory. Reload the page to try again.')));
    return true;
  }

  /** @param {import('../stream/model.js').NexusModel} model */
  show(model) {
    this.model = model;
    this.#makeCard();
    model.addEventListener('trouble', ({ detail }) => this.#trouble(detail));
    this.stage.onFrame.push(() => this.#follow());
    this.stage.show(model);
  }

  /** With the first part on the screen come the tools. */
  #begin() {
    performance.mark('nexus-coarse');
    this.loading.remove();
    this.root.dataset.state = 'coarse';
    this.stage.goHome(false);
    this.#makeTools();
    this.#nameIt();
  }

  #follow() {
    if (this.root.dataset.state === 'error') return;
    const { model, root } = this;
    if (root.dataset.state === 'loading' && model.loaded.size > 0) this.#begin();
    if (root.dataset.state === 'loading') return;
    if (model.complete && root.dataset.state !== 'complete') performance.mark('nexus-complete');
    root.dataset.state = model.complete ? 'complete' : 'coarse';
    this.shown.textContent = t(model.header.attributes.index ? '{count} triangles' : '{count} points',
      { count: count(model.drawn) });
    this.received.textContent = t('{part} of {whole}',
      { part: bytes(model.source.received), whole: bytes(model.source.size) });
    this.detail.textContent = !model.complete ? t('getting finer …')
      : model.full ? t('as fine as memory allows') : t('fine');
    this.busy.hidden = model.complete;
  }

  #makeCard() {
    [this.title, this.aboutLine, this.shown, this.received, this.detail] = ['h1', 'p', 'dd', 'dd', 'dd'].map(
      (tag) => h(tag));
    this.aboutLine.className = 'about';
    this.busy = h('progress', { class: 'busy', 'aria-hidden': 'true' });
    this.card = h('header', { class: 'card' }, this.title, this.aboutLine,
      h('dl', { class: 'facts' }, h('dt', {}, t('Shown')), this.shown, h('dt', {}, t('Loaded')), this.received,
        h('dt', {}, t('Detail')), this.detail), this.busy);
    this.title.textContent = this.name;
  }

  /** From the series of the instance; nothing is lost where that may not be read. */
  async #nameIt() {
    this.root.append(this.card);
    if (!this.instance) return;
    try {
      const [series, study] = await Promise.all(
        ['series', 'study'].map((level) => getJson(`instances/${this.instance}/${level}`)));
      const { PatientMainDicomTags: patient = {}, MainDicomTags: tags = {} } = study;
      this.name = series.MainDicomTags.SeriesDescription || this.name;
      this.about = [person(patient.PatientName ?? ''), patient.PatientID, tags.StudyDescription,
        date(tags.StudyDate ?? '')].filter(Boolean).join(' · ');
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
    }
    this.title.textContent = this.name;
    this.aboutLine.textContent = this.about;
    document.title = `${this.name} · 3D model`;
  }

  #trouble({ sentence, fatal }) {
    if (fatal) {
      this.fail(t('The model cannot be shown'), sentence);
      return;
    }
    this.root.querySelector('.toast')?.remove();
    const again = h('button', { type: 'button', class: 'chip', onclick: () => {
      toast.remove();
      this.model.retry();
    } }, t('Try again'));
    const toast = h('div', { class: 'toast' }, notice('warning', t('A part of the model is missing'), sentence, again));
    this.root.append(toast);
  }

  #makeTools() {
    const { stage, root } = this;
    this.overlay = new Overlay(stage, root);
    const panels = h('div', { class: 'panels' });
    const { main, extra } = this.which === 'all' ? this.#allTools(panels) : this.#fewTools();
    this.bars = [new Toolbar(root, 'main-tools', t('Tools'), main),
      new Toolbar(root, 'extra-tools', t('Picture, window and help'), extra)];
    this.help = helpDialog([...main, ...extra].filter(Boolean), MOUSE);
    root.append(panels, this.help);
    root.classList.toggle('many-tools', main.length > 8);
    this.#listen();
  }

  #home = () => ({ id: 'home', icon: 'home', label: 'Reset the view', key: 'R', act: () => this.stage.goHome() });

  #light = () => ({ id: 'light', icon: 'light', label: 'Lighting', key: 'L', toggle: true, on: true,
    act: (on) => this.stage.setLook({ lit: on }) });

  #projection = () => ({ id: 'projection', icon: 'orthographic', label: 'Parallel projection', key: 'P', toggle: true,
    act: (on) => this.stage.setOrthographic(on) });

  #extraTools = () => [
    { id: 'screenshot', icon: 'camera', label: 'Save a picture', key: 'S', act: () => this.#picture() },
    { id: 'fullscreen', icon: 'fullscreen', label: 'Full screen', key: 'F',
      act: () => (document.fullscreenElement ? document.exitFullscreen() : this.root.requestFullscreen?.()) },
    { id: 'help', icon: 'help', label: 'Mouse and keys', key: '?', act: () => this.help.showModal() },
  ];

  #fewTools = () => ({ main: [this.#home(), this.#light(), this.#projection()], extra: this.#extraTools() });

  #allTools(panels) {
    const { stage, overlay } = this;
    this.sections = new Sections(stage, panels);
    this.modes = { measure: new Measure(stage, overlay, panels), pick: new PickPoint(stage, overlay, panels),
      'light-direction': new LightDirection(stage, panels) };
    const mode = (id, name, label, key) =>
      ({ id, icon: name, label, key, toggle: true, act: (on) => this.#setMode(id, on) });
    const main = [
      this.#home(),
      { id: 'zoom-in', icon: 'zoomIn', label: 'Zoom in', key: '+', act: () => stage.zoomBy(1.25) },
      { id: 'zoom-out', icon: 'zoomOut', label: 'Zoom out', key: '-', act: () => stage.zoomBy(0.8) },
      this.#projection(),
      { id: 'upright', icon: 'upright', label: 'Z axis upwards', key: 'U', toggle: true,
        act: (on) => stage.setUpright(on ? 'z' : 'y') },
      null,
      this.#light(),
      mode('light-direction', 'lightDirection', 'Direction of the light', 'D'),
      { id: 'solid', icon: 'solid', label: 'One solid colour', key: 'O', toggle: true,
        act: (on) => stage.setLook({ solid: on }) },
      null,
      { id: 'sections', icon: 'section', label: t('Sections'), key: 'C', toggle: true,
        act: (on) => { this.sections.active = on; } },
      mode('measure', 'measure', 'Measure a distance', 'M'),
      mode('pick', 'pick', 'Coordinates of a point', 'I'),
    ];
    return { main, extra: this.#extraTools() };
  }

  /** One of them at a time: they all take the mouse. */
  #setMode(id, on) {
    if (on) for (const other of Object.keys(this.modes)) if (other !== id) this.bars[0].use(other, false);
    this.modes[id].active = on;
  }

  async #picture() {
    save(await screenshot(this.stage, this.overlay, [], [this.name, this.about].filter(Boolean)),
      `${fileName(this.name)}.png`);
  }

  #listen() {
    this.stage.canvas.addEventListener('dblclick', (event) => {
      const point = Object.values(this.modes ?? {}).some((mode) => mode.active) ? null : this.stage.pick(event);
      if (point) this.stage.centreOn(point);
    });
    addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, dialog')) return;
      if (event.key === 'Escape') {
        for (const id of [...Object.keys(this.modes ?? {}), ...(this.sections ? ['sections'] : [])]) {
          this.bars[0].use(id, false);
        }
      } else if (!this.bars.some((bar) => bar.press(event.key))) return;
      event.preventDefault();
    });
  }
}

