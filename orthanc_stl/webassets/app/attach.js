/** attach.html?study=: an STL, NIfTI or Nexus file into a study. */

import { resultLine, waiting } from './forms/generate-form.js';
import { StlForm } from './forms/stl-form.js';
import { NexusForm, NiftiForm } from './forms/upload-forms.js';
import { getJson, RequestFailed } from './shared/api.js';
import { h, notice } from './shared/dom.js';
import { Page, resultView } from './shared/page.js';

const study = new URLSearchParams(location.search).get('study');
const page = new Page('Attach a 3D model');

function showResult(kind, headline, answer, again) {
  const view = resultView({ kind, instance: answer.ID, series: answer.ParentSeries, headline, facts: resultLine(answer), warnings: answer.Warnings ?? [],
    again: ['Attach another one', again] });
  page.show(view);
  view.querySelector('h2').focus();
}

/** One tab for each kind of file that this Orthanc takes. */
function build(settings) {
  const begin = () => build(settings);
  const stl = new StlForm(study, settings.Version, (answer) => showResult('stl', 'The model was stored', answer, begin));
  const tabs = [['STL model', stl]];
  if (settings.EnableNIfTI) tabs.push(['NIfTI 3D model', new NiftiForm(study, { onDone: (answer) => showResult('stl', 'The model is ready', answer, begin) })]);
  if (settings.EnableNexus) tabs.push(['Nexus model', new NexusForm(study, (answer) => showResult('nexus', 'The model was stored', answer, begin))]);
  const card = h('div', { class: 'sheet-card', role: tabs.length > 1 ? 'tabpanel' : null }, stl.element);
  const buttons = tabs.map(([name, form], i) => h('button', { type: 'button', class: 'tab', role: 'tab', 'aria-selected': String(i === 0), onclick: () => {
    if (tabs.some(([, other]) => other.busy)) return;
    buttons.forEach((button, k) => button.setAttribute('aria-selected', String(k === i)));
    card.replaceChildren(form.element);
  } }, name));
  page.show(...(tabs.length > 1 ? [h('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Kind of file' }, ...buttons)] : []), card);
}

async function main() {
  if (!study) return page.show(notice('info', 'No study was chosen', 'The address of this page must end with ?study= and the Orthanc identifier of a study.'));
  page.show(waiting('One moment …'));
  try {
    const [settings] = await Promise.all([getJson('stl/app/settings.json'), page.nameStudy(study)]);
    build(settings);
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error;
    page.fail('This study cannot be shown', error.message);
  }
  return undefined;
}

main();
