/** generate.html?instance= | series= | study=: models from an RT-STRUCT, as a page of its own. */

import { GenerateForm, resultLine, waiting } from './forms/generate-form.js';
import { getJson, pageUrl, request, RequestFailed, startPage, stateWithToken } from './shared/api.js';
import { h, icon, notice } from './shared/dom.js';
import { date } from './shared/format.js';
import { Page, resultView } from './shared/page.js';
import { loadFacts } from './viewer/load.js';

const RT_STRUCT = '1.2.840.10008.5.1.4.1.1.481.3';
const parameters = new URLSearchParams(location.search);
startPage();
const page = new Page('Generate 3D model');
const NEEDS = 'Models are generated from the contours of an RT structure set (RT-STRUCT), as treatment planning systems and contouring software store them.';

const path = (level, id, rest = '') => `${level}/${encodeURIComponent(id)}${rest}`;

/** All structure sets of a study: of each series with that modality, its instances. */
async function structureSets(study) {
  const series = (await getJson(path('studies', study, '/series'))).filter(({ MainDicomTags }) => MainDicomTags?.Modality === 'RTSTRUCT');
  return series.flatMap(({ MainDicomTags, Instances }) => Instances.map((id) => ({ id,
    name: MainDicomTags.SeriesDescription || 'Structure set', note: [date(MainDicomTags.SeriesDate ?? ''), MainDicomTags.Manufacturer].filter(Boolean).join(' · ') })));
}

/** What the address names. @returns {Promise<{study: string, instance: string | null, what: string}>} */
async function named() {
  if (parameters.get('instance')) {
    const id = parameters.get('instance');
    const { ParentSeries } = await getJson(path('instances', id));
    const { ParentStudy, MainDicomTags } = await getJson(path('series', ParentSeries));
    const sopClass = await (await request(path('instances', id, '/metadata/SopClassUid'))).text();
    return { study: ParentStudy, instance: sopClass.trim() === RT_STRUCT ? id : null, what: kind(MainDicomTags) };
  }
  if (parameters.get('series')) {
    const { ParentStudy, MainDicomTags, Instances } = await getJson(path('series', parameters.get('series')));
    const only = MainDicomTags.Modality === 'RTSTRUCT' && Instances.length === 1;
    return { study: ParentStudy, instance: only ? Instances[0] : null, what: kind(MainDicomTags) };
  }
  await getJson(path('studies', parameters.get('study')));
  return { study: parameters.get('study'), instance: null, what: '' };
}

const kind = ({ Modality }) => (Modality === 'RTSTRUCT' ? '' : Modality ? `This is of modality ${Modality}. ` : 'This is no RT-STRUCT. ');

/** More than one structure set, or none where the address points. */
async function offer({ study, what }) {
  const sets = await structureSets(study);
  if (!sets.length) return page.show(notice('info', `${what}There is no structure set in this study`, NEEDS));
  if (sets.length === 1 && !what) return showForm(sets[0].id);
  const items = sets.map(({ id, name, note }) => h('li', {}, h('a', { class: 'choice', href: pageUrl('generate.html', { instance: id }) }, icon('cube'),
    h('span', {}, h('strong', {}, name), h('small', {}, note)))));
  return page.show(what ? notice('info', `${what}The study has ${sets.length === 1 ? 'a structure set' : 'structure sets'}:`) : h('h2', {}, 'Which structure set?'),
    h('ul', { class: 'choices' }, ...items));
}

let form = null;

async function showForm(instance) {
  page.show(waiting('Reading the structures …'));
  form = await GenerateForm.of(instance, {
    onJob: (uuid) => history.replaceState(stateWithToken(), '', `#job=${uuid}`),
    onDone: (answer) => {
      // The form stays one step back, with all its ticks; the answer survives a reload.
      history.replaceState(stateWithToken(), '', location.pathname + location.search);
      history.pushState(stateWithToken(answer), '', `#model=${answer.ID}`);
      showResult(answer);
    },
  });
  showAgain();
  const job = new URLSearchParams(location.hash.slice(1)).get('job');
  if (job) await form.run((progress) => form.await(job, progress));
}

function showAgain() {
  page.show(h('div', { class: 'sheet-card' }, form.element));
}

function showResult(answer) {
  const view = resultView({ kind: 'stl', instance: answer.ID, series: answer.ParentSeries, headline: 'The model is ready', facts: resultLine(answer),
    warnings: answer.Warnings ?? [], again: ['Generate another one', () => { location.hash = ''; }] });
  page.show(view);
  view.querySelector('h2').focus();
}

/** What is known of a model that this page did not make itself: its address came from somebody else. */
async function answerOf(instance) {
  const [{ ParentSeries }, { warnings }] = await Promise.all([getJson(path('instances', instance)), loadFacts(instance)]);
  return { ID: instance, ParentSeries, Warnings: warnings };
}

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
    if (form) return showAgain();
    const what = await found();
    if (what.instance) await showForm(what.instance);
    else await offer(what);
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error;
    page.fail('The structures cannot be shown', error.message);
  }
  return undefined;
}

if (['instance', 'series', 'study'].some((name) => parameters.get(name))) {
  addEventListener('hashchange', route);
  addEventListener('popstate', route);
  route();
} else {
  page.show(notice('info', 'Nothing was chosen', `The address of this page must end with ?instance=, ?series= or ?study= and an Orthanc identifier. ${NEEDS}`));
}
