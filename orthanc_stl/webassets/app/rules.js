/** rules.html: the rules of this Orthanc, what they have done, and running once more what failed. */

import { getJson, orthancUrl, postJson, RequestFailed, startPage } from './shared/api.js';
import { h, notice } from './shared/dom.js';
import { counted, t } from './shared/language.js';
import { Page } from './shared/page.js';

const RELOAD_MS = 3000;

startPage();
const page = new Page(t('Models on arrival'));

/** @param {Record<string, string[]>} parts @returns {string} `Modality: RTSTRUCT or SEG, Labels: x` */
const inWords = (parts) => Object.entries(parts)
  .filter(([, values]) => values.length > 0)
  .map(([name, values]) => `${name}: ${values.join(' or ')}`)
  .join(', ');

/** @param {string} time "20261127T001500", UTC */
const when = (time) => new Date(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)$/, '$1-$2-$3T$4:$5:$6Z'))
  .toLocaleString();

/** @param {any} rule */
const ruleCard = (rule) => h('section', { class: 'sheet-card' }, h('h2', {}, rule.Name),
  ...[rule.When, rule.Structures, rule.Then].map(inWords).filter(Boolean)
    .map((line) => h('p', { class: 'about' }, line)));

/** The reason is told by a route of the instance: it may name structures. @param {any} run */
async function reasonOf(run) {
  const details = await getJson(run.Details.slice(1));
  return details[run.Rule]?.Reason ?? t('The reason is not known any more.');
}

/** @param {any} run */
function runCard(run) {
  const failed = run.State === 'Failure';
  const sent = run.Sent.map((/** @type {any} */ { To: to, State: state }) => t('sent to {to}: {state}', { to, state }))
    .join(', ');
  const card = h('section', { class: 'sheet-card' },
    h('p', {}, `${run.Rule}: ${failed ? t('failed ({error})', { error: run.Error })
      : counted(run.Models.length, '1 model', '{count} models')}`),
    h('p', { class: 'about' }, [when(run.Time), sent].filter(Boolean).join(' · ')));
  if (run.Gone) return card;
  card.append(h('p', {}, h('a', { href: orthancUrl(`app/explorer.html#instance?uuid=${run.Instance}`) },
    t('Show the source'))));
  if (failed) card.append(
    h('button', { type: 'button', class: 'button', onclick: () => attempt(async () => {
      card.append(notice('error', t('Why it failed'), await reasonOf(run)));
    }) }, t('Why')));
  if (failed || run.Sent.some((/** @type {any} */ { State: state }) => state === 'Failure')) card.append(
    h('button', { type: 'button', class: 'button', onclick: () => attempt(async () => {
      await postJson('stl/rules/run', JSON.stringify({ Instance: run.Instance }));
      setTimeout(load, RELOAD_MS);
    }) }, t('Run again')));
  return card;
}

async function load() {
  const { Rules: rules, Runs: runs, Waiting: waiting } = await getJson('stl/rules');
  if (rules.length === 0) {
    page.show(h('p', {}, t('This Orthanc has no rules: see the option "Rules".')));
    return;
  }
  page.show(...rules.map(ruleCard), h('h2', {}, t('Last runs')),
    h('p', { class: 'about' }, t('{count} series are waiting', { count: waiting })), ...runs.map(runCard));
}

/** @param {() => Promise<void>} action */
async function attempt(action) {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error;
    page.fail(t('The request failed'), error.message);
  }
}

await attempt(load);
