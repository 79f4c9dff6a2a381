/** The dialogs behind our buttons in Orthanc Explorer. They live in a shadow tree: its styles and ours do not meet. */

import { downloadMenu } from '../forms/downloads.js';
import { GenerateForm, resultLine, waiting } from '../forms/generate-form.js';
import { notesView } from '../forms/notes.js';
import { imagesSource, instanceSource } from '../forms/sources.js';
import { StlForm } from '../forms/stl-form.js';
import { NexusForm, NiftiForm } from '../forms/upload-forms.js';
import { orthancUrl, pageUrl } from '../shared/api.js';
import { h, icon, notice } from '../shared/dom.js';
import { t } from '../shared/language.js';

const STYLES = ['../shared/base.css', '../shared/page.css', '../forms/forms.css', 'dialog.css'];

/**
 * A modal dialog with a title and a cross. It belongs to the page under it: when that goes, by the back button say, it
 * goes too.
 */
class Dialog {
  /** @param {string} title @param {...Node} content */
  constructor(title, ...content) {
    this.body = h('div', { class: 'dialog-body' }, ...content);
    this.dialog = h('dialog', { class: 'sheet dialog', 'aria-label': title },
      h('div', { class: 'dialog-head' }, h('h2', { tabindex: '-1', autofocus: true }, title),
        h('button', { type: 'button', class: 'dialog-close', 'aria-label': t('Close'), onclick: () => this.close() },
          icon('close'))),
      this.body);
    this.host = h('div', { class: 'stl-dialog' });
    this.gone = new AbortController();
    /** @type {import('../forms/work-form.js').WorkForm | null} */
    this.form = null;
    // Work under way is stopped by Cancel or the cross, not by a stray press of Escape.
    this.dialog.addEventListener('cancel', (event) => this.form?.busy && event.preventDefault());
    this.dialog.addEventListener('close', () => this.close());
    addEventListener('hashchange', () => this.close(), { signal: this.gone.signal });
    this.#open();
  }

  get closed() {
    return this.gone.signal.aborted;
  }

  async #open() {
    const root = this.host.attachShadow({ mode: 'open' });
    const styles = STYLES.map((path) => h('link', { rel: 'stylesheet', href: new URL(path, import.meta.url).href }));
    const loaded = Promise.all(styles.map((link) => new Promise((resolve) => {
      link.onload = link.onerror = resolve;
    })));
    root.append(...styles, this.dialog);
    document.body.append(this.host);
    await loaded;
    if (!this.closed) this.dialog.showModal();
  }

  /** @param {import('../forms/work-form.js').WorkForm} form */
  showForm(form) {
    this.form = form;
    this.show(form.element);
  }

  /** @param {...Node} nodes */
  show(...nodes) {
    this.body.replaceChildren(...nodes);
  }

  /** What it was doing ends with it. */
  close() {
    if (this.closed) return;
    this.gone.abort();
    if (this.form?.busy) this.form.cancel();
    this.host.remove();
  }
}

/**
 * Opens the series of a new model; first tells what there is to know about it.
 * @param {Dialog} dialog @param {any} answer
 */
function finish(dialog, answer) {
  if (dialog.closed) return undefined; // the work was done before it could be cancelled; nobody waits for it
  const open = () => {
    dialog.close();
    const alreadyThere = location.hash.startsWith('#series');
    location.assign(`explorer.html${location.search}#series?uuid=${answer.ParentSeries}`);
    if (alreadyThere) location.reload(); // jQuery Mobile does not go from a page to the same page
  };
  const notes = notesView(answer);
  if (!notes) return open();
  const button = h('button', { type: 'button', class: 'button primary', onclick: open }, t('Open the new series'));
  const number = answer.Models?.length ?? 1;
  dialog.show(h('p', {}, number > 1 ? t('{count} models were stored.', { count: number })
    : t('The model was stored: {what}.', { what: resultLine(answer) })),
    notes, h('div', { class: 'form-buttons' }, button));
  button.focus();
  return undefined;
}

/** @param {string} study @param {string} version */
export function attachStl(study, version) {
  const dialog = new Dialog(t('Attach STL'));
  dialog.showForm(new StlForm(study, version, (answer) => finish(dialog, answer)));
}

/** @param {string} study */
export function attachNifti(study) {
  const dialog = new Dialog(t('Attach NIfTI'));
  dialog.showForm(new NiftiForm(study, { onDone: (answer) => finish(dialog, answer) }));
}

/** @param {string} study */
export function attachNexus(study) {
  const dialog = new Dialog(t('Attach Nexus'));
  dialog.showForm(new NexusForm(study, (answer) => finish(dialog, answer)));
}

/** @param {Promise<import('../forms/sources.js').Source>} source */
async function generate(source) {
  const dialog = new Dialog(t('Generate 3D model'), waiting(t('Reading the structures …')));
  try {
    dialog.showForm(await GenerateForm.of(await source, { onDone: (answer) => finish(dialog, answer) }));
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    dialog.show(notice('error', t('The structures cannot be shown'), message));
  }
}

/** @param {string} instance @param {string} sopClass */
export const generateOfInstance = (instance, sopClass) => generate(instanceSource(instance, sopClass));

/** @param {string} series of images */
export const generateOfImages = (series) => generate(Promise.resolve(imagesSource(series)));

/**
 * The stored models of a series or study.
 * @param {'series' | 'studies'} level @param {string} id @param {string} name of the files
 */
export const download = (level, id, name) => new Dialog(t('Download 3D model'),
  downloadMenu(`${level}/${encodeURIComponent(id)}/stl/scene`, name));

/** @param {string} title @param {[string, string, string][]} viewers name, note, address */
function choose(title, viewers) {
  const links = viewers.map(([name, note, href]) => h('li', {}, h('a', { class: 'choice', href, target: '_blank',
    rel: 'noopener', onclick: () => dialog.close() }, icon('cube'),
  h('span', {}, h('strong', {}, t(name)), h('small', {}, t(note))))));
  const dialog = new Dialog(t(title), h('ul', { class: 'choices' }, ...links));
}

/** @param {string} instance */
export const chooseStlViewer = (instance) => choose('STL viewer', [
  ['Basic viewer built using Three.js', 'Measure, cut open, take pictures', pageUrl('three.html', { instance })],
  ['Online3DViewer', 'The open-source viewer of 3dviewer.net', pageUrl('o3dv.html', { instance })],
]);

/** @param {string} instance */
export const chooseNexusViewer = (instance) => choose('Nexus 3D viewer', [
  ['Basic Nexus viewer built using Three.js', 'Turn and zoom',
    `${orthancUrl('stl/nexus/threejs.html')}?model=../../instances/${instance}/nexus`],
  ['Nexus viewer with the tools of 3DHOP', 'Measure, light and cut',
    `${orthancUrl('stl/3dhop/3DHOP_all_tools.html')}?instance=${instance}`],
]);
