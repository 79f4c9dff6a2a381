/** compare.html?study= | ?a=&b=: how far the structures of two sets agree, as a table and in the viewer. */

import { choicesIn, sentenceOf, sideOf, studyOf, unlisted } from './compare/sides.js';
import { csv, notesOf, PairTable } from './compare/table.js';
import { pageUrl, postJson, startPage, stateWithToken } from './shared/api.js';
import { h, icon, notice, save } from './shared/dom.js';
import { cancel, Cancelled, follow, ProgressBar } from './shared/job.js';
import { t } from './shared/language.js';
import { Page } from './shared/page.js';
import { withName } from './shared/sentences.js';

/** @typedef {import('./compare/table.js').Pair} Pair */

/** @type {[number, string][]} */
const RESOLUTIONS = [[256, 'normal'], [128, 'quick'], [512, 'fine']];

startPage();
const parameters = new URLSearchParams(location.search);
const page = new Page(t('Compare structures'));
document.title = t('Compare structures');

/** @param {string} label @param {[string | number, string][]} options @param {string | number} chosen */
function select(label, options, chosen) {
  const list = /** @type {HTMLSelectElement} */ (h('select', { autocomplete: 'off' }, ...options.map(([value, text]) =>
    h('option', { value, selected: value === chosen }, text))));
  return { list, element: h('label', { class: 'field-with-label' }, h('span', { class: 'field-label' }, label), list) };
}

class CompareForm {
  /** @param {import('./compare/sides.js').Choice[]} choices @param {string} a @param {string} b */
  constructor(choices, a, b) {
    const options = choices.map(({ value, label }) => /** @type {[string, string]} */ ([value, label]));
    const other = choices.find(({ value }) => value !== a)?.value ?? '';
    this.a = select('A', options, a || choices[0].value);
    this.b = select('B', options, b || (a ? other : choices[1].value));
    this.resolution = select(t('Resolution'),
      RESOLUTIONS.map(([value, name]) => [value, `${value} (${t(name)})`]), 256);
    this.fields = /** @type {HTMLFieldSetElement} */ (h('fieldset', { class: 'compare-fields' }, this.a.element,
      this.b.element, this.resolution.element));
    this.button = h('button', { type: 'submit', class: 'button primary' }, t('Compare'));
    this.bar = new ProgressBar(() => this.#cancel());
    this.said = h('div', { class: 'form-message' });
    this.element = h('form', { class: 'sheet-card compare-form', onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      this.start();
    } }, this.fields, this.said, this.bar.element, h('div', { class: 'form-buttons' }, this.button));
    this.result = h('div', { class: 'comparison' });
    this.job = '';
  }

  async start() {
    const [a, b, resolution] = [this.a.list.value, this.b.list.value, Number(this.resolution.list.value)];
    const body = { A: sideOf(a), B: sideOf(b), Resolution: resolution, Asynchronous: true };
    await this.#work(async () => {
      this.bar.show(null, 'waiting for its turn');
      const { ID } = await postJson('stl/compare', JSON.stringify(body));
      const url = new URL(location.href);
      url.searchParams.delete('study');
      url.searchParams.set('a', a);
      url.searchParams.set('b', b);
      url.hash = `job=${ID}&resolution=${resolution}`;
      history.replaceState(stateWithToken(), '', url);
      return this.#follow(ID);
    });
  }

  /** A comparison that is under way or done, perhaps since before a reload. @param {string} job */
  async resume(job, resolution = '256') {
    this.resolution.list.value = resolution;
    await this.#work(() => this.#follow(job));
  }

  /** @param {string} job */
  async #follow(job) {
    this.job = job;
    return follow(job, (fraction, step) => this.bar.show(fraction, step));
  }

  /** @param {() => Promise<any>} work */
  async #work(work) {
    this.fields.disabled = true;
    this.button.hidden = true;
    this.said.replaceChildren();
    this.result.replaceChildren();
    try {
      this.#show(await work());
    } catch (error) {
      if (error instanceof Cancelled) this.said.replaceChildren(notice('info', '', t('Cancelled.')));
      else {
        this.said.replaceChildren(notice('error', t('These cannot be compared'), sentenceOf(error)));
      }
    } finally {
      this.fields.disabled = false;
      this.button.hidden = false;
      this.bar.hide();
      this.job = '';
    }
  }

  #cancel() {
    if (this.job) cancel(this.job).catch((error) => this.said.replaceChildren(notice('error', '', error.message)));
  }

  /** @param {any} answer of POST /stl/compare */
  #show(answer) {
    const shown = h('div', { class: 'shown-pair' });
    const table = new PairTable(answer.Pairs, (pair) => this.#look(pair, shown));
    const number = answer.Pairs.length;
    const title = h('h2', { tabindex: '-1' }, number === 1 ? t('One structure compared')
      : t('{count} structures compared', { count: number }));
    this.result.replaceChildren(title, table.element, h('div', { class: 'form-buttons' },
      h('button', { type: 'button', class: 'button', onclick: () =>
        save(new Blob(['\ufeff', csv(answer)], { type: 'text/csv' }), 'comparison.csv') }, icon('download'), 'CSV'),
      h('span', { class: 'about' }, t('Press a structure to see where the two differ.'))),
    shown, ...remarks(answer));
    title.focus();
  }

  /** A of a pair, colored by its distance to B. @param {Pair} pair @param {HTMLElement} place */
  #look(pair, place) {
    /** @type {Record<string, string>} */
    const query = { a: this.a.list.value, b: this.b.list.value, 'structure-a': String(pair.NumberA),
      'structure-b': String(pair.NumberB), resolution: this.resolution.list.value };
    const language = parameters.get('lang');
    const src = pageUrl('three.html', language ? { ...query, lang: language } : query);
    const name = t('{a}, by its distance to {b}', { a: `${pair.A} (A)`, b: `${pair.B} (B)` });
    const notes = notesOf(pair);
    place.replaceChildren(h('h2', { dir: 'auto' }, name),
      ...(notes.length ? [notice('warning', '', ...notes)] : []),
      h('iframe', { class: 'preview', src, title: name, allow: 'fullscreen' }),
      h('p', {}, h('a', { href: src, target: '_blank', rel: 'noopener' }, t('Open the viewer'))));
    place.scrollIntoView({ block: 'nearest' });
  }
}

/** What has no partner or no mesh, what was assumed, which different names are a pair. @param {any} answer */
function remarks(answer) {
  /** @type {[string, string[]][]} */
  const lists = [
    [t('Only in A'), answer.OnlyInA],
    [t('Only in B'), answer.OnlyInB],
    ...['A', 'B'].map((side) => /** @type {[string, string[]]} */ ([t('Cannot be meshed in {side}', { side }),
      answer[`Skipped${side}`].map((/** @type {any} */ { Name, Reason }) => withName(Name, Reason))])),
    [t('Things to know'), answer.Warnings],
  ];
  return lists.filter(([, names]) => names.length).map(([title, names]) => h('section', {}, h('h2', {}, title),
    h('ul', {}, ...names.map((name) => h('li', { dir: 'auto' }, name)))));
}

/** What the address names. */
async function main() {
  const [a, b] = ['a', 'b'].map((side) => parameters.get(side)?.trim() ?? '');
  const asked = parameters.get('study')?.trim() || (a && await studyOf(a));
  if (!asked) {
    page.show(notice('info', t('Nothing was chosen'),
      t('The address of this page must end with ?study= or ?a= and an Orthanc identifier.')));
    return;
  }
  const choices = await choicesIn(asked);
  await page.nameStudy(asked).catch(() => {});
  for (const named of [a, b]) {
    if (!named || choices.some(({ value }) => value === named)) continue;
    const elsewhere = await choicesIn(await studyOf(named));
    choices.push(...elsewhere.filter(({ value }) => value === named));
    if (!choices.some(({ value }) => value === named)) choices.push(unlisted(named));
  }
  if (choices.length < 2) {
    page.show(notice('info', t('There is nothing to compare with'),
      t('The study needs two of these: structure sets, segmentations, doses, or series of models.')));
    return;
  }
  const form = new CompareForm(choices, a, b);
  page.show(form.element, form.result);
  document.body.classList.add('wide');
  const state = new URLSearchParams(location.hash.slice(1)), job = state.get('job');
  if (job) await form.resume(job, state.get('resolution') ?? '256');
  else if (a && b) await form.start();
}

try {
  await main();
} catch (error) {
  page.fail(t('These cannot be compared'), sentenceOf(error));
}
