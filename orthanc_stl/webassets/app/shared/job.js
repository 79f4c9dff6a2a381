/** A conversion that the server does in the background: followed, shown as a bar, cancelled. */

import { getJson, request, RequestFailed } from './api.js';
import { h } from './dom.js';
import { t } from './language.js';

const pause = (/** @type {number} */ milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The person cancelled it. */
export class Cancelled extends Error {
  constructor() {
    super('Cancelled.');
  }
}

/**
 * @param {string} uuid of the job
 * @param {(fraction: number, step: string) => void} onProgress
 * @returns {Promise<any>} the answer that the route gives when it is not asked to be asynchronous
 * @throws {RequestFailed | Cancelled}
 */
export async function follow(uuid, onProgress) {
  let failures = 0;
  for (let wait = 150; ; wait = Math.min(1000, wait * 1.25)) {
    try {
      const job = await getJson(`stl/jobs/${encodeURIComponent(uuid)}`);
      failures = 0;
      if (job.State === 'Success') return job.Answer;
      if (job.State === 'Cancelled') throw new Cancelled();
      if (job.State === 'Failure') throw new RequestFailed(job.Error?.Details ?? job.Error?.Message
        ?? t('The conversion failed.'), job.Error?.HttpStatus ?? 500);
      onProgress((job.Progress ?? 0) / 100, job.State === 'Pending' ? 'waiting for its turn' : stepOf(job));
    } catch (error) {
      // A line that drops for a moment does not end the conversion, so it does not end the wait either.
      if (!(error instanceof RequestFailed) || error.status !== 0 || ++failures > 5) throw error;
    }
    await pause(wait);
  }
}

/** @param {any} job @returns {string} what it is at, and of a set of structures, at which of them */
export function stepOf(job) {
  if (!job.Step || !job.Parts) return job.Step || 'working';
  const { Count: count, Done: done, AtWork: names } = job.Parts;
  const far = t('{done} of {count} done', { done, count });
  return `${t(job.Step.split(' (', 1)[0])} (${[far, ...(names.length ? [names.join(', ')] : [])].join(': ')})`;
}

/** @param {string} uuid @returns {Promise<void>} asks the server to stop; `follow` then ends with `Cancelled` */
export const cancel = async (uuid) => void (await request(`stl/jobs/${encodeURIComponent(uuid)}`,
  { method: 'DELETE' }));

/** A bar, the step in words, and a Cancel button. */
export class ProgressBar {
  /** @param {() => void} onCancel */
  constructor(onCancel) {
    this.bar = /** @type {HTMLProgressElement} */ (h('progress', { max: '100', 'aria-label': t('Progress') }));
    this.step = h('span', { class: 'progress-step' });
    this.button = /** @type {HTMLButtonElement} */ (h('button', { type: 'button', class: 'button', onclick: () => {
      this.button.disabled = true;
      this.show(null, 'cancelling');
      onCancel();
    } }, t('Cancel')));
    this.element = h('div', { class: 'progress', hidden: true }, this.bar,
      h('div', { class: 'progress-line' }, h('span', { role: 'status' }, this.step), this.button));
  }

  /** @param {number | null} fraction null: not known @param {string} step */
  show(fraction, step) {
    this.element.hidden = false;
    if (fraction === null) this.bar.removeAttribute('value');
    else this.bar.value = Math.round(fraction * 100);
    const translated = t(step);
    const words = translated.charAt(0).toUpperCase() + translated.slice(1);
    this.step.textContent = fraction === null ? `${words} …` : `${words} … ${Math.round(fraction * 100)}\u00a0%`;
  }

  hide() {
    this.element.hidden = true;
    this.button.disabled = false;
  }
}
