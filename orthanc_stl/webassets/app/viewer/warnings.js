/** What is to be known of the parts, the worst first: in the head for one part, in a dialog for many. */

import { h, icon, notice, sentenceOn } from '../shared/dom.js';
import { t } from '../shared/language.js';
import { asSentence } from '../shared/sentences.js';
import { notesOf } from './parts.js';

/** By rank: `Rank` of orthanc_stl/model.py. @type {Record<number, string>} */
const RANKS = { 1: 'Changed the shape', 2: 'Guessed', 3: 'Left out' };

export class Warnings {
  /** @param {import('./parts.js').Parts} parts @param {HTMLElement} root gets the dialog */
  constructor(parts, root) {
    this.parts = parts;
    this.root = root;
    this.element = h('div', { class: 'card-notices' });
    this.shown = '';
  }

  /** @returns {{name: string, rank: number, text: string}[]} each sentence once a part; what is said of all, once */
  get all() {
    const { all: parts } = this.parts;
    const list = parts.flatMap((part) => notesOf(part).map(({ rank, text }) => ({ name: part.name, rank, text })));
    /** @type {Map<string, number>} */
    const saidOf = new Map();
    for (const part of parts) {
      for (const text of new Set(notesOf(part).map((note) => note.text))) saidOf.set(text, (saidOf.get(text) ?? 0) + 1);
    }
    const told = new Set();
    return list.flatMap((each) => {
      if (parts.length === 1 || saidOf.get(each.text) !== parts.length) return [each];
      if (told.has(each.text)) return [];
      told.add(each.text);
      return [{ ...each, name: t('All parts') }];
    }).sort((a, b) => a.rank - b.rank);
  }

  update() {
    const { all } = this;
    const key = JSON.stringify(all);
    if (key === this.shown) return;
    this.shown = key;
    const words = [1, 2, 3].map((rank) => ({ rank, count: all.filter((each) => each.rank === rank).length }))
      .filter(({ count }) => count).map(({ rank, count }) => `${t(RANKS[rank])}: ${count}`).join(' · ');
    if (!all.length) this.element.replaceChildren();
    else if (this.parts.all.length === 1) this.element.replaceChildren(notice('warning', words, sentences(all)));
    else {
      this.element.replaceChildren(h('button', { type: 'button', class: 'chip warnings-button', onclick: () =>
        this.open() }, icon('warning'), words));
    }
  }

  /** All of them, by rank and part. */
  open() {
    const ranks = [1, 2, 3].map((rank) => ({ rank, list: this.all.filter((each) => each.rank === rank) }))
      .filter(({ list }) => list.length);
    const dialog = /** @type {HTMLDialogElement} */ (h('dialog',
      { class: 'help warnings', 'aria-label': t('Things to know') },
      h('h2', {}, t('Things to know')),
      h('div', { class: 'warnings-list', tabindex: '0', role: 'group', 'aria-label': t('Things to know') },
        ...ranks.flatMap(({ rank, list }) => [
        h('h3', {}, `${t(RANKS[rank])} (${list.length})`),
        h('ul', {}, ...list.map(({ name, text }) => h('li', {}, ...sentenceOn(name, text))))])),
      h('form', { method: 'dialog' }, h('button', { class: 'button primary' }, t('Close')))));
    dialog.addEventListener('close', () => dialog.remove());
    this.root.append(dialog);
    dialog.showModal();
  }
}

/** A few are in sight at once. @param {{text: string}[]} notes */
function sentences(notes) {
  const list = h('ul', {}, ...notes.map(({ text }) => h('li', {}, asSentence(text))));
  return notes.length > 4 ? h('details', {}, h('summary', {}, t('Show all')), list) : list;
}
