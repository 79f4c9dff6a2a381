/** The tools of a Nexus model: two bars of buttons, what each does, the mouse and the keys. */

import { h, save } from '../../app/shared/dom.js';
import { fileName } from '../../app/shared/format.js';
import { t } from '../../app/shared/language.js';
import { Overlay } from '../../app/viewer/overlay.js';
import { screenshot } from '../../app/viewer/screenshot.js';
import { helpDialog, Toolbar } from '../../app/viewer/toolbar.js';
import { Sections } from './sections.js';
import { LightDirection, MeasureTool, PickPoint } from './tools.js';

const MOUSE = [['drag', 'turn'], ['right drag', 'move (also middle, or Ctrl)'], ['wheel', 'zoom'],
  ['double click', 'centre on a point'],
  ['Alt + wheel', 'size of points'], ['two fingers', 'zoom and move'], ['arrows', 'turn'],
  ['Shift + arrows', 'move'], ['+ and -', 'zoom']];

/** @typedef {import('../../app/viewer/toolbar.js').Tool} Tool */
/** @typedef {{active: boolean}} Mode a tool that takes the mouse */

export class NexusTools {
  /** @type {Record<string, Mode>} */
  modes = {};

  /** @type {Sections | null} */
  sections = null;

  panels = h('div', { class: 'panels' });

  /**
   * @param {import('./stage.js').NexusStage} stage that shows a model @param {HTMLElement} root
   * @param {'few' | 'all'} which @param {() => string[]} captions of a picture: name, then what is known
   */
  constructor(stage, root, which, captions) {
    this.stage = stage;
    this.root = root;
    this.captions = captions;
    this.overlay = new Overlay(stage, root);
    const main = which === 'all' ? this.#allTools() : [this.#home(), this.#light(), this.#projection()];
    const extra = this.#extraTools();
    this.bars = [new Toolbar(root, 'main-tools', t('Tools'), main),
      new Toolbar(root, 'extra-tools', t('Picture, window and help'), extra)];
    this.help = helpDialog([...main, ...extra].filter((tool) => tool !== null), MOUSE);
    root.append(this.panels, this.help);
    root.classList.toggle('many-tools', main.length > 8);
    this.#listen();
  }

  /** @returns {Tool} */
  #home() {
    return { id: 'home', icon: 'home', label: 'Reset the view', key: 'R', act: () => this.stage.goHome() };
  }

  /** @returns {Tool} */
  #light() {
    return { id: 'light', icon: 'light', label: 'Lighting', key: 'L', toggle: true, on: true,
      act: (on) => this.stage.setLook({ lit: on }) };
  }

  /** @returns {Tool} */
  #projection() {
    return { id: 'projection', icon: 'orthographic', label: 'Parallel projection', key: 'P', toggle: true,
      act: (on) => this.stage.setOrthographic(on) };
  }

  /** @returns {Tool[]} */
  #extraTools() {
    const full = () => void (document.fullscreenElement ? document.exitFullscreen() : this.root.requestFullscreen?.());
    return [
      { id: 'screenshot', icon: 'camera', label: 'Save a picture', key: 'S', act: () => this.#picture() },
      { id: 'fullscreen', icon: 'fullscreen', label: 'Full screen', key: 'F', act: full },
      { id: 'help', icon: 'help', label: 'Mouse and keys', key: '?', act: () => this.help.showModal() },
    ];
  }

  /** @returns {(Tool | null)[]} */
  #allTools() {
    const { stage, overlay, panels } = this;
    const sections = new Sections(stage, panels);
    this.sections = sections;
    this.modes = { measure: new MeasureTool(stage, overlay, panels), pick: new PickPoint(stage, overlay, panels),
      'light-direction': new LightDirection(stage, panels) };
    /** @type {(id: string, icon: string, label: string, key: string) => Tool} */
    const mode = (id, icon, label, key) =>
      ({ id, icon, label, key, toggle: true, act: (on) => this.#setMode(id, on) });
    return [
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
      { id: 'sections', icon: 'section', label: 'Sections', key: 'C', toggle: true,
        act: (on) => { sections.active = on; } },
      mode('measure', 'measure', 'Measure a distance', 'M'),
      mode('pick', 'pick', 'Coordinates of a point', 'I'),
    ];
  }

  /** One of them at a time: they all take the mouse. @param {string} id @param {boolean} on */
  #setMode(id, on) {
    if (on) for (const other of Object.keys(this.modes)) if (other !== id) this.bars[0].use(other, false);
    this.modes[id].active = on;
  }

  async #picture() {
    const captions = this.captions();
    save(await screenshot(this.stage, this.overlay, [], captions), `${fileName(captions[0])}.png`);
  }

  #listen() {
    this.stage.canvas.addEventListener('dblclick', (event) => {
      const point = Object.values(this.modes).some((mode) => mode.active) ? null : this.stage.pick(event);
      if (point) this.stage.centreOn(point);
    });
    addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (/** @type {HTMLElement} */ (event.target).closest('input, dialog')) return;
      if (event.key === 'Escape') {
        for (const id of [...Object.keys(this.modes), ...(this.sections ? ['sections'] : [])]) {
          this.bars[0].use(id, false);
        }
      } else if (!this.bars.some((bar) => bar.press(event.key)) && !this.stage.press(event)) return;
      event.preventDefault();
    });
  }
}
