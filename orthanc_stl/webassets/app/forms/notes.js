/** What is to be known of models that were just made: by rank, the worst first. */

import { h, notice } from '../shared/dom.js';
import { counted, t } from '../shared/language.js';
import { asSentence, withName } from '../shared/sentences.js';

/** By rank: `Rank` of orthanc_stl/model.py. */
const RANKS = { 1: t('The shape was changed'), 2: t('Something was guessed'), 3: t('Something was left out') };

/** So many sentences are in sight without a click. */
const OPEN = 4;

/** @typedef {{Rank: number, Text: string}} Note */

/** @param {any} answer @returns {Note[]} each sentence once */
function notesOf({ Notes, Models }) {
  /** @type {Note[]} */
  const all = [...(Notes ?? []), ...(Models ?? []).flatMap((/** @type {any} */ model) => model.Notes ?? [])];
  return [...new Map(all.map((note) => [note.Text, note])).values()].sort((a, b) => a.Rank - b.Rank);
}

/** @param {any} answer of POST /stl/encode @returns {HTMLElement | null} nothing where nothing is to be known */
export function notesView(answer) {
  const notes = notesOf(answer);
  /** @type {Note[]} */
  const skipped = (answer.Skipped ?? [])
    .map((/** @type {any} */ { Name, Reason }) => ({ Rank: 0, Text: withName(Name, Reason) }));
  if (!notes.length && !skipped.length) return null;
  const groups = Object.entries({ 0: t('Not made'), ...RANKS }).flatMap(([rank, title]) => {
    const list = [...skipped, ...notes].filter((note) => note.Rank === Number(rank));
    return list.length ? [group(title, list.map(({ Text }) => Text))] : [];
  });
  return notice('warning', skipped.length
    ? counted(skipped.length, '1 structure could not be made', '{count} structures could not be made')
    : t('What to know before you use it'), ...groups);
}

/** @param {string} title @param {string[]} sentences */
function group(title, sentences) {
  const list = h('ul', {}, ...sentences.map((sentence) => h('li', {}, asSentence(sentence))));
  if (sentences.length <= OPEN) return h('div', { class: 'notes' }, h('span', { class: 'notes-title' }, title), list);
  return h('details', { class: 'notes' },
    h('summary', {}, t('{title} ({count} times)', { title, count: sentences.length })), list);
}
