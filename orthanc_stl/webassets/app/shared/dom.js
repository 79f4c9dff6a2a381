/** Elements made in one line. Values go in as text or as attributes, never as HTML. */

import { asSentence, forPerson, placeOfName } from './sentences.js';

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {object} options attributes; `class`; `on*` are listeners; true/false sets or leaves out; null is left out
 * @param {...(Node | string | null | undefined)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, options = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

/** The paths of our icons: 24 × 24, drawn as lines. */
const ICONS = {
  home: 'M3 11.5 12 4l9 7.5M5.5 9.8V20h4.7v-5.5h3.6V20h4.7V9.8',
  orthographic: 'M4 8h12v12H4zM4 8l4-4h12l-4 4M20 4v12l-4 4',
  wireframe: 'M12 3l8.5 15.5h-17zM12 3l-3.5 15.5M12 3l3.5 15.5M7 12.5h10',
  section: 'M12 5a7 7 0 0 0 0 14M12 2v20M15 5.700a7 7 0 0 1 0 12.600M15 9.500h3.500M15 14.500h3.500',
  measure: 'M3.5 15.5 15.5 3.5l5 5-12 12zM7 12l2 2M10 9l3 3M13 6l2 2',
  dimensions: 'M4 4v16h16M4 4l-1.7 2M4 4l1.7 2M20 20l-2-1.700M20 20l-2 1.700M9 15V8l5-3 5 3v7l-5-2.5z',
  camera: 'M4 8h3.5l1.5-2.5h6L16.5 8H20v11H4zM12 10.200a3.2 3.2 0 1 1 0 6.4 3.2 3.2 0 0 1 0-6.400z',
  download: 'M12 4v11M7.5 11 12 15.5 16.5 11M4.5 19.5h15',
  fullscreen: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5',
  help: 'M9.3 9.200a2.8 2.8 0 1 1 4.2 2.700c-1 .6-1.5 1.1-1.5 2.300M12 17.5v.3M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18z',
  close: 'M6 6l12 12M18 6 6 18',
  flip: 'M12 3v18M8.5 7 4 12l4.5 5zM15.5 7l4.5 5-4.5 5z',
  trash: 'M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.400L17 7M10.3 10.5v6M13.7 10.5v6',
  warning: 'M12 4 21 19.5H3zM12 10v4.5M12 17v.3',
  cube: 'M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9',
  printer: 'M9 3h6v5l-3 3.500L9 8zM3.500 20.500h17M6 17h12M9 13.800h6',
  info: 'M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM12 11v5.5M12 7.5v.3',
  zoomIn: 'M10.500 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.300 15.300 20.500 20.500M10.500 7.700v5.600'
    + 'M7.700 10.500h5.600',
  zoomOut: 'M10.500 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.300 15.300 20.500 20.500M7.700 10.500h5.600',
  light: 'M12 7.500a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2'
    + 'M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M5.300 18.700l1.400-1.400M17.300 6.700l1.400-1.400',
  lightDirection: 'M14.500 10a6 6 0 1 1 0 11 6 6 0 0 1 0-11zM3 3l6.500 6.500M9.500 5.500v4h-4M13 3v3M3 13h3',
  solid: 'M12 3.500c3 4 6 7 6 10.500a6 6 0 0 1-12 0c0-3.500 3-6.500 6-10.500zM9 14.500a3 3 0 0 0 3 3',
  pick: 'M12 6a6 6 0 1 1 0 12 6 6 0 0 1 0-12zM12 2.500v6M12 15.500v6M2.500 12h6M15.500 12h6',
  upright: 'M12 20.500v-17M8 7.500l4-4 4 4M5 20.500h14',
  eye: 'M2.500 12c2.500-4.500 6-6.500 9.500-6.500s7 2 9.500 6.500c-2.500 4.500-6 6.500-9.500'
    + ' 6.500s-7-2-9.500-6.500zM12 9.200a2.8 2.8 0 1 1 0 5.600 2.8 2.8 0 0 1 0-5.600z',
  eyeOff: 'M4 4l16 16M9.500 6c4.500-1.300 9 .7 12 6-.8 1.400-1.700 2.600-2.700 3.500'
    + 'M6 8c-1.300 1-2.500 2.300-3.500 4 3 5.300 7.500 7.300 12 6',
  list: 'M9 6.500h11M9 12h11M9 17.500h11M4 6.500h1M4 12h1M4 17.500h1',
  slices: 'M3.500 8.500 12 4l8.500 4.500L12 13zM3.500 12.500 12 17l8.500-4.500M3.500 16.500 12 21l8.500-4.500',
  four: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z',
  undo: 'M8.500 5 4.500 9l4 4M4.500 9H15a5 5 0 0 1 0 10h-5',
  link: 'M10 14a4 4 0 0 0 5.700 0l3-3A4 4 0 0 0 13 5.300l-1 1M14 10a4 4 0 0 0-5.700 0l-3 3A4 4 0 0 0 11 18.700l1-1',
  table: 'M4 5h16v14H4zM4 10h16M4 14.500h16M10 5v14',
  keep: 'M5 4h11l3 3v13H5zM8 4v5h7V4M8 20v-6h8v6',
  sun: 'M12 3a9 9 0 1 1 0 18zM12 3a9 9 0 0 0 0 18',
  upload: 'M12 16V5M7.5 9.5 12 5l4.5 4.5M4.5 19.5h15',
};

/** @param {keyof typeof ICONS} name @returns {SVGElement} decoration only: hidden from screen readers */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

/**
 * A tick, a warning or a note as a box. What comes as text is said as a sentence (see `forPerson`).
 * @param {'error' | 'warning' | 'info'} kind @param {string} title @param {...(Node | string)} lines
 */
export function notice(kind, title, ...lines) {
  const role = kind === 'error' ? 'alert' : 'status';
  return h('div', { class: `notice ${kind}`, role }, icon(kind === 'info' ? 'info' : 'warning'),
    h('div', { class: 'notice-text' }, title ? h('strong', {}, title) : null, ...lines
      .map((line) => (typeof line === 'string' ? h('p', {}, forPerson(line)) : line))));
}

/** @param {string} name @param {string} text @returns {(Node | string)[]} a sentence with that name in bold, once */
export function sentenceOn(name, text) {
  const sentence = asSentence(text), at = placeOfName(name, sentence);
  const bold = h('strong', { dir: 'auto' }, name);
  return at < 0 ? [bold, ` ${sentence}`] : [sentence.slice(0, at), bold, sentence.slice(at + name.length)];
}

/** Offers bytes to the person as a file. @param {Blob} blob @param {string} name */
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = h('a', { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}
