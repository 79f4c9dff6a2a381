/** attach.html?study=: any model or volume into a study. What a file is, is found out when it is dropped. */

import { FilePicker } from './forms/file-picker.js';
import { waiting } from './forms/generate-form.js';
import { recognise } from './forms/recognise.js';
import { resultView } from './forms/result.js';
import { StlForm } from './forms/stl-form.js';
import { FileForm, NexusForm } from './forms/upload-forms.js';
import { getJson, RequestFailed, startPage, stateWithToken } from './shared/api.js';
import { h, notice } from './shared/dom.js';
import { t } from './shared/language.js';
import { Page } from './shared/page.js';
import { knownSources } from './shared/sources.js';

startPage();
const study = new URLSearchParams(location.search).get('study') ?? '';
const page = new Page(t('Attach a 3D model'));

/**
 * The forms stay one step back; the answer survives a reload.
 * @param {'stl' | 'nexus'} kind @param {string} verb
 * @returns {(answer: any) => void} shows what was stored
 */
const ended = (kind, verb) => (answer) => {
  const number = answer.Models?.length ?? 1;
  const headline = number > 1 ? t('{count} models are ready', { count: number }) : t(`The model ${verb}`);
  history.replaceState(stateWithToken(), '', location.pathname + location.search);
  history.pushState(stateWithToken({ kind, headline, answer }), '', `#model=${answer.ID}`);
  showResult(history.state);
};

/** One place to drop a file on, and the form that suits it. */
class Attach {
  /** @param {any} settings of this Orthanc @param {string[]} suffixes of the names of files that are read */
  constructor(settings, suffixes) {
    this.settings = settings;
    this.suffixes = suffixes;
    this.kinds = [...suffixes, ...(settings.EnableNexus ? ['.nxs', '.nxz'] : [])].join(', ');
    this.picker = new FilePicker('a file', '', (file, files) => this.choose(files), true);
    this.said = h('div', { class: 'form-message' });
    this.card = h('div', { class: 'sheet-card work-form' }, this.picker.element,
      h('p', { class: 'help-text' }, t('{kinds}: what it is, is found out from the file.', { kinds: this.kinds }),
        ` ${t('Several NIfTI or NRRD masks at once become a structure each.')}`), this.said);
    /** @type {StlForm | NexusForm | FileForm | null} */
    this.form = null;
  }

  /** @param {string} kind @returns {StlForm | NexusForm | FileForm} */
  #newForm(kind) {
    if (kind === 'stl') return new StlForm(study, this.settings.Version, ended('stl', 'was stored'));
    if (kind === 'nexus') return new NexusForm(study, ended('nexus', 'was stored'));
    return new FileForm(study, { onDone: ended('stl', 'is ready'),
      onJob: (uuid) => history.replaceState(stateWithToken(), '', `#job=${uuid}`) });
  }

  /** @param {File[]} files */
  async choose(files) {
    if (this.form?.busy) return;
    let kind = null;
    for (const file of files) {
      const found = files.length > 1 && /\.mtl$/i.test(file.name) ? 'structures'
        : await recognise(file, this.suffixes).catch(() => null);
      if (!found || (found === 'nexus' && !this.settings.EnableNexus)) return this.#refuse(file);
      kind ??= found;
    }
    const form = this.#open(files.length > 1 ? 'structures' : kind ?? 'structures');
    form.picker.show(files);
    return form.check(files[0], files);
  }

  /** @param {string} kind */
  #open(kind) {
    const form = this.#newForm(kind);
    this.form = form;
    form.picker.onFile = (file, files) => this.choose(files);
    form.picker.input.multiple = form.picker.several = true;
    this.card.replaceChildren(form.element);
    this.card.classList.remove('work-form');
    return form;
  }

  /** @param {File} file */
  #refuse(file) {
    const words = t('What can be attached: {kinds}.', { kinds: this.kinds });
    const box = notice('error', t('“{name}” is nothing that can become a model here', { name: file.name }), words);
    if (this.form) this.form.say(box);
    else this.said.replaceChildren(box);
  }

  /** @param {string} job a conversion that is under way since before a reload */
  follow(job) {
    const form = this.#open('structures');
    form.run((progress) => form.await(job, progress));
  }
}

/** @type {any} */
let settings = null;
/** @type {string[]} */
let suffixes = [];
/** @type {Attach | null} */
let attach = null;

/** @param {HTMLElement} [message] */
function startAgain(message) {
  attach = null;
  history.pushState(stateWithToken(), '', location.pathname + location.search);
  route(message);
}

/** @param {any} state */
function showResult({ kind, headline, answer }) {
  const view = resultView({ kind, answer, headline, again: [t('Attach another one'), () => startAgain()],
    onDiscarded: () => startAgain(notice('info', '', t('Discarded. Nothing of it is stored any more.'))) });
  page.show(view);
  view.querySelector('h2')?.focus();
}

/** The history says what to show: a model that was made, or the form as it was left. @param {HTMLElement} [message] */
function route(message) {
  if (history.state?.answer) return showResult(history.state);
  attach ??= new Attach(settings, suffixes);
  if (message) attach.said.replaceChildren(message);
  return page.show(attach.card);
}

async function main() {
  if (!study) {
    return page.show(notice('info', t('No study was chosen'),
      t('The address of this page must end with ?study= and the Orthanc identifier of a study.')));
  }
  page.show(waiting(t('One moment …')));
  try {
    [settings, { suffixes }] = await Promise.all([getJson('stl/app/settings.json'), knownSources(),
      page.nameStudy(study)]);
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error;
    return page.fail(t('This study cannot be shown'), error.message);
  }
  addEventListener('popstate', () => route());
  route();
  const job = new URLSearchParams(location.hash.slice(1)).get('job');
  if (job) attach?.follow(job);
  return undefined;
}

main();
