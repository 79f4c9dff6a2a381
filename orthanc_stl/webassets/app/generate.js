/** generate.html?instance= | series= | study=: models of what objects of the study, or files of the person, hold. */

import { answerOf, GenerateForm, waiting } from './forms/generate-form.js';
import { countSlices, imagesSource, instanceSource } from './forms/sources.js';
import { resultView } from './forms/result.js';
import { FileForm } from './forms/upload-forms.js';
import { getJson, pageUrl, request, RequestFailed, startPage, stateWithToken } from './shared/api.js';
import { h, icon, notice } from './shared/dom.js';
import { date } from './shared/format.js';
import { t } from './shared/language.js';
import { Page } from './shared/page.js';
import { knownSources } from './shared/sources.js';

const parameters = new URLSearchParams(location.search);
startPage();
const page = new Page(t('Generate 3D model'));
const NEEDS = t('Models are made from structure sets (RT-STRUCT), segmentations, doses, or images of several slices.');

/** @param {string} level @param {string} id */
const path = (level, id, rest = '') => `${level}/${encodeURIComponent(id)}${rest}`;

/** @typedef {{query: Record<string, string>, name: string, note: string}} Item what models can be made of */

/** All that models can be made of. @param {string} study @returns {Promise<{structures: Item[], images: Item[]}>} */
async function sourcesIn(study) {
  /** @type {[any[], import('./shared/sources.js').Sources]} */
  const [series, sources] = await Promise.all([getJson(path('studies', study, '/series')), knownSources()]);
  const structures = series.flatMap(({ MainDicomTags: tags, Instances }) => {
    const kind = sources.structuresOf(tags.Modality);
    const label = kind && t(kind.Label);
    return !kind ? [] : Instances.map((/** @type {string} */ instance) => ({ query: { instance },
      name: tags.SeriesDescription || label,
      note: [label, date(tags.SeriesDate ?? ''), tags.Manufacturer].filter(Boolean).join(' · ') }));
  });
  const images = await Promise.all(series.filter(({ MainDicomTags: { Modality } }) => sources.isImages(Modality))
    .map(async ({ ID, MainDicomTags: tags, Instances }) => ({ query: { series: ID }, modality: tags.Modality,
      name: tags.SeriesDescription || t('{modality} images', { modality: tags.Modality }),
      slices: await countSlices(Instances) })));
  return { structures, images: images.filter(({ slices }) => slices > 1).map(({ query, name, modality, slices }) => ({
    query, name, note: `${modality} · ${t('{count} images', { count: slices })}` })) };
}

/** @typedef {{study: string, source: import('./forms/sources.js').Source | null, what: string}} Named */

/** What the address names. @returns {Promise<Named>} */
async function named() {
  const instance = parameters.get('instance');
  if (instance) return ofInstance(instance);
  const id = parameters.get('series');
  if (id) {
    const [{ ParentStudy: study, MainDicomTags: { Modality: modality }, Instances: instances },
      sources] = await Promise.all([getJson(path('series', id)), knownSources()]);
    if (instances.length === 1 && !sources.isImages(modality)) return ofInstance(instances[0]);
    if (sources.isImages(modality) && await countSlices(instances) > 1) {
      return { study, source: imagesSource(id), what: '' };
    }
    return { study, source: null, what: kind(modality) };
  }
  const study = parameters.get('study') ?? '';
  await getJson(path('studies', study));
  return { study, source: null, what: '' };
}

/** @param {string} id @returns {Promise<Named>} */
async function ofInstance(id) {
  const { ParentSeries } = await getJson(path('instances', id));
  const [series, sopClass] = await Promise.all([getJson(path('series', ParentSeries)),
    request(path('instances', id, '/metadata/SopClassUid')).then((answer) => answer.text())]);
  const { ParentStudy: study, MainDicomTags: { Modality: modality } } = series;
  if ((await knownSources()).isImages(modality)) {
    const several = await countSlices(series.Instances) > 1;
    return { study, source: several ? imagesSource(ParentSeries) : null, what: kind(modality) };
  }
  return { study, source: await instanceSource(id, sopClass.trim()), what: '' };
}

/** @param {string} modality */
const kind = (modality) => `${t('This is of modality {modality}, and no model can be made of it alone.',
  { modality: modality || t('unknown') })} `;

/** More than one source, or none where the address points. @param {Named} what */
async function offer({ study, what }) {
  if (location.hash.startsWith('#job=')) { // of files, which a reload forgets
    files = new FileForm(study, listeners);
    showAgain(files);
    return followJob(files);
  }
  const { structures, images } = await sourcesIn(study);
  const all = [...structures, ...images];
  if (!all.length) {
    return page.show(notice('info', what
      + t('There is no structure set in this study, and nothing else that a model can be made of'), NEEDS),
    filesCard(study));
  }
  if (structures.length === 1 && !what) return location.replace(pageUrl('generate.html', structures[0].query));
  const items = all.map(({ query, name, note }) => h('li', {}, h('a', { class: 'choice',
    href: pageUrl('generate.html', query) }, icon('cube'),
  h('span', {}, h('strong', {}, name), h('small', {}, note)))));
  return page.show(what ? notice('info', what + t('The study has:'))
    : h('h2', {}, t('What shall the models be made of?')),
    h('ul', { class: 'choices' }, ...items), filesCard(study));
}

/** @type {GenerateForm | null} of what Orthanc has */
let form = null;
/** @type {FileForm | null} of files that were chosen on this page */
let files = null;
const FILES = '#files';
/** @type {GenerateForm | null} the one that was used last */
let used = null;
/** @type {number[]} the structures of the last request, for another try */
let sent = [];

/** The address of the form that was used last. */
const formUrl = () => location.pathname + location.search + (used && used === files ? FILES : '');

const listeners = {
  onJob: (/** @type {string} */ uuid) => history.replaceState(stateWithToken(), '', `#job=${uuid}`),
  onDone: (/** @type {any} */ answer) => {
    // The form stays one step back, without a tick; the answer survives a reload.
    sent = used?.list?.chosen ?? [];
    used?.clear();
    history.replaceState(stateWithToken(), '', formUrl());
    history.pushState(stateWithToken(answer), '', `#model=${answer.ID}`);
    showResult(answer);
  },
};

/** @param {import('./forms/sources.js').Source} source @param {string} study */
async function showForm(source, study) {
  page.show(waiting(t('Reading the structures …')));
  form = await GenerateForm.of(source, listeners);
  showAgain(form, filesCard(study));
  await followJob(form);
}

/** @param {GenerateForm} shown that goes on with a job that is under way since before a reload */
async function followJob(shown) {
  const job = new URLSearchParams(location.hash.slice(1)).get('job');
  if (job) await shown.run((progress) => shown.await(job, progress));
}

/** @param {GenerateForm} shown @param {HTMLElement[]} more */
function showAgain(shown, ...more) {
  used = shown;
  page.show(h('div', { class: 'sheet-card' }, shown.element), ...more);
}

/**
 * A place for files that Orthanc does not have: once they are chosen, their form takes the page.
 * @param {string} study
 */
function filesCard(study) {
  const made = new FileForm(study, listeners, 'label maps or another file with structures');
  const { element } = made.picker;
  made.picker.onFile = (file, chosen) => {
    made.fields.prepend(element);
    if (files !== made || location.hash !== FILES) history.pushState(stateWithToken(), '', FILES);
    files = made;
    showAgain(made);
    made.check(file, chosen);
  };
  const endings = h('span', {});
  knownSources().then(({ suffixes }) => { endings.textContent = `${suffixes.join(', ')}. `; }, () => {});
  return h('section', { class: 'sheet-card work-form' }, h('h2', {}, t('Or of files')), element,
    h('p', { class: 'help-text' }, endings, t('Several NIfTI or NRRD masks at once become a structure each.')));
}

/** Back to the form, with the same structures ticked. */
async function tryAgain() {
  history.pushState(stateWithToken(), '', formUrl());
  await route();
  used?.list?.tick(sent);
  used?.say(notice('info', '', t('Discarded. Nothing of it is stored any more.')));
}

/** @param {any} answer */
function showResult(answer) {
  const number = answer.Models?.length ?? 1;
  const headline = number > 1 ? t('{count} models are ready', { count: number }) : t('The model is ready');
  const view = resultView({ kind: 'stl', answer, headline, again: [t('Generate another one'), () => {
    history.pushState(stateWithToken(), '', formUrl());
    route();
  }], onDiscarded: tryAgain });
  page.show(view);
  view.querySelector('h2')?.focus();
}

/** @type {Promise<Named> | null} */
let asked = null;

/** What the address names, asked once; the page then says whose it is. */
const found = () => (asked ??= named().then(async (what) => {
  await page.nameStudy(what.study).catch(() => {});
  return what;
}));

/** The address says what to show: a result, or the form (perhaps with a job under way since before a reload). */
async function route() {
  const model = new URLSearchParams(location.hash.slice(1)).get('model');
  try {
    if (model) {
      found().catch(() => {}); // only the name is missing then
      return showResult(history.state?.ID === model ? history.state : await answerOf(model));
    }
    if (files && location.hash === FILES) return showAgain(files);
    const what = await found();
    if (form) return showAgain(form, filesCard(what.study));
    if (what.source) await showForm(what.source, what.study);
    else await offer(what);
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error;
    page.fail(t('The structures cannot be shown'), error.message);
  }
  return undefined;
}

if (['instance', 'series', 'study'].some((name) => parameters.get(name))) {
  addEventListener('hashchange', route);
  addEventListener('popstate', route);
  route();
} else {
  const ending = t('The address of this page must end with ?instance=, ?series= or ?study= and an Orthanc identifier.');
  page.show(notice('info', t('Nothing was chosen'), `${ending} ${NEEDS}`));
}
