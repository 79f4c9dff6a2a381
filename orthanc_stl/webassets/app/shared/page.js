/** The frame of our pages: a title, whose data it is, and one place for what is going on. */

import { getJson } from './api.js';
import { h, notice } from './dom.js';
import { date, person } from './format.js';
import { language, t } from './language.js';

export class Page {
  /** @param {string} title */
  constructor(title) {
    document.documentElement.lang = language;
    document.title = title;
    this.title = title;
    this.about = h('p', { class: 'about' });
    this.body = h('div', { class: 'page-body' });
    document.body.append(h('main', { class: 'page' }, h('header', { class: 'page-head' }, h('h1', {}, title),
      this.about), this.body));
  }

  /** @param {...HTMLElement} nodes what the page shows now; a result takes the whole width */
  show(...nodes) {
    this.body.replaceChildren(...nodes);
    document.body.classList.toggle('wide', nodes.some((node) => node.classList.contains('result')));
  }

  /** Whose study it is. @param {string} study Orthanc's id @throws {import('./api.js').RequestFailed} */
  async nameStudy(study) {
    const { PatientMainDicomTags: patient = {},
      MainDicomTags: tags = {} } = await getJson(`studies/${encodeURIComponent(study)}`);
    this.about.textContent = [person(patient.PatientName ?? '') || t('No patient name'), patient.PatientID,
      tags.StudyDescription, date(tags.StudyDate ?? '')]
      .filter(Boolean).join(' · ');
  }

  /** @param {string} title @param {string} message @param {...Node} more what can be done about it */
  fail(title, message, ...more) {
    this.show(notice('error', title, message, ...more));
  }
}
