/** Undo: the states that were, newest last. */

const DEPTH = 100;

export class History {
  /** @param {() => any} take the present state @param {(state: any) => void} put */
  constructor(take, put) {
    this.take = take;
    this.put = put;
    /** @type {string[]} */
    this.past = [];
    this.present = '';
    this.busy = false;
  }

  /** From now on changes can be undone. */
  start() {
    this.present = this.#text();
  }

  /** The eye moves without being noted: undo is about what was changed, not about where one looks from. */
  #text() {
    return JSON.stringify({ ...this.take(), camera: null });
  }

  /** Something changed. */
  note() {
    if (this.busy || !this.present) return;
    const now = this.#text();
    if (now === this.present) return;
    this.past.push(this.present);
    if (this.past.length > DEPTH) this.past.shift();
    this.present = now;
  }

  /** @returns {boolean} whether there was anything to undo */
  undo() {
    const last = this.past.pop();
    if (!last) return false;
    this.busy = true;
    this.put(JSON.parse(last));
    this.busy = false;
    this.present = last;
    return true;
  }
}
