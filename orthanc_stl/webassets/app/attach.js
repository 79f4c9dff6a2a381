/** attach.html?study=: an STL, NIfTI or Nexus file into a study. */

import { resultLine, waiting } from './forms/generate-form.js';
import { StlForm } from './forms/stl-form.js';
import { NexusForm, NiftiForm } from './forms/upload-forms.js';
import { getJson, RequestFailed, startPage, stateWithToken } from './shared/api.js';
import { h, notice } from './shared/dom.js';
import { Page, resultView } from './shared/page.js';

startPage();
const study = new URLSearchParams(location.search).get('study');
const page = new Page('Attach a 3D model');

/** @param {'stl' | 'nexus'} kind @returns {(answer: any) => void} shows what was stored. The forms stay one step back; the answer survives a reload */
const ended = (kind, headline) => (answer) => {
  history.replaceState(stateWithToken(), '', location.pathname + location.search);
  history.pushState(stateWithToken({ kind, headline, answer }), '', `#model=${answer.ID}`);
  showResult(history.state);
};

/** @param {any} settings of this Orthanc @returns {[string, import('./forms/work-form.js').WorkForm][]} for each kind of file that it takes */
function newForms(settings) {
  const forms = [['STL model', new StlForm(study, settings.Version, ended('stl', 'The model was stored'))]];
  const onJob = (uuid) => history.replaceState(stateWithToken(), '', `#job=${uuid}`);
  if (settings.EnableNIfTI) forms.push(['NIfTI 3D model', new NiftiForm(study, { onDone: ended('stl', 'The model is ready'), onJob })]);
  if (settings.EnableNexus) forms.push(['Nexus model', new NexusForm(study, ended('nexus', 'The model was stored'))]);
  return forms;
}

/** The forms behind their tabs. */
class Forms {
  /** @param {ReturnType<typeof newForms>} forms */
  constructor(forms) {
    this.forms = forms.map(([, form]) => form);
    this.tabs = forms.map(([name, form]) => h('button', { type: 'button', class: 'tab', role: 'tab', onclick: () => this.open(form) }, name));
    const several = forms.length > 1;
    this.card = h('div', { class: 'sheet-card', role: several ? 'tabpanel' : null });
    this.nodes = [...(several ? [h('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Kind of file' }, ...this.tabs)] : []), this.card];
    this.open(this.forms[0]);
  }

  open(form) {
    if (this.forms.some((each) => each.busy)) return;
    this.tabs.forEach((tab, i) => tab.setAttribute('aria-selected', String(this.forms[i] === form)));
    this.card.replaceChildren(form.element);
  }

  /** @param {string} job a conversion of a NIfTI file that is under way since before a reload */
  follow(job) {
    const form = this.forms.find((each) => each instanceof NiftiForm);
    if (!form) return;
    this.open(form);
    form.run((progress) => form.await(job, progress));
  }
}

let settings = null;
let forms = null;

function showResult({ kind, headline, answer }) {
  const again = () => {
    forms = null;
    location.hash = '';
  };
  const view = resultView({ kind, instance: answer.ID, series: answer.ParentSeries, headline, facts: resultLine(answer), warnings: answer.Warnings ?? [],
    again: ['Attach another one', again] });
  page.show(view);
  view.querySelector('h2').focus();
}

/** The history says what to show: a model that was made, or the forms as they were left. */
function route() {
  if (history.state?.answer) return showResult(history.state);
  forms ??= new Forms(newForms(settings));
  return page.show(...forms.nodes);
}

async function main() {
  if (!study) return page.show(notice('info', 'No study was chosen', 'The address of this page must end with ?study= and the Orthanc identifier of a study.'));
  page.show(waiting('One moment …'));
  try {
    [settings] = await Promise.all([getJson('stl/app/settings.json'), page.nameStudy(study)]);
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error;
    return page.fail('This study cannot be shown', error.message);
  }
  addEventListener('popstate', route);
  route();
  const job = new URLSearchParams(location.hash.slice(1)).get('job');
  if (job) forms?.follow(job);
  return undefined;
}

main();
