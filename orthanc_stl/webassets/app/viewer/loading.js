/** What is shown until the first part is there: a bar with words. */

import { h } from '../shared/dom.js';
import { t } from '../shared/language.js';

/**
 * @typedef {{show: (fraction: number | null, step: string) => void, end: () => void, element: HTMLElement}} Progress
 */

/** @param {HTMLElement} root of the viewer @returns {Progress} */
export function loading(root) {
  const bar = /** @type {HTMLProgressElement} */ (h('progress', { max: '1', 'aria-label': t('Loading the model') }));
  const text = h('p', { role: 'status' }, `${t('Loading the model')} …`);
  const element = h('div', { class: 'centre loading' }, h('div', { class: 'loading-box' }, bar, text));
  root.append(element);
  return {
    element,
    show(fraction, step) {
      if (fraction === null) bar.removeAttribute('value');
      else bar.value = fraction;
      const words = t(step);
      text.textContent = `${words.charAt(0).toUpperCase()}${words.slice(1)} …`;
    },
    end: () => element.remove(),
  };
}
