/** What all our forms do: ask, send, show how far it is, and end in an answer, a reason, or "cancelled". */

import { RequestFailed } from '../shared/api.js';
import { h, notice } from '../shared/dom.js';
import { cancel, Cancelled, follow, ProgressBar } from '../shared/job.js';
import { t } from '../shared/language.js';

/** Something the person can put right; the message says what. */
export class NotYet extends Error {}

/**
 * @typedef {object} Progress
 * @property {(fraction: number | null, step: string) => void} show
 * @property {AbortSignal} signal
 * @property {(cancel: () => Promise<void>) => void} onCancel what Cancel does once the server is at work
 */

export class WorkForm {
  /**
   * @param {string} submitLabel
   * @param {(answer: any) => void} onDone
   */
  constructor(submitLabel, onDone) {
    this.onDone = onDone;
    this.abort = new AbortController();
    /** @type {(() => Promise<void>) | null} */
    this.cancelJob = null;
    this.fields = h('fieldset', {});
    this.message = h('div', { class: 'form-message' });
    this.submitButton = h('button', { type: 'submit', class: 'button primary' }, submitLabel);
    this.buttons = h('div', { class: 'form-buttons' }, this.submitButton);
    this.bar = new ProgressBar(() => this.cancel());
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      this.run((progress) => this.work(progress));
    };
    this.element = h('form', { class: 'work-form', novalidate: true, autocomplete: 'off', onsubmit: submit },
      this.fields, this.message, this.bar.element, this.buttons);
  }

  /**
   * @abstract
   * @param {Progress} progress
   * @returns {Promise<any>} the server's answer
   * @throws {NotYet | RequestFailed | Cancelled}
   */
  async work(progress) { // eslint-disable-line no-unused-vars
    throw new Error('a form does some work');
  }

  /**
   * @param {string} uuid of a job that is under way, perhaps since before a reload
   * @param {Progress} progress
   * @returns {Promise<any>} as `work`
   */
  await(uuid, progress) {
    progress.onCancel(() => cancel(uuid));
    return follow(uuid, progress.show);
  }

  cancel() {
    this.abort.abort();
    this.cancelJob?.().catch((error) => this.say(notice('error', t('It could not be cancelled'), error.message)));
  }

  /** @param {Node | null} node a notice, or nothing */
  say(node) {
    this.message.replaceChildren(...(node ? [node] : []));
  }

  get busy() {
    return this.fields.disabled;
  }

  /** @param {(progress: Progress) => Promise<any>} job */
  async run(job) {
    if (this.busy) return;
    this.abort = new AbortController();
    this.cancelJob = null;
    this.say(null);
    this.fields.disabled = true;
    this.buttons.hidden = true;
    let answer = null;
    try {
      answer = await job({ show: (fraction, step) => this.bar.show(fraction, step), signal: this.abort.signal,
        onCancel: (cancel) => { this.cancelJob = cancel; } });
    } catch (error) {
      this.#explain(error);
    } finally {
      this.fields.disabled = false;
      this.buttons.hidden = false;
      this.bar.hide();
    }
    if (answer) this.onDone(answer);
  }

  /** @param {any} error */
  #explain(error) {
    if (error instanceof Cancelled || error.name === 'AbortError') {
      this.say(notice('info', '', t('Cancelled. Nothing was stored.')));
    } else if (error instanceof NotYet) {
      this.say(notice('warning', '', error.message));
    } else if (error instanceof RequestFailed) {
      this.say(notice('error', t('That did not work'), error.message));
    } else {
      this.say(notice('error', t('Something unexpected happened'), String(error.message ?? error)));
      throw error;
    }
  }
}
