/** What is shown while a model comes: a bar with words. */

import { h } from '../shared/dom.js';

/** @param {HTMLElement} root of the viewer @returns {{show: (fraction: number | null, step: string) => void, end: () => void}} */
export function loading(root) {
  const bar = h('progress', { max: '1', 'aria-label': 'Loading the model' });
  const text = h('p', { role: 'status' }, 'Loading the model …');
  root.append(h('div', { class: 'centre loading' }, h('div', { class: 'loading-box' }, bar, text)));
  return {
    show(fraction, step) {
      if (fraction === null) bar.removeAttribute('value');
      else bar.value = fraction;
      text.textContent = `${step.charAt(0).toUpperCase()}${step.slice(1)} …`;
    },
    end: () => root.querySelector('.loading')?.remove(),
  };
}
