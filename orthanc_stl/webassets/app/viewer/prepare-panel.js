/** The panel "Prepare": models for the printer, seen before anything is stored. */

import { pageUrl } from '../shared/api.js';
import { checkTable } from '../shared/check-table.js';
import { h, notice } from '../shared/dom.js';
import { counted, t } from '../shared/language.js';
import { asSentence, forPerson, withName } from '../shared/sentences.js';
import { narrow } from './panels.js';
import { millilitres } from './part-row.js';
import { check, number, PrepareForm } from './prepare-form.js';
import { boxOf, checkPath, downloadPrepared, factsOf, orderOf, storePrepared } from './prepare.js';
import { Preview } from './preview.js';

export class PreparePanel {
  /** How often the form was changed, and how often when the preview was asked for. */
  changes = 0;

  shownChanges = 0;

  /** The preview took the section plane away. */
  planeAside = false;

  /** @param {import('./app.js').App} app */
  constructor(app) {
    this.app = app;
    this.scene = new Preview(app);
    const separable = Boolean(app.catalogue.source) && app.parts.all.length > 1;
    this.form = new PrepareForm(separable, () => this.#cutting(), () => this.#changed());
    app.section.focus = () => (this.form.byPlane.input.checked ? boxOf(this.form.models) : null);
    this.back = h('button', { type: 'button', class: 'button', hidden: true, onclick: () =>
      app.tools.use('prepare', true) }, t('Back to "Prepare"'));
    app.section.element.append(this.back);
    this.wall = number('Thin is below (mm)', '0.1', '0.8');
    this.bed = /** @type {HTMLInputElement} */ (h('input', { class: 'part-filter', placeholder: '220, 220, 250',
      autocomplete: 'off' }));
    this.check = check('Print check');
    this.start = h('button', { type: 'button', class: 'button primary', onclick: () =>
      this.#guard(() => this.preview()) }, t('Preview'));
    this.said = h('div', { class: 'keep-said', role: 'status' });
    this.stored = h('div', { class: 'keep-said', role: 'status' });
    this.outdated = h('p', { role: 'status' });
    this.result = h('div', { class: 'keep-said' });
    this.checked = h('div', {});
    this.element = h('div', { class: 'prepare-body' },
      h('div', { class: 'row wrap' }, h('button', { type: 'button', class: 'chip', onclick: () => this.#forPrinting() },
        t('For printing')), h('span', { class: 'about' }, t('0.1 mm, largest piece, cavities filled, check'))),
      this.form.element,
      h('details', { class: 'prepare-group' }, h('summary', {}, t('Print check')),
        h('div', { class: 'prepare-fields' }, this.check.element, this.wall.element,
          h('label', { class: 'prepare-field' }, h('span', {}, t('Bed (mm)')), this.bed))),
      h('div', { class: 'row wrap' }, this.start),
      this.outdated, this.result, this.said, this.stored, this.checked);
  }

  /** The panel opens. */
  fill() {
    const { parts, partPanel } = this.app;
    const { own } = parts, { selected } = partPanel;
    const chosen = selected && own.includes(selected) ? selected : null;
    this.back.hidden = true;
    this.form.listParts(own, chosen ?? own.find((part) => part.visible && part.kind !== 'External') ?? own[0]);
  }

  #forPrinting() {
    this.form.forPrinting();
    this.check.input.checked = true;
    this.#changed();
  }

  /** The section plane is needed; on a phone its panel stands in place of this one, and tells the way back. */
  #cutting() {
    this.app.tools.use('section', true);
    this.back.hidden = this.element.checkVisibility();
    if (!this.back.hidden) this.app.panels.focus('section');
  }

  /** The form says something else than the preview, or the one that is being made. */
  #changed() {
    this.changes += 1;
    this.app.section.fit();
    this.#tellOutdated();
  }

  #tellOutdated() {
    const old = this.scene.order && this.shownChanges !== this.changes;
    this.outdated.textContent = old ? t('The preview shows what was asked for before.') : '';
  }

  /** @param {() => Promise<void>} act */
  async #guard(act) {
    if (this.busy) return;
    this.busy = true;
    this.element.setAttribute('aria-busy', 'true');
    try {
      await act();
    } catch (error) {
      this.said.replaceChildren(notice('error', '', /** @type {Error} */ (error).message));
      this.said.scrollIntoView({ block: 'nearest' });
    }
    this.busy = false;
    this.element.setAttribute('aria-busy', 'false');
  }

  /** Tells in sight what is being done. @param {string} step @param {number} [fraction] of it that is done */
  #working(step, fraction) {
    const done = fraction === undefined ? '' : ` … ${Math.round(fraction * 100)} %`;
    this.said.replaceChildren(h('progress', { value: fraction, 'aria-label': t('Progress') }), `${t(step)}${done}`);
    this.said.scrollIntoView({ block: 'nearest' });
  }

  /** Puts in the scene what would be stored, in place of the parts that it is made of. */
  async preview() {
    const { app, changes } = this;
    const wishes = this.form.wishes(() => app.section.cutPlane());
    const order = orderOf(wishes, app.catalogue);
    if (!order) throw new Error(t('Say which structure is the model.'));
    this.#working('making the preview');
    const facts = await factsOf(order);
    if (wishes.plane) {
      this.planeAside ||= app.section.active;
      app.tools.use('section', false);
    }
    await this.scene.show(order, facts.Models, [...wishes.roles.keys()]);
    this.shownChanges = changes;
    this.#tellOutdated();
    for (const each of [this.said, this.stored, this.checked]) each.replaceChildren();
    this.result.replaceChildren(this.#table(facts), this.#actions());
    this.result.scrollIntoView({ block: 'nearest' });
    this.#tellMissing();
    if (this.check.input.checked) await this.#printCheck();
  }

  /** What could not be loaded is not seen. @throws {Error} */
  #tellMissing() {
    const missing = this.scene.shown.filter(({ state }) => state === 'failed');
    if (missing.length) throw new Error(missing.map(({ name, reason }) => withName(name, forPerson(reason))).join(' '));
  }

  /** @param {{Models: any[], Skipped: any[]}} facts */
  #table({ Models: models, Skipped: skipped }) {
    const warnings = models.flatMap(({ Warnings: list }) => list ?? []);
    const told = [...new Set(warnings), ...skipped.map(({ Name, Reason }) => withName(Name, Reason))];
    return h('div', { class: 'keep-said' },
      h('ul', { class: 'prepare-result' }, ...models.map(({ Name, VolumeMl }) => h('li', {},
        h('span', { class: 'part-text', dir: 'auto' }, Name), h('strong', {}, millilitres(VolumeMl))))),
      told.length ? h('ul', { class: 'part-notes' }, ...told.map((text) => h('li', {}, asSentence(text)))) : null);
  }

  #actions() {
    const button = (/** @type {string} */ text, /** @type {() => Promise<void>} */ act, more = '') =>
      h('button', { type: 'button', class: `chip ${more}`, onclick: () => this.#guard(act) }, t(text));
    this.color = button('Colour the model', () => this.#color(!this.scene.colored));
    this.color.hidden = true;
    return h('div', { class: 'row wrap' }, button('Store', () => this.#store()),
      ...['3mf', 'stl'].map((suffix) => button(suffix.toUpperCase(), () => this.#download(suffix))),
      button('Print check', () => this.#printCheck()), this.color,
      button('Discard', async () => this.discard()));
  }

  /** @returns {Record<string, string>} of the print check @throws {Error} */
  get sizes() {
    const bed = this.bed.value.split(/[\s,;x×]+/).filter(Boolean);
    if (bed.length && bed.length !== 3) throw new Error(t('The bed has three sizes: width, depth, height.'));
    return { wall: this.wall.input.value || '0.8', ...(bed.length ? { bed: bed.join(',') } : {}) };
  }

  async #printCheck() {
    const { order } = this.scene;
    if (!order || !this.color) return;
    this.#working('checking the print');
    const { sizes } = this;
    this.checked.replaceChildren(await checkTable(checkPath(order, sizes)), h('p', { class: 'about' },
      h('span', { class: 'check-key thin' }), ` ${t('thin walls')} `, h('span', { class: 'check-key hanging' }),
      ` ${t('overhang')}`));
    this.said.replaceChildren();
    this.color.hidden = false;
    this.checkedSizes = sizes;
    await this.#color(true);
    this.checked.scrollIntoView({ block: 'nearest' });
  }

  /** @param {boolean} on in the colours of the print check whose table is shown, or in its own */
  async #color(on) {
    await this.scene.color(on && this.checkedSizes ? this.checkedSizes : null);
    this.color?.setAttribute('aria-pressed', String(on));
  }

  async #store() {
    const { order } = this.scene;
    if (!order) return;
    const answer = await storePrepared(order, (fraction, step) => this.#working(step, fraction));
    this.said.replaceChildren();
    this.stored.replaceChildren(h('p', {}, counted(answer.Models.length, '1 model was stored.',
      '{count} models were stored.')),
      h('a', { class: 'button', href: pageUrl('three.html', { series: answer.ParentSeries }) },
        t('Open the stored models')));
    this.stored.scrollIntoView({ block: 'nearest' });
  }

  /** @param {string} suffix */
  async #download(suffix) {
    const { order, shown } = this.scene;
    if (!order) return;
    this.#working('writing the file');
    await downloadPrepared(order, suffix, shown.length === 1 ? shown[0].name : order.name);
    this.said.replaceChildren();
  }

  /** The scene as it was before the preview. */
  discard() {
    if (this.result.contains(document.activeElement)) this.start.focus();
    this.scene.end();
    if (this.planeAside && !narrow.matches) this.app.tools.use('section', true);
    this.planeAside = false;
    for (const each of [this.outdated, this.result, this.said, this.stored, this.checked]) each.replaceChildren();
  }
}
