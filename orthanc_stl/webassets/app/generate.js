/** generate.html?instance= | series= | study=: models of what structure sets, segmentations, doses or images hold. */

import { withoutIds } from './forms/errors.js';
import { answerOf, GenerateForm, waiting } from './forms/generate-form.js';
import { imagesSource, instanceSource } from './forms/sources.js';
import { resultView } from './forms/result.js';
import { getJson, pageUrl, request, RequestFailed, startPage, stateWithToken } from './shared/api.js';
import { h, icon, notice } from './shared/dom.js';
import { date } from './shared/format.js';
import { t } from './shared/language.js';
import { Page } from './shared/page.js';

const parameters = new URLSearchParams(location.search);
startPage();
const page = new Page(t('Generate 3D model'));
const NEEDS = t('Models are made from structure sets (RT-STRUCT), segmentations, doses, or images of several slices.');

/** Modalities whose series hold structures, and how people call one of their objects. @type {Record<string, string>} */
const STRUCTURES = { RTSTRUCT: t('Structure set'), SEG: t('Segmentation'), RTDOSE: t('Dose') };
const IMAGES = ['CT', 'MR', 'PT', 'NM'];

/** @param {string} level @param {string} id */
const path = (level, id, rest = '') => `${level}/${encodeURIComponent(id)}${rest}`;

/** @typedef {{query: Record<string, string>, name: string, note: string}} Item what models can be made of */

/** @param {any} tags of a series @returns {string} */
const noteOf = (tags) => [STRUCTURES[tags.Modality], date(tags.SeriesDate ?? ''), tags.Manufacturer].filter(Boolean)
  .join(' · ');

/** All that models can be made of. @param {string} study @returns {Promise<{structures: Item[], images: Item[]}>} */
async function sourcesIn(study) {
  /** @type {any[]} */
  const series = await getJson(path('studies', study, '/series'));
  const structures = series.filter(({ MainDicomTags: tags }) => tags.Modality in STRUCTURES)
    .flatMap(({ MainDicomTags: tags, Instances }) => Instances.map((/** @type {string} */ instance) => ({
      query: { instance }, name: tags.SeriesDescription || STRUCTURES[tags.Modality], note: noteOf(tags) })));
  const images = series.filter(({ MainDicomTags: { Modality }, Instances }) => IMAGES.includes(Modality)
    && Instances.length > 1).map(({ ID, MainDicomTags: tags, Instances }) => ({ query: { series: ID },
    name: tags.SeriesDescription || t('{modality} images', { modality: tags.Modality }),
    note: `${tags.Modality} · ${t('{count} images', { count: Instances.length })}` }));
  return { structures, images };
}

/** @typedef {{study: string, source: import('./forms/sources.js').Source | null, what: string}} Named */

/** What the address names. @returns {Promise<Named>} */
async function named() {
  const instance = parameters.get('instance');
  if (instance) return ofInstance(instance);
  const id = parameters.get('series');
  if (id) {
    const { ParentStudy: study, MainDicomTags: { Modality: modality },
      Instances: instances } = await getJson(path('series', id));
    if (instances.length === 1 && !IMAGES.includes(modality)) return ofInstance(instances[0]);
    if (IMAGES.includes(modality) && instances.length > 1) return { study, source: imagesSource(id), what: '' };
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
  if (IMAGES.includes(modality)) {
    return { study, source: series.Instances.length > 1 ? imagesSource(ParentSeries) : null, what: kind(modality) };
  }
  return { study, source: instanceSource(id, sopClass.trim()), what: '' };
}

/** @param {string} modality */
const kind = (modality) => `${t('This is of modality {modality}, and no model can be made of it alone.',
  { modality: modality || t('unknown') })} `;

/** More than one source, or none where the address points. @param {Named} what */
async function offer({ study, what }) {
  const { structures, images } = await sourcesIn(study);
  const all = [...structures, ...images];
  if (!all.length) {
    return page.show(notice('info', what
      + t('There is no structure set in this study, and nothing else that a model can be made of'), NEEDS));
  }
  if (structures.length === 1 && !what) return location.replace(pageUrl('generate.html', structures[0].query));
  const items = all.map(({ query, name, note }) => h('li', {}, h('a', { class: 'choice',
    href: pageUrl('generate.html', query) }, icon('cube'),
  h('span', {}, h('strong', {}, name), h('small', {}, note)))));
  return page.show(what ? notice('info', what + t('The study has:'))
    : h('h2', {}, t('What shall the models be made of?')),
    h('ul', { class: 'choices' }, ...items));
}

/** @type {GenerateForm | null} */
let form = null;
/** @type {number[]} the structures of the last request, for another try */
let sent = [];

/** @param {import('./forms/sources.js').Source} source */
async function showForm(source) {
  page.show(waiting(t('Reading the structures …')));
  const made = await GenerateForm.of(source, {
    onJob: (uuid) => history.replaceState(stateWithToken(), '', `#job=${uuid}`),
    onDone: (answer) => {
      // The form stays one step back, without a tick; the answer survives a reload.
      sent = made.list?.chosen ?? [];
      made.clear();
      history.replaceState(stateWithToken(), '', location.pathname + location.search);
      history.pushState(stateWithToken(answer), '', `#model=${answer.ID}`);
      showResult(answer);
    },
  });
  form = made;
  showAgain(made);
  const job = new URLSearchParams(location.hash.slice(1)).get('job');
  if (job) await made.run((progress) => made.await(job, progress));
}

/** @param {GenerateForm} shown */
function showAgain(shown) {
  page.show(h('div', { class: 'sheet-card' }, shown.element));
}

/** Back to the form, with the same structures ticked. */
async function tryAgain() {
  history.pushState(stateWithToken(), '', location.pathname + location.search);
  await route();
  form?.list?.tick(sent);
  form?.say(notice('info', '', t('Discarded. Nothing of it is stored any more.')));
}

/** @param {any} answer */
function showResult(answer) {
  const number = answer.Models?.length ?? 1;
  const headline = number > 1 ? t('{count} models are ready', { count: number }) : t('The model is ready');
  const view = resultView({ kind: 'stl', answer, headline,
    again: [t('Generate another one'), () => { location.hash = ''; }], onDiscarded: tryAgain });
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
    if (form) return showAgain(form);
    const what = await found();
    if (what.source) await showForm(what.source);
    else await offer(what);
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error;
    page.fail(t('The structures cannot be shown'), withoutIds(error.message, 'this object'));
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
