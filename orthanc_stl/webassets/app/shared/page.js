/** The frame of our pages: a title, whose data it is, and one place for what is going on. */

import { authorization, getJson, pageUrl, orthancUrl } from './api.js';
import { h, notice, warningList } from './dom.js';
import { date, person } from './format.js';

export class Page {
  /** @param {string} title */
  constructor(title) {
    this.title = title;
    this.about = h('p', { class: 'about' });
    this.body = h('div', { class: 'page-body' });
    document.body.append(h('main', { class: 'page' }, h('header', { class: 'page-head' }, h('h1', {}, title),
      this.about), this.body));
  }

  /** @param {...Node} nodes what the page shows now @param {boolean} wide for a viewer */
  show(...nodes) {
    this.body.replaceChildren(...nodes);
    document.body.classList.toggle('wide', nodes.some((node) => node.classList?.contains('result')));
  }

  /** Whose study it is. @param {string} study Orthanc's id @throws {import('./api.js').RequestFailed} */
  async nameStudy(study) {
    const { PatientMainDicomTags: patient = {},
      MainDicomTags: tags = {} } = await getJson(`studies/${encodeURIComponent(study)}`);
    this.about.textContent = [person(patient.PatientName ?? '') || 'No patient name', patient.PatientID,
      tags.StudyDescription, date(tags.StudyDate ?? '')]
      .filter(Boolean).join(' · ');
  }

  /** @param {string} title @param {string} message */
  fail(title, message) {
    this.show(notice('error', title, message));
  }
}

/** Each kind of model has its viewers, the first one for the preview. */
const VIEWERS = {
  stl: (id) => [['Open the viewer', pageUrl('three.html', { instance: id })],
    ['Online3DViewer', pageUrl('o3dv.html', { instance: id })]],
  nexus: (id) => [['Open the viewer', pageUrl('../nexus/threejs.html', { model: `../../instances/${id}/nexus` })],
    ['3DHOP', pageUrl('../3dhop/3DHOP_all_tools.html', { instance: id })]],
};

/**
 * A model that was just made, in its viewer, with what is to be known about it.
 * @param {{kind: 'stl' | 'nexus', instance: string, series?: string, headline: string, facts: string, warnings:
 * string[], again: [string, () => void]}} what
 */
export function resultView({ kind, instance, series = null, headline, facts, warnings, again }) {
  const viewers = VIEWERS[kind](instance);
  const withToken = 'Authorization' in authorization();
  const links = viewers.map(([name, href], i) => h('a', { class: i === 0 ? 'button primary' : 'button', href,
    target: '_blank', rel: 'noopener' }, name));
  if (series && !withToken) links.push(h('a',
    { class: 'button', href: orthancUrl(`app/explorer.html#series?uuid=${series}`) }, 'Show in Orthanc Explorer'));
  links.push(h('button', { type: 'button', class: 'button', onclick: again[1] }, again[0]));
  return h('section', { class: 'result' },
    h('div', { class: 'result-text' }, h('h2', { tabindex: '-1' }, headline), facts ? h('p', { class: 'about' }, facts)
      : null,
      warnings.length ? warningList(warnings) : null, h('div', { class: 'result-links' }, ...links)),
    h('iframe', { class: 'preview', src: viewers[0][1], title: 'Preview of the model', allow: 'fullscreen' }));
}
