/** The scene viewer: three.html?instance= | series= | study= | source= and identifiers of Orthanc. */

import { pageUrl, request, RequestFailed, startPage } from './shared/api.js';
import { h, icon, notice } from './shared/dom.js';
import { language, t } from './shared/language.js';
import { knownSources } from './shared/sources.js';
import { PublicViewer } from './viewer/api.js';
import { App } from './viewer/app.js';
import { catalogueOf } from './viewer/catalogue.js';
import { downloadButton } from './viewer/download.js';
import { listenToFrames } from './viewer/embed.js';
import { loading } from './viewer/loading.js';
import { Stage } from './viewer/stage.js';

const root = /** @type {HTMLElement} */ (document.getElementById('viewer'));
const parameters = new URLSearchParams(location.search);
startPage();
document.documentElement.lang = language;
document.body.classList.toggle('embedded', window.parent !== window);

/** @param {string} title @param {string} message @param {...Node} more what can be done about it */
function fail(title, message, ...more) {
  delete root.dataset.ready;
  root.replaceChildren(h('div', { class: 'centre' }, notice('error', title, message, ...more)));
}

/** @param {Stage} stage @returns {boolean} whether it could be opened; if not, the page says why */
function open(stage) {
  try {
    stage.open();
  } catch {
    fail(t('This browser cannot show 3D'),
      t('WebGL 2 is missing or switched off, perhaps by a graphics driver or a remote desktop.'),
      ...downloadButton(parameters));
    return false;
  }
  stage.canvas.addEventListener('webglcontextlost', () => fail(t('The graphics card gave up'),
    t('It may have run out of memory. Reload the page to try again.'), ...downloadButton(parameters)));
  return true;
}

/** @returns {Promise<void>} when what is on the page has been painted; a page that nobody looks at is not */
const painted = () => new Promise((resolve) => {
  requestAnimationFrame(() => requestAnimationFrame(() => resolve()));
  setTimeout(resolve, 500);
});

const NO_NAME = 'The address of this page must end with ?instance= and the Orthanc identifier of a stored model.';

/**
 * What can be done where an instance is no model but holds structures.
 * @param {string} instance @returns {Promise<Node[]>}
 */
async function ways(instance) {
  const kind = await request(`instances/${encodeURIComponent(instance)}/metadata/SopClassUid`)
    .then((answer) => answer.text(), () => '');
  const sources = await knownSources().catch(() => null);
  if (!sources?.holdsStructures(kind.trim())) return [];
  return [h('div', { class: 'form-buttons' },
    h('a', { class: 'button primary', href: pageUrl('three.html', { source: instance }) }, icon('cube'),
      t('Show its structures')),
    h('a', { class: 'button', href: pageUrl('generate.html', { instance }) }, t('Generate a 3D model')))];
}

/** @param {PublicViewer} api */
async function main(api) {
  const progress = loading(root);
  try {
    const catalogue = await catalogueOf(parameters);
    if (!catalogue) {
      fail(t('No model was named'), t(NO_NAME));
      return;
    }
    const stage = new Stage(h('div', { class: 'view view-3d' }));
    const app = new App(root, stage, catalogue);
    api.attach(app);
    // The list is painted before the browser makes its 3D context.
    const opened = painted().then(() => open(stage) || app.parts.loader.stop());
    await Promise.all([app.start(progress), opened]);
    const broken = app.parts.all.every((part) => part.state === 'failed') ? app.parts.all[0] : null;
    if (broken) fail(t('The model cannot be shown'), broken.reason, ...await ways(broken.instance));
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error;
    fail(t('The model cannot be shown'), error.message);
  }
}

const api = new PublicViewer();
Object.assign(window, { viewer: api });
listenToFrames(api);
main(api);
